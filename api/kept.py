"""What was read from the database a moment ago, for those who ask the same again and again."""

import time
from collections.abc import Callable
from threading import Lock
from typing import Final, Generic, TypeVar

from sqlalchemy.exc import TimeoutError as NoFreeConnection

_WAITS: Final = 5.0
"""Seconds for somebody else's reading."""

Read = TypeVar("Read")


class Kept(Generic[Read]):
    """What ``read`` gives, for ``fresh`` seconds; one thread reads, the others wait for it."""

    def __init__(self, read: Callable[[], Read], fresh: float) -> None:
        self._read = read
        self._fresh = fresh
        self._lock = Lock()
        self._found: tuple[float, Read] | None = None

    def get(self) -> Read:
        """What was read last, if it is fresh. Raises what ``read`` does; never an old value."""
        if not self._lock.acquire(timeout=_WAITS):
            raise NoFreeConnection("somebody reads it, and is not done")
        try:
            now = time.monotonic()
            if self._found is None or now - self._found[0] >= self._fresh:
                self._found = None
                self._found = now, self._read()
            return self._found[1]
        finally:
            self._lock.release()
