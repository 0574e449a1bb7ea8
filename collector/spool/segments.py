"""Files that records are appended to: what ``append`` returns from is on the disk.

A file on which anything failed is never written again. What it held before stays good: that was
on the disk when its senders were answered.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from collector.spool.folders import QUARANTINE, new_name, read_name, sync
from collector.spool.frames import HEAD_BYTES, Damage, Record, frame, read_head, walk


@dataclass(slots=True)
class Segment:
    """A file of records. Segments of one folder sort by name as they were made."""

    path: Path
    size: int
    """Bytes that are on the disk, as far as we know."""
    records: int = 0
    spans: int = 0

    @property
    def marker(self) -> bytes:
        """What each of its heads begins with."""
        return read_name(self.path.name).marker

    def read(self) -> Iterator[Record | Damage]:
        """What is in it. Raises OSError."""
        with self.path.open("rb") as file:
            data = file.read(self.size)
        return walk(data, self.marker)


def found(path: Path) -> Segment:
    """A segment that another process left, or ours before it died. Raises OSError.

    Its records are counted by their heads, as senders wait meanwhile; where one is damaged, by all
    that can be read.
    """
    segment = Segment(path, path.stat().st_size)
    # Where the disk does not give it back, whoever takes it out will say so.
    with suppress(OSError):
        spans = _told_by_heads(segment)
        if spans is None:
            spans = [piece.spans for piece in segment.read() if isinstance(piece, Record)]
        segment.records, segment.spans = len(spans), sum(spans)
    return segment


def _told_by_heads(segment: Segment) -> list[int] | None:
    """The spans of each record; None where they do not lead to the end."""
    told: list[int] = []
    offset = 0
    with segment.path.open("rb", buffering=0) as file:
        while head := read_head(os.pread(file.fileno(), HEAD_BYTES, offset), segment.marker):
            spans, length = head
            offset += length
            told.append(spans)
    return told if offset == segment.size else None


class Growing:
    """A segment that is written. Raises OSError, and is useless afterwards."""

    def __init__(self, folder: Path, now: datetime) -> None:
        self.segment = Segment(folder / new_name(now), 0)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND
        self._file = os.open(self.segment.path, flags, 0o600)
        try:
            sync(folder)
        except OSError:
            os.close(self._file)
            raise

    def append(self, records: Sequence[tuple[bytes, int]]) -> None:
        """Add (body, spans) of some records; they are on the disk when it returns."""
        segment = self.segment
        data = b"".join(frame(segment.marker, body, spans) for body, spans in records)
        try:
            self._write(data)
        except OSError:
            # Nobody is told that these are safe, so they need no room.
            with suppress(OSError):
                os.ftruncate(self._file, segment.size)
            raise
        segment.size += len(data)
        segment.records += len(records)
        segment.spans += sum(spans for _, spans in records)

    def close(self) -> Segment:
        """Write no more. Raises nothing: what counts is on the disk."""
        with suppress(OSError):
            os.close(self._file)
        return self.segment

    def _write(self, data: bytes) -> None:
        written = os.write(self._file, data)
        if written != len(data):
            raise OSError(f"{written} of {len(data)} bytes were written")
        os.fsync(self._file)
        # A file without a name is gone as soon as we are.
        if not os.path.samestat(os.fstat(self._file), self.segment.path.stat()):
            raise FileNotFoundError(f"{self.segment.path} was replaced")


def set_aside(root: Path, segment: Segment, piece: Record | Damage) -> Path:
    """Keep a piece in quarantine; it is on the disk when it returns. Raises OSError.

    Its name is that of a segment: in the place of one it is read again.
    """
    folder = root / QUARANTINE
    folder.mkdir(mode=0o700, exist_ok=True)
    stem = "-".join(segment.path.stem.split("-")[:2])
    kept = folder / f"{stem}-{piece.offset}{segment.path.suffix}"
    if isinstance(piece, Record):
        data = frame(segment.marker, piece.body, piece.spans)
    else:
        data = piece.data
    with open(os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:  # noqa: PTH123 - the mode
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    sync(folder)
    sync(root)
    return kept
