"""Group commit: one thread puts down all that waits in one transaction, and then answers it all.

A transaction costs its fsync whether it holds one span or five thousand. While one is committed
what comes next gathers, so the busier it is, the larger the batches.
"""

import random
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from datetime import datetime
from threading import Condition, Thread
from typing import Final

import psycopg
import structlog
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from collector.deadlines import Deadlines
from collector.errors import Busy
from collector.limits import Limits
from store.dictionaries import MOVED, Known, is_about_the_data, sqlstate_of
from store.intake.intake import Account, Batch, Heard, put_down
from store.postgres.sessions import Database
from store.steps import Steps, untold
from store.tenants import TENANT

log = structlog.get_logger(__name__)

_AGAIN: Final = frozenset({"40001", "40P01", MOVED})
"""Serialization, deadlock, and a partition that came in between: the same batch, once more."""
_ATTEMPTS: Final = 4
_TROUBLE: Final = (psycopg.OperationalError, OperationalError, InterfaceError, PoolTimeout)
_NOT_READY: Final = frozenset({"25006", "42P01", "42703", "42501"})
"""A standby that is not promoted yet; tables, columns and rights that a migration is to bring."""
_NOT_AWAY: Final = frozenset({"55P03", "57014"})
"""A lock or a statement took too long: this batch is busy, the next one may not be."""


_PROBE: Final = text("SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::bool")


class Unstorable(Busy):
    """Postgres is there and does not store it. Nobody foresaw why; it is logged."""


class Waiting:
    """What waits for its commit."""

    def __init__(self, heard: Heard, received_at: datetime) -> None:
        self.heard = heard
        self.received_at = received_at
        self.accounts: Future[Sequence[Account]] = Future()
        """One for each of its parts. Cancelled in time, it is not written at all."""


