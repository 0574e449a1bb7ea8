"""One bad item costs one item: what is left of a request whose bytes cannot all be read.

The decoders refuse a request whole. So a refused one is cut at the lengths that its own frame
tells (resources, scopes, items: alike for spans, records and metrics), halved until the unreadable
items are found, and put together again without them.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from collector.errors import Malformed

_GROUPS: Final = 1
"""A request's only field: what one resource sent."""
_INNER: Final = 2
"""In a resource's group the field of its scopes' groups, in one of these the field of its items."""
_FIXED64: Final = 1
_SIZED: Final = 2
"""Protobuf's wire types: eight bytes; what has a length."""

Readable = Callable[[bytes], bool]
"""Whether a serialised request can be read."""


@dataclass(frozen=True, slots=True)
class Salvaged:
    """What is left of a request."""

    request: bytes
    kept: int
    lost: int
    """Items whose bytes cannot be read; spans, log records or metrics."""


def salvage(request: bytes, readable: Readable) -> Salvaged:
    """The request without the items that make it unreadable.

    Raises ``Malformed`` where its frame is broken: nobody knows then where an item begins.
    """
    groups: list[bytes] = []
    kept = lost = 0
    for group in _parted(request, _GROUPS)[1]:
        head, scopes = _parted(group, _INNER)
        sound = readable(_sized(_GROUPS, head))
        for scope in scopes:
            scope_head, items = _parted(scope, _INNER)
            good = _readable_items(items, scope_head, readable) if sound else []
            kept += len(good)
            lost += len(items) - len(good)
            head += _scope(scope_head, good)
        if sound:
            groups.append(_sized(_GROUPS, head))
    return Salvaged(b"".join(groups), kept, lost)


def _readable_items(items: Sequence[bytes], head: bytes, readable: Readable) -> list[bytes]:
    if not items or readable(_sized(_GROUPS, _scope(head, items))):
        return list(items)
    if len(items) == 1:
        return []
    half = len(items) // 2
    return [
        *_readable_items(items[:half], head, readable),
        *_readable_items(items[half:], head, readable),
    ]


def _scope(head: bytes, items: Sequence[bytes]) -> bytes:
    return _sized(_INNER, head + b"".join(_sized(_INNER, item) for item in items))


def _parted(message: bytes, wanted: int) -> tuple[bytes, list[bytes]]:
    """All of a message but the messages in one of its fields, and these."""
    rest: list[bytes] = []
    found: list[bytes] = []
    for start, begin, end, field, kind in _fields(message):
        if field == wanted and kind == _SIZED:
            found.append(message[begin:end])
        else:
            rest.append(message[start:end])
    return b"".join(rest), found


def _fields(message: bytes) -> Iterator[tuple[int, int, int, int, int]]:
    """Of each field where its tag, its content and what follows begin, its number and its type."""
    at = 0
    while at < len(message):
        start = at
        tag, at = _varint(message, at)
        kind = tag & 7
        match kind:
            case 0:  # a number
                begin = at
                _, at = _varint(message, at)
            case 1 | 5:  # eight bytes, four
                begin = at
                at += 8 if kind == _FIXED64 else 4
            case 2:  # what has a length
                size, begin = _varint(message, at)
                at = begin + size
            case _:
                raise Malformed("the request's frame is no protobuf")
        if at > len(message):
            raise Malformed("the request is cut off")
        yield start, begin, at, tag >> 3, kind


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """A number, and where it ends."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(message):
            raise Malformed("the request is cut off")
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004 - the bit that says more follows
            return value, at
    raise Malformed("the request's frame is no protobuf")


def _sized(field: int, content: bytes) -> bytes:
    """A field that has a length, with its tag."""
    head = bytearray([field << 3 | _SIZED])
    size = len(content)
    while size >= 0x80:  # noqa: PLR2004 - as above
        head.append(size & 0x7F | 0x80)
        size >>= 7
    head.append(size)
    return bytes(head) + content
