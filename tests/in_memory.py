"""A folder in memory for what tests may lose: a database is made there in a third of the time."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_MEMORY = Path("/dev/shm")  # noqa: S108  # ours in it is made for us alone, by mkdtemp
_ROOM = 6 * 1024**3
"""Bytes that must be free: two workers have two servers each, with a gigabyte of log at most."""


@contextmanager
def folder_in_memory(otherwise: Path) -> Iterator[Path]:
    """A new folder, gone when it is left; ``otherwise`` where memory has no room for one."""
    if not _MEMORY.is_dir() or shutil.disk_usage(_MEMORY).free < _ROOM:
        yield otherwise
        return
    _clear_up()
    with tempfile.TemporaryDirectory(
        prefix=f"spanledger-tests-{os.getpid()}-", dir=_MEMORY, ignore_cleanup_errors=True
    ) as folder:
        yield Path(folder)


def _clear_up() -> None:
    """Deletes what tests left that were killed."""
    for left in _MEMORY.glob("spanledger-tests-*"):
        if not Path(f"/proc/{left.name.split('-')[2]}").exists():
            shutil.rmtree(left, ignore_errors=True)
