"""A folder in memory for what tests may lose: a database is made there in a third of the time."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

_MEMORY = Path("/dev/shm")  # noqa: S108  # ours in it is made for us alone, by mkdtemp
_ROOM = 6 * 1024**3
"""Bytes that must be free: three workers have two servers each, with a gigabyte of log at most."""
_NAME = "spanledger-test-"


@contextmanager
def folder_in_memory(otherwise: Path) -> Iterator[Path]:
    """A new folder, gone when it is left; ``otherwise`` where memory has no room for one."""
    with ExitStack() as left:
        yield _new(left) or otherwise


def _new(left: ExitStack) -> Path | None:
    if not _MEMORY.is_dir() or shutil.disk_usage(_MEMORY).free < _ROOM:
        return None
    _clear_up()
    try:
        made = Path(tempfile.mkdtemp(prefix=f".{_NAME}", dir=_MEMORY))
    except OSError:
        return None  # it is not for us to write in
    left.enter_context(_held(made))
    # Only now it is called as those are that are looked for: nobody finds it without its lock.
    folder = made.rename(_MEMORY / made.name[1:])
    left.callback(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _clear_up() -> None:
    """Deletes what tests of this user left that were killed."""
    for left in _MEMORY.glob(f"{_NAME}*"):
        with suppress(OSError):
            if left.lstat().st_uid == os.getuid():
                with _held(left):
                    shutil.rmtree(left, ignore_errors=True)


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """BlockingIOError where a process that lives holds it, in whichever container that is."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(opened)
