"""What a month's report costs, over a million calls and over a hundred times as many."""

import statistics
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.database import opened
from bench.filled_month import fill
from bench.plan import Plan
from bench.running import empty_database
from bench.table import Row
from jobs.charging.sum_days import sum_days
from jobs.context import JobContext
from spend.currencies.exchange import DAILY
from spend.fiscal import Calendar
from store.breakdowns.dimensions import Question
from store.conversion import Conversion
from store.postgres.sessions import Database
from store.spending.spend_by import spend_by
from store.statements.statements import statement_of
from store.tenants import TENANT

TEAMS: Final = 50
MODELS: Final = 3
"""That each team calls, day and night."""
FEW: Final = 1_000_000
MANY: Final = 100 * FEW

_UTC: Final = ZoneInfo("UTC")
_CALENDAR: Final = Calendar(_UTC)
_MONTH: Final = _CALENDAR.named("2026-10")
_NOW: Final = datetime(2026, 11, 2, tzinfo=UTC)
_TURNS: Final = 9


def measure(plan: Plan) -> list[Row]:
    """A statement, and spend by team and model: the medians of some turns."""
    with ExitStack() as held:
        databases = {}
        for calls in (FEW, MANY):
            url = held.enter_context(empty_database(plan.server))
            databases[calls] = held.enter_context(opened(url, application="bench"))
            plan.say(f"a month of {calls:,} calls")
            plan.say(f"{_fill(databases[calls], calls):,} cells")
        return [_row(name, databases, ask) for name, ask in _ASKED.items()]


def _row(name: str, databases: dict[int, Database], ask: Callable[[Session], object]) -> Row:
    taken: dict[int, list[float]] = {calls: [] for calls in databases}
    for _turn in range(_TURNS):
        # In turns: what else the machine does meets both alike.
        for calls, database in databases.items():
            taken[calls].append(_seconds(database, ask))
    few, many = (statistics.median(taken[calls]) for calls in (FEW, MANY))
    return Row(
        f"report_{name}",
        f"{name} of a month, {MANY:,} calls, of {FEW:,}",
        many / few,
        "x",
        f"{many * 1000:.0f} ms of {few * 1000:.0f}",
        at_most=1.2,
    )


def _fill(database: Database, calls: int) -> int:
    period = _MONTH.period
    with database.write() as session:
        session.execute(text("SET LOCAL statement_timeout = 0"))
        cells = fill(
            session, start=period.start, end=period.end, teams=TEAMS, models=MODELS, calls=calls
        )
    sum_days(JobContext(database, now=_NOW))
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("SET statement_timeout = 0"))
        connection.execute(text("VACUUM ANALYZE"))
    return cells


def _seconds(database: Database, ask: Callable[[Session], object]) -> float:
    with database.read() as session:
        began = time.perf_counter()
        ask(session)
        return time.perf_counter() - began


def _spend(session: Session) -> object:
    question = Question(_MONTH.period, _UTC, ("team", "provider", "model"))
    return spend_by(
        session, question, TENANT, Conversion(to="USD", policy=DAILY, zone=_UTC, now=_NOW)
    )


_ASKED: Final[dict[str, Callable[[Session], object]]] = {
    "spend": _spend,
    "statement": partial(
        statement_of, tenant=TENANT, month=_MONTH, calendar=_CALENDAR, currency="USD", now=_NOW
    ),
}
