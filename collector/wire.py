"""Protobuf's frame: where the messages within a message are, without decoding any of them."""

from collections.abc import Iterator
from typing import Final

from collector.errors import Malformed

SIZED: Final = 2
"""The wire type of what has a length: messages, text and bytes."""


def messages(
    data: bytes, at: int, end: int, wanted: frozenset[int]
) -> Iterator[tuple[int, int, int]]:
    """Where the messages in the fields ``wanted`` of ``data[at:end]`` are: tag, content, end.

    Raises ``Malformed`` as ``fields`` does.
    """
    start = at
    for number, kind, begin, after in fields(data, at, end):
        if kind == SIZED and number in wanted:
            yield start, begin, after
        start = after


def fields(data: bytes, at: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """The fields of ``data[at:end]``: number, wire type, and where the content begins and ends.

    Raises ``Malformed`` where the frame is broken: nobody knows then where the next one begins.
    """
    while at < end:
        tag, at = _varint(data, at, end)
        begin = at
        match tag & 7:
            case 2:
                size, begin = _varint(data, at, end)
                at = begin + size
            case 0:
                _, at = _varint(data, at, end)
            case 1:
                at += 8
            case 5:
                at += 4
            case 3 | 4:
                pass  # where a group begins and ends: decoders pass over it, and so must limits
            case _:
                raise Malformed("the request's frame is no protobuf")
        if at > end:
            raise Malformed("the request is cut off")
        yield tag >> 3, tag & 7, begin, at


def _varint(data: bytes, at: int, end: int) -> tuple[int, int]:
    """A number, and where it ends."""
    value = shift = 0
    while at < end and shift < 64:  # noqa: PLR2004 - bits of the longest varint
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004 - the bit that says more follows
            return value, at
        shift += 7
    raise Malformed("the request is cut off" if at == end else "a number in it has no end")
