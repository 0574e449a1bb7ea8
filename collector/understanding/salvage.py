"""One bad item costs one item: what is left of a request whose bytes cannot all be read.

The decoders refuse a request whole. So a refused one is cut at the lengths that its own frame
tells (resources, scopes, items: alike for spans, records and metrics), halved until the unreadable
items are found, and put together again without them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from collector.wire import SIZED, messages

_GROUPS: Final = 1
"""A request's only field: what one resource sent."""
_INNER: Final = 2
"""In a resource's group the field of its scopes' groups, in one of these the field of its items."""

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
    at = 0
    for start, begin, end in messages(message, 0, len(message), frozenset({wanted})):
        rest.append(message[at:start])
        found.append(message[begin:end])
        at = end
    return b"".join([*rest, message[at:]]), found


def _sized(field: int, content: bytes) -> bytes:
    """A field that has a length, with its tag."""
    head = bytearray([field << 3 | SIZED])
    size = len(content)
    while size >= 0x80:  # noqa: PLR2004 - what seven bits hold
        head.append(size & 0x7F | 0x80)
        size >>= 7
    head.append(size)
    return bytes(head) + content
