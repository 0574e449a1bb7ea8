"""How records lie in a segment, so that each damage costs the records that it hits and no others.

A record is a head and a body. The head begins with its segment's marker: eight random bytes that
stand in the segment's name, so nothing that was sent can look like a head. Head and body have a
checksum each. After a head that is damaged the next one is found by its marker.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from zlib import crc32

MARKER_BYTES: Final = 8
# Marker; spans, bytes and checksum of the body; then the checksum of these.
_HEAD: Final = struct.Struct("<8sIII")
_SUM: Final = struct.Struct("<I")
HEAD_BYTES: Final = _HEAD.size + _SUM.size


@dataclass(frozen=True, slots=True)
class Record:
    """A record that is as it was written."""

    offset: int
    spans: int
    """Spans, log records or data points that it accounts for."""
    body: bytes


@dataclass(frozen=True, slots=True)
class Damage:
    """Bytes that are not as they were written: a record, or several."""

    offset: int
    data: bytes


def frame(marker: bytes, body: bytes, spans: int) -> bytes:
    """A record as it is written."""
    head = _HEAD.pack(marker, spans, len(body), crc32(body))
    return b"".join((head, _SUM.pack(crc32(head)), body))


def read_head(data: bytes, marker: bytes) -> tuple[int, int] | None:
    """Spans, and bytes of the whole record, of a head at the beginning; None where none is."""
    head = _head(data, 0, marker)
    return (head[0], HEAD_BYTES + head[1]) if head else None


def walk(data: bytes, marker: bytes) -> Iterator[Record | Damage]:
    """What is in a segment, from its beginning.

    A record at the end that is not whole was torn by a crash, before anybody was told that it is
    safe: it is left out.
    """
    offset = 0
    while offset < len(data):
        head = _head(data, offset, marker)
        if head is None:
            following = _next_head(data, offset + 1, marker)
            if following == len(data) and _is_torn(data[offset:], marker):
                return
            yield Damage(offset, data[offset:following])
            offset = following
            continue
        spans, length, checksum = head
        end = offset + HEAD_BYTES + length
        if end > len(data):
            return
        body = data[offset + HEAD_BYTES : end]
        intact = crc32(body) == checksum
        yield Record(offset, spans, body) if intact else Damage(offset, data[offset:end])
        offset = end


def _head(data: bytes, offset: int, marker: bytes) -> tuple[int, int, int] | None:
    """Spans, length and checksum of the body; None where no head is."""
    if len(data) - offset < HEAD_BYTES:
        return None
    found, spans, length, checksum = _HEAD.unpack_from(data, offset)
    (expected,) = _SUM.unpack_from(data, offset + _HEAD.size)
    whole = found == marker and crc32(data[offset : offset + _HEAD.size]) == expected
    return (spans, length, checksum) if whole else None


def _next_head(data: bytes, offset: int, marker: bytes) -> int:
    """Where the next head is, or the end."""
    while (found := data.find(marker, offset)) >= 0:
        if _head(data, found, marker):
            return found
        offset = found + 1
    return len(data)


def _is_torn(rest: bytes, marker: bytes) -> bool:
    """Whether that is the beginning of a head, or room that a file system gave and never filled."""
    begun = len(rest) < HEAD_BYTES and marker.startswith(rest[:MARKER_BYTES])
    return begun or not rest.strip(b"\0")
