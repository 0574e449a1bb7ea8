"""Whether Postgres is reached, for those who cannot wait for one that hangs."""

import time
from threading import Event, Lock, Thread
from typing import Final

import structlog
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from store.postgres.sessions import Database

log = structlog.get_logger(__name__)

_GOOD_FOR: Final = 2.0
"""Seconds for which it is believed that Postgres is reached, or not."""
_PATIENCE: Final = 1.0
"""Seconds to wait for its word."""


class Pulse:
    """One that looks when it is asked, and never at two things at a time. Any thread may ask."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = Lock()
        self._up = False
        self._looked = float("-inf")
        self._looking: Event | None = None

    def up(self) -> bool:
        """Whether it answered within the last seconds, or does within one."""
        with self._lock:
            if time.monotonic() - self._looked < _GOOD_FOR:
                return self._up
            if self._looking is None:
                self._looking = Event()
                # Of those that hang there is one: nobody looks while somebody does.
                Thread(target=self._look, name="pulse", daemon=True).start()
            looking = self._looking
        if not looking.wait(_PATIENCE):
            with self._lock:
                if self._looking is looking:
                    # Believed until it answers, so that nobody waits twice for one request.
                    self._up, self._looked = False, time.monotonic()
        with self._lock:
            return self._up and time.monotonic() - self._looked < _GOOD_FOR

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
