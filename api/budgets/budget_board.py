"""Where all budgets stand, in memory: for a gateway that asks before every call.

Read from the database at most every FRESH seconds, by one thread at a time, and only while
somebody asks. Who asks is remembered as long, so that a key costs no query either. While the
database is away the last that was read is answered, with its time.
"""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Final, cast

import structlog
from fastapi import Request
from sqlalchemy.exc import SQLAlchemyError

from api.auth import Caller
from spend.budgets.budget_checks import Checked
from spend.budgets.budgets import Budget
from spend.budgets.rollover import limit
from store.budgets import budgets
from store.budgets.standings import Standing, standings
from store.postgres.sessions import Database

log = structlog.get_logger(__name__)

FRESH: Final = 2.0
"""Seconds for which what was read, and who asks, is good without a look."""
USABLE: Final = 10.0
"""Seconds for which it is answered while another thread looks."""
MOST_CALLERS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Board:
    """All budgets in force, as they were read at a moment."""

    held: tuple[Checked, ...]
    as_of: datetime | None
    """Everything heard before (UTC) is counted; None: nothing was compared yet."""
    read_at: datetime
    """UTC."""


def boards_of(request: Request) -> "Boards":
    """The boards that the application was made with."""
    return cast("Boards", request.app.state.boards)


class Boards:
    """The latest board of one database. Any thread may ask."""

    def __init__(self, database: Database, tenant: int) -> None:
        self._database = database
        self._tenant = tenant
        self._reading = Lock()
        self._board: Board | None = None
        self._read = float("-inf")
        self._callers: dict[bytes, tuple[Caller, float]] = {}

    def board(self, now: Callable[[], datetime]) -> Board:
        """The board, at most USABLE seconds old; older only while the database is away.

        Raises SQLAlchemyError when it is away and nothing was ever read.
        """
        board, age = self._board, time.monotonic() - self._read
        if board is not None and age < FRESH:
            return board
        # One reads; who comes meanwhile takes what is there, unless that is too old.
        if not self._reading.acquire(blocking=board is None or age > USABLE):
            assert board is not None  # noqa: S101  # else it had waited
            return board
        try:
            if self._board is not None and time.monotonic() - self._read < FRESH:
                return self._board  # read by whom we waited for
            return self._look(now())
        finally:
            self._reading.release()

    def caller(self, shown: str, host: str, ask: Callable[[], Caller]) -> Caller:
        """Who asks and shows this (key or cookie) at this host, as ``ask`` says, or said just now.

        A key that is revoked is good for FRESH seconds more; while the database is away, who was
        known is.
        """
        seen_as = hashlib.sha256(f"{host}\0{shown}".encode()).digest()
        known = self._callers.get(seen_as)
        if known is not None and time.monotonic() - known[1] < FRESH:
            return known[0]
        try:
            caller = ask()
        except SQLAlchemyError:
            if known is None:
                raise
            return known[0]
        except Exception:
            self._callers.pop(seen_as, None)
            raise
        if len(self._callers) >= MOST_CALLERS:
            self._callers.clear()
        self._callers[seen_as] = caller, time.monotonic()
        return caller

    def _look(self, now: datetime) -> Board:
        try:
            with self._database.read() as session:
                stand = {each.budget_id: each for each in standings(session, self._tenant)}
                found = budgets.all_in_force(session, self._tenant, now)
        except SQLAlchemyError:
            if self._board is None:
                raise
            log.warning("where budgets stand could not be read", exc_info=True)
            self._read = time.monotonic()  # not asked again at once
            return self._board
        held = tuple(_checked(each, stand.get(each.id)) for each in found)
        compared = [each.as_of for each in stand.values() if each.as_of is not None]
        self._board = Board(held, max(compared, default=None), now)
        self._read = time.monotonic()
        return self._board


def _checked(budget: Budget, stands: Standing | None) -> Checked:
    # A standing of terms that measured something else says nothing of these.
    if stands is None or stands.version < budget.armed:
        return Checked(budget, budget.terms.amount, None, None)
    within = limit(budget.terms.amount, stands.rolled_in)
    return Checked(budget, within, stands.period, stands.spent)
