"""Where a spool lies: a folder for each process, locked while that process lives.

``spool/0``, ``spool/1``, … hold segments; ``spool/quarantine`` holds what could not be stored.
The lock goes with its process, however that ends: then another one takes what is left.
"""

import fcntl
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from collector.spool.frames import MARKER_BYTES

_MOST: Final = 1024
"""Processes that share a spool."""
_NAME: Final = re.compile(r"(\d{20})-([0-9a-f]{16})(?:-\d+)?\.segment")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LOCK: Final = "lock"
QUARANTINE: Final = "quarantine"


@dataclass(frozen=True, slots=True)
class SegmentName:
    """What the name of a segment says."""

    made_at: datetime
    marker: bytes


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of ours, for as long as ``lock`` is open."""

    path: Path
    lock: int

    def is_there(self) -> bool:
        """Whether it was neither removed nor replaced since."""
        try:
            return os.path.samestat(os.fstat(self.lock), (self.path / _LOCK).stat())
        except OSError:
            return False


def take_folder(root: Path) -> Folder:
    """The first folder that no living process has. Raises OSError."""
    if not root.exists():
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        sync(root.parent)
    for number in range(_MOST):
        path = root / str(number)
        path.mkdir(mode=0o700, exist_ok=True)
        lock = _locked(path)
        if lock is not None:
            sync(root)
            return Folder(path, lock)
    raise OSError(f"{root} has {_MOST} folders, and all are in use")


def adopt(root: Path, ours: Folder) -> Iterator[tuple[Path, list[Path]]]:
    """Take the segments of processes that are gone.

    Gives each such folder, which stays locked meanwhile, and where its segments are now. Raises
    OSError.
    """
    for path in root.iterdir():
        if path == ours.path or not path.name.isdecimal() or not segments_in(path):
            continue
        with _locked_for_now(path) as locked:
            if not locked:
                continue
            # Their names differ by chance, so none can take another's place.
            taken = [it.rename(ours.path / it.name) for it in segments_in(path)]
            sync(ours.path)
            sync(path)
            yield path, taken


def segments_in(path: Path) -> list[Path]:
    """The segments of a folder, oldest first; none of one that belongs to another user."""
    with suppress(FileNotFoundError, NotADirectoryError, PermissionError):
        return sorted(found for found in path.iterdir() if _NAME.fullmatch(found.name))
    return []


def sizes_in(path: Path) -> dict[Path, int]:
    """The segments of a folder, oldest first, and their bytes."""
    sizes = {}
    for segment in segments_in(path):
        with suppress(FileNotFoundError):  # stored meanwhile
            sizes[segment] = segment.stat().st_size
    return sizes


def size_of(root: Path, *, but: Path | None = None) -> int:
    """Bytes of all segments beneath a spool, those in quarantine included. Raises OSError."""
    folders = [path for path in root.iterdir() if _holds_segments(path)] if root.exists() else []
    return sum(sum(sizes_in(path).values()) for path in folders if path != but)


def _holds_segments(path: Path) -> bool:
    return path.name.isdecimal() or path.name == QUARANTINE


def new_name(now: datetime) -> str:
    """A name for a segment; those of one folder sort by the time at which they were made."""
    micros = (now - _EPOCH) // timedelta(microseconds=1)
    return f"{micros:020}-{secrets.token_hex(MARKER_BYTES)}.segment"


def read_name(name: str) -> SegmentName:
    """What a segment's name says. Raises ValueError where it is none."""
    match = _NAME.fullmatch(name)
    if not match:
        raise ValueError(f"{name} is not the name of a segment")
    return SegmentName(_EPOCH + timedelta(microseconds=int(match[1])), bytes.fromhex(match[2]))


def put_file(path: Path, text: str) -> None:
    """Make a small file of ours, or replace it: whoever reads it sees all of it. Raises OSError."""
    draft = path.with_suffix(f".{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as written:
        written.write(text)
    draft.replace(path)


def sync(path: Path) -> None:
    """Make what was done to a folder's names survive a crash."""
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _locked(path: Path) -> int | None:
    """The open lock of a folder; None where another process holds it, or another user."""
    try:
        lock = os.open(path / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    except PermissionError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    except OSError:
        os.close(lock)
        raise
    return lock


@contextmanager
def _locked_for_now(path: Path) -> Iterator[bool]:
    lock = _locked(path)
    try:
        yield lock is not None
    finally:
        if lock is not None:
            os.close(lock)
