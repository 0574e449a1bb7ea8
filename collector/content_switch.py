"""Whether content is kept, and on which terms: asked of the database now and then, beside the path.

Whoever hears a request only looks at what was said last. Until the database has said something,
nothing is kept; while it is away, what it said last holds.
"""

import time
from contextlib import suppress
from threading import Event, Thread
from typing import Final

from psycopg import Error as PsycopgError
from sqlalchemy.exc import SQLAlchemyError

from collector.deadlines import Deadlines
from collector.understanding.content import Keeping
from store.contents.content_policies import policy_of
from store.postgres.sessions import Database
from store.tenants import TENANT

EVERY: Final = 5.0
"""Seconds. So long it takes until somebody's switch is heard of; what is on its way to Postgres
when it is switched off is left out there (``store/contents/contents.py``)."""


class ContentSwitch:
    """The thread that asks, and what it heard last."""

    def __init__(self, database: Database, deadlines: Deadlines, every: float = EVERY) -> None:
        self._database = database
        self._deadlines = deadlines
        self._every = every
        self._keeping: dict[int, Keeping | None] = {}
        self._ending = Event()
        self._thread = Thread(target=self._run, name="contents", daemon=True)

    def start(self) -> None:
        """Begin to ask."""
        self._thread.start()

    def stop(self, timeout: float) -> None:
        """Ask no more."""
        self._ending.set()
        self._thread.join(timeout)

    def of(self, tenant: int) -> Keeping | None:
        """How a tenant's content is kept; None: it is not."""
        return self._keeping.get(tenant)

    def _run(self) -> None:
        while not self._ending.is_set():
            asked_at = time.monotonic()
            # A database that is not migrated yet has no such table, and one that is away says
            # nothing: others tell people of that.
            with suppress(SQLAlchemyError, PsycopgError):
                self._ask()
            self._ending.wait(max(0.0, asked_at + self._every - time.monotonic()))

    def _ask(self) -> None:
        with self._deadlines.within(), self._database.read() as session:
            terms = policy_of(session, TENANT).terms
        known = self._keeping.get(TENANT)
        if not terms.on:
            self._keeping[TENANT] = None
        elif known is None or known.terms != terms:
            self._keeping[TENANT] = Keeping.on(terms)