class Writer:
    """The one thread of this process that writes what was heard."""

    def __init__(
        self,
        database: Database,
        limits: Limits,
        deadlines: Deadlines | None = None,
        took: Callable[[float], None] = lambda _seconds: None,
        steps: Steps = untold,
    ) -> None:
        """``took`` is told how long each transaction took, in seconds, with all its attempts.

        ``steps`` is told of those that hold calls, where we are traced.
        """
        self.away = False
        """Whether the database could not be reached when it was tried last."""
        self.committed = 0
        """Transactions so far."""
        self._database = database
        self._limits = limits
        self._deadlines = deadlines or Deadlines(database)
        self._took = took
        self._steps = steps
        self._began: float | None = None
        self._known = Known()
        self._waiting: deque[Waiting] = deque()
        self._changed = Condition()
        self._stopping = False
        self._thread = Thread(target=self._run, name="writer", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, timeout: float) -> bool:
        """Put down what waits, and end. False if that took longer than ``timeout`` seconds."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def put(self, heard: Heard, received_at: datetime) -> Waiting:
        """Queue what was heard; its ``accounts`` are there once it is committed, or Busy is."""
        waiting = Waiting(heard, received_at)
        with self._changed:
            if self._stopping:
                raise Busy("shutting down")
            self._waiting.append(waiting)
            self._changed.notify_all()
        return waiting

    def hangs(self, seconds: float) -> bool:
        """Whether the transaction of the moment takes longer than that."""
        began = self._began
        return began is not None and time.monotonic() - began > seconds

    def probe(self) -> None:
        """Find out whether a database that was away, or was never tried, is there. May block."""
        if self.committed and not self.away:
            return
        try:
            with self._deadlines.within(), self._database.write() as session:
                there = not session.scalar(_PROBE)
        except (psycopg.Error, SQLAlchemyError) as error:
            self._note_away(error)
        else:
            if there:
                self._note_back()

    def _run(self) -> None:
        while True:
            group = self._gather()
            if group:
                self._began = began = time.monotonic()
                self._put_down(group)
                self._began = None
                self._took(time.monotonic() - began)
            elif self._stopping:
                return

    def _gather(self) -> list[Waiting]:
        """What goes into the next transaction; nothing when all have left or it is time to end."""
        group: list[Waiting] = []
        rows = 0
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._stopping)
            while self._waiting and rows < self._limits.batch_rows:
                waiting = self._waiting.popleft()
                # From here on nobody can take it back.
                if waiting.accounts.set_running_or_notify_cancel():
                    group.append(waiting)
                    rows += waiting.heard.sightings.num_rows
        return group

    def _put_down(self, group: Sequence[Waiting]) -> None:
        try:
            accounts = self._commit(group)
        # A panic of pgpq's Rust is no Exception, and would end this thread.
        except BaseException as error:
            if isinstance(error, _TROUBLE) or sqlstate_of(error) in _NOT_READY:
                self._turn_away(group, error)
                return
            if len(group) == 1:
                log.exception("what was heard could not be put down")
                group[0].accounts.set_exception(
                    Unstorable("it could not be stored; the reason is logged")
                )
                return
            # One of them is the reason: the others must not suffer for it.
            log.warning("a batch could not be put down, trying each part of it", error=repr(error))
            for waiting in group:
                self._put_down([waiting])
        else:
            self.committed += 1
            self._note_back()
            for waiting in group:
                parts = len(waiting.heard.parts)
                waiting.accounts.set_result(accounts[:parts])
                accounts = accounts[parts:]

    def _commit(self, group: Sequence[Waiting]) -> Sequence[Account]:
        batch = Batch(
            tenant=TENANT,
            # The last: what comes from the spool is old, and would hurry the rest past the time
            # that twins are waited for.
            received_at=max(waiting.received_at for waiting in group),
            heard=[waiting.heard for waiting in group],
        )
        # What holds no call may be what we tell of ourselves. Told of in turn, it had no end.
        if self._steps is untold or not any(map(_tells_of_calls, group)):
            return self._tried(batch)
        live = [each.received_at for each in group if not each.heard.acknowledged]
        with self._steps("batch", min(live, default=None)) as told:
            accounts = self._tried(batch)
            told.update(
                requests=len(accounts),
                from_spool=len(group) - len(live),
                heard=sum(account.heard for account in accounts),
                stored=sum(account.stored for account in accounts),
                duplicate=sum(account.duplicate for account in accounts),
                not_a_call=sum(account.not_a_call for account in accounts),
            )
        return accounts

    def _tried(self, batch: Batch) -> Sequence[Account]:
        for attempt in range(1, _ATTEMPTS + 1):
            straight = attempt == 1
            try:
                with self._deadlines.within(), self._database.write() as session:
                    done = put_down(session, batch, self._known, straight=straight)
            except (psycopg.Error, DBAPIError, UnicodeEncodeError) as error:
                if straight and is_about_the_data(error):
                    continue  # some are there already, or cannot be stored: now with care
                if sqlstate_of(error) not in _AGAIN or attempt == _ATTEMPTS:
                    raise
                time.sleep(random.uniform(0, 0.02 * attempt))  # noqa: S311 - to part two writers
            else:
                self._known.add(done.entries)
                return done.accounts
        raise AssertionError("unreachable: the last attempt raises or returns")

    def _turn_away(self, group: Sequence[Waiting], error: BaseException) -> None:
        """Tell their senders to come again, and those of all that waits if the database is away."""
        told = list(group)
        state = sqlstate_of(error)
        if state not in _NOT_AWAY and state not in _AGAIN:
            self._known.forget()
            self._note_away(error)
            with self._changed:
                others = [w for w in self._waiting if w.accounts.set_running_or_notify_cancel()]
                self._waiting.clear()
            told += others
        for waiting in told:
            waiting.accounts.set_exception(Busy("the store is away for the moment"))

    def _note_away(self, error: BaseException) -> None:
        if not self.away:
            self.away = True
            # Without what SQLAlchemy adds, and libpq's advice.
            said = str(getattr(error, "orig", None) or error).splitlines()
            log.warning("the database is away", error=said[0] if said else repr(error))

    def _note_back(self) -> None:
        if self.away:
            self.away = False
            log.info("the database is back")


def _tells_of_calls(waiting: Waiting) -> bool:
    heard = waiting.heard
    told = any(part.readings or part.energy for part in heard.parts)
    return told or heard.sightings.num_rows > 0
