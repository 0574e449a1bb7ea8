"""How long a round over a thousand budgets takes, and how many statements it makes."""

import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import event

from app.database import opened
from bench import statements
from bench.plan import Plan
from bench.running import empty_database
from bench.table import Row
from jobs.budgets import evaluate_budgets, forecast_budgets
from jobs.context import JobContext
from spend.budgets.budget_terms import terms
from spend.budgets.budgets import Budget, Terms
from store.budgets.budget_rows import put
from store.postgres.sessions import Database
from store.tenants import TENANT

BUDGETS: Final = 1000
TEAMS: Final = 50
MODELS: Final = 30
"""That each team calls."""
MONTHS: Final = 2
"""The present one and the last."""
GOAL: Final = 1000.0
"""Milliseconds."""

_TURNS: Final = 9
_NOW: Final = datetime(2026, 10, 31, 21, 40, tzinfo=UTC)
_SET: Final = _NOW - timedelta(days=365)
_ZONES: Final = ("UTC", "Europe/Berlin", "America/New_York")
_PERIODS: Final = ("month", "month", "month", "week", "day", "quarter")


def measure(plan: Plan) -> list[Row]:
    """Rounds of the job over a month's books: of nothing new, and of more spend for each."""
    with empty_database(plan.server) as url, opened(url, application="bench") as database:
        lines, _seconds = statements.filled(
            database, plan, months=MONTHS, teams=TEAMS, models=MODELS
        )
        with database.write() as session:
            for number in range(BUDGETS):
                put(session, TENANT, Budget(number + 1, 1, said(number), _SET))
        return [round_row(database, lines), forecasts_row(database, lines)]


def said(number: int) -> Terms:
    """Budgets of teams, of models, and of teams with some models; every fourth has a pace."""
    team, model = f"team {number % TEAMS}", f"model {number // TEAMS % MODELS}"
    filters: tuple[dict[str, list[str]], ...] = (
        {"team": [team]},
        {"team": [team], "model": [model, f"model {(number + 1) % MODELS}"]},
        {"model": [model]},
        {"team": [team], "provider": ["openai"]},
    )
    return terms(
        name=f"budget {number}",
        filter=filters[number % len(filters)],
        amount="1000000000",
        currency="USD",
        period=_PERIODS[number % len(_PERIODS)],
        timezone=_ZONES[number % len(_ZONES)],
        pace_thresholds=[200] if number % 4 == 0 else (),
        rollover_cap="1000" if number % 5 == 0 else None,
        allow_private=False,
    )


def round_row(database: Database, lines: int) -> Row:
    """The median of some rounds after the first, which writes where all of them stand."""
    evaluate_budgets.run(JobContext(database, _NOW))
    taken, made = [], 0
    for _turn in range(_TURNS):
        with counted(database) as told:
            began = time.perf_counter()
            evaluate_budgets.run(JobContext(database, _NOW))
            taken.append((time.perf_counter() - began) * 1000)
        made = len(told)
    return Row(
        "budgets",
        f"a round over {BUDGETS:,} budgets",
        statistics.median(taken),
        "ms",
        f"{made} statements, {lines:,} lines of {MONTHS} months; at best {min(taken):.0f} ms",
        at_most=GOAL,
        details={"statements": made},
    )


def forecasts_row(database: Database, lines: int) -> Row:
    """The same of the job that expects what their periods come to, which runs every 15 minutes."""
    taken, made = [], 0
    for _turn in range(_TURNS // 3):
        with counted(database) as told:
            began = time.perf_counter()
            forecast_budgets.run(JobContext(database, _NOW))
            taken.append((time.perf_counter() - began) * 1000)
        made = len(told)
    return Row(
        "forecasting",
        f"forecasts of {BUDGETS:,} budgets",
        statistics.median(taken),
        "ms",
        f"{made} statements, {lines:,} lines of {MONTHS} months; at best {min(taken):.0f} ms",
        details={"statements": made},
    )


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    """The statements that are made meanwhile."""
    told: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        told.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield told
    finally:
        event.remove(database.engine, "before_cursor_execute", note)
