"""What was read from the database a moment ago, for those who ask the same again and again."""

import time
from collections.abc import Callable
from threading import Event, Lock, Thread
from typing import Final, Generic, TypeVar

import structlog
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoFreeConnection

from store.sessions import Database

log = structlog.get_logger(__name__)

_WAITS: Final = 5.0
"""Seconds for somebody else's reading."""
_PULSE_FOR: Final = 2.0
"""Seconds for which it is believed that Postgres is reached, or not."""
_PATIENCE: Final = 1.0
"""Seconds to wait for its word."""

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


class Pulse:
    """Whether Postgres is reached. Asked by whoever cannot wait for one that hangs."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = Lock()
        self._up = False
        self._looked = float("-inf")
        self._looking: Event | None = None

    def up(self) -> bool:
        """Whether it answered within the last seconds, or does within one."""
        with self._lock:
            if time.monotonic() - self._looked < _PULSE_FOR:
                return self._up
            if self._looking is None:
                self._looking = Event()
                # Of those that hang there is one: nobody looks while somebody does.
                Thread(target=self._look, name="pulse", daemon=True).start()
            looking = self._looking
        looking.wait(_PATIENCE)
        with self._lock:
            return self._up and time.monotonic() - self._looked < _PULSE_FOR

    def _look(self) -> None:
        try:
            with self._database.engine.connect() as connection:
                connection.execute(text("SELECT 1"))
            up = True
        except SQLAlchemyError as error:
            log.info("Postgres is not reached", why=type(error).__name__)
            up = False
        with self._lock:
            self._up, self._looked = up, time.monotonic()
            looking, self._looking = self._looking, None
        if looking is not None:
            looking.set()
