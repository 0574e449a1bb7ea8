"""Hangs up on a Postgres that does not answer: a thread that waits for it would do so for ever."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Lock, Thread
from typing import Final

import structlog

from store.postgres.sessions import Database

log = structlog.get_logger(__name__)

LONGEST: Final = 12.0
"""Seconds that work with the database may take. Each statement in it is limited to five."""
_TICK: Final = 0.5


class Deadlines:
    """Watches over all threads of the collector that use the database."""

    def __init__(self, database: Database, longest: float = LONGEST) -> None:
        self._database = database
        self._longest = longest
        self._begun: dict[object, float] = {}
        self._lock = Lock()
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="deadlines", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stopping.set()

    @contextmanager
    def within(self) -> Iterator[None]:
        """What is done inside ends in time, or fails as if the connection were lost."""
        token = object()
        with self._lock:
            self._begun[token] = time.monotonic()
        try:
            yield
        finally:
            with self._lock:
                del self._begun[token]

    def _run(self) -> None:
        while not self._stopping.wait(_TICK):
            before = time.monotonic() - self._longest
            with self._lock:
                late = any(begun < before for begun in self._begun.values())
            if late:
                log.warning("the database does not answer: hanging up", seconds=self._longest)
                self._database.hang_up()
