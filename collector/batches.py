"""Group commit: one thread puts down all that waits in one transaction, and then answers it all.

A transaction costs its fsync whether it holds one span or five thousand. While one is committed
the next requests gather, so the busier it is, the larger the batches.
"""

import random
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import datetime
from threading import Condition, Thread
from typing import Final

import psycopg
import structlog
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from collector.errors import Busy
from collector.limits import Limits
from store.dictionaries import MOVED, Known, sqlstate_of
from store.intake import Account, Batch, Heard, put_down
from store.sessions import Database
from store.tenants import TENANT

log = structlog.get_logger(__name__)

_AGAIN: Final = frozenset({"40001", "40P01", MOVED})
"""Serialization, deadlock, and a partition that came in between: the same batch, once more."""
_ATTEMPTS: Final = 4
_TROUBLE: Final = (psycopg.OperationalError, OperationalError, InterfaceError, PoolTimeout)
_READ_ONLY: Final = "25006"
"""A standby that is not promoted yet."""
_NOT_AWAY: Final = frozenset({"55P03", "57014"})
"""A lock or a statement took too long: this batch is busy, the next one may not be."""


class Waiting:
    """A request that waits for its commit."""

    def __init__(self, heard: Heard, received_at: datetime) -> None:
        self.heard = heard
        self.received_at = received_at
        self.account: Future[Account] = Future()


class Writer:
    """The one thread of this process that writes what was heard."""

    def __init__(self, database: Database, limits: Limits) -> None:
        self._database = database
        self._limits = limits
        self._known = Known()
        self._waiting: deque[Waiting] = deque()
        self._changed = Condition()
        self._expected = 0
        self._stopping = False
        self._away = False
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

    @contextmanager
    def expecting(self) -> Iterator[None]:
        """A request is being understood: a transaction that begins meanwhile waits a little."""
        with self._changed:
            self._expected += 1
        try:
            yield
        finally:
            with self._changed:
                self._expected -= 1
                self._changed.notify_all()

    def put(self, heard: Heard, received_at: datetime) -> Waiting:
        """Queue a request; its ``account`` is there once it is committed, or Busy is."""
        waiting = Waiting(heard, received_at)
        with self._changed:
            if self._stopping:
                raise Busy("shutting down")
            self._waiting.append(waiting)
            self._changed.notify_all()
        return waiting

    def abandon(self, waiting: Waiting) -> None:
        """Let go of a request whose sender was told that we are busy."""
        with self._changed:
            if waiting in self._waiting:
                self._waiting.remove(waiting)

    def _run(self) -> None:
        while True:
            group = self._gather()
            if group:
                self._put_down(group)
            elif self._stopping:
                return

    def _gather(self) -> list[Waiting]:
        """What goes into the next transaction; nothing when all have left or it is time to end."""
        group: list[Waiting] = []
        rows = 0
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._stopping)
            deadline = time.monotonic() + self._limits.batch_seconds
            while rows < self._limits.batch_rows:
                if self._waiting:
                    waiting = self._waiting.popleft()
                    # From here on its sender cannot take it back.
                    if waiting.account.set_running_or_notify_cancel():
                        group.append(waiting)
                        rows += waiting.heard.sightings.num_rows
                elif not self._expected or self._stopping or not self._wait_until(deadline):
                    break
        return group

    def _wait_until(self, deadline: float) -> bool:
        """Wait for a change; False when it is too late for another."""
        left = deadline - time.monotonic()
        return left > 0 and self._changed.wait(left)

    def _put_down(self, group: Sequence[Waiting]) -> None:
        try:
            accounts = self._commit(group)
        except Exception as error:
            if isinstance(error, _TROUBLE) or sqlstate_of(error) == _READ_ONLY:
                self._turn_away(group, error)
                return
            if len(group) == 1:
                log.exception("a request could not be put down")
                group[0].account.set_exception(Busy("it could not be stored; the reason is logged"))
                return
            # One of them is the reason: the others must not suffer for it.
            log.warning("a batch could not be put down, trying each request", error=repr(error))
            for waiting in group:
                self._put_down([waiting])
        else:
            if self._away:
                self._away = False
                log.info("the database is back")
            for waiting, account in zip(group, accounts, strict=True):
                waiting.account.set_result(account)

    def _commit(self, group: Sequence[Waiting]) -> Sequence[Account]:
        batch = Batch(
            tenant=TENANT,
            received_at=min(waiting.received_at for waiting in group),
            heard=[waiting.heard for waiting in group],
        )
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                with self._database.write() as session:
                    done = put_down(session, batch, self._known)
            except (psycopg.Error, DBAPIError) as error:
                if sqlstate_of(error) not in _AGAIN or attempt == _ATTEMPTS:
                    raise
                time.sleep(random.uniform(0, 0.02 * attempt))  # noqa: S311 - to part two writers
            else:
                self._known.add(done.entries)
                return done.accounts
        raise AssertionError("unreachable: the last attempt raises or returns")

    def _turn_away(self, group: Sequence[Waiting], error: Exception) -> None:
        """Tell these senders to come again, and all who wait if the database is away."""
        told = list(group)
        state = sqlstate_of(error)
        if state not in _NOT_AWAY and state not in _AGAIN:
            self._known.forget()
            if not self._away:
                self._away = True
                log.warning(
                    "the database is away: senders are told to come again", error=str(error)
                )
            with self._changed:
                others = [w for w in self._waiting if w.account.set_running_or_notify_cancel()]
                self._waiting.clear()
            told += others
        for waiting in told:
            waiting.account.set_exception(Busy("the store is away for the moment"))
