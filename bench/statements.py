"""How fast a month's statement is, of a company with a year of books."""

import statistics
import time
from datetime import UTC, datetime, timedelta
from typing import Final

from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import text

from api.app import create_app
from api.settings import ApiSettings
from app.database import opened
from app.garbage import look_seldom
from bench.filled_month import fill
from bench.plan import Plan
from bench.running import empty_database
from bench.table import Row
from jobs.charging.sum_days import sum_days
from jobs.context import JobContext
from store.postgres.sessions import Database

TEAMS: Final = 50
MODELS: Final = 30
"""That each team calls."""
MONTHS: Final = 12
CALLS_IN_A_SLOT: Final = 0.02
"""Of a team with a model: one quarter hour in fifty has some, nine days in ten."""
GOAL: Final = 300.0
"""Milliseconds."""
GOAL_OF_A_PDF: Final = 2000.0
"""Likewise."""

_TURNS: Final = 9
_TURNS_OF_A_PDF: Final = 3
_END: Final = datetime(2026, 11, 1, tzinfo=UTC)
_NOW: Final = _END + timedelta(days=1)
_ZONES: Final = ("UTC", "Europe/Berlin")


def measure(plan: Plan) -> list[Row]:
    """The last month's statement with the month before, in two zones; and the sums of its days."""
    with empty_database(plan.server) as url, opened(url, application="bench") as database:
        lines, seconds = filled(database, plan, months=MONTHS, teams=TEAMS, models=MODELS)
        summed = Row(
            "sum_days",
            "lines summed by their days",
            lines / seconds,
            "/s",
            f"{lines:,} lines in {seconds:.1f} s",
        )
        return [*(statement_row(database, zone) for zone in _ZONES), pdf_row(database), summed]


def filled(
    database: Database, plan: Plan, *, months: int, teams: int, models: int
) -> tuple[int, float]:
    """Fills books and sums their days; returns how many lines, and how long the sums took."""
    start = _END - timedelta(days=months * 365 / 12)
    slots = int((_END - start) / timedelta(minutes=15))
    plan.say(f"{months} months of {teams} teams with {models} models each")
    with database.write() as session:
        session.execute(text("SET LOCAL statement_timeout = 0"))
        calls = int(slots * teams * models * CALLS_IN_A_SLOT)
        fill(session, start=start, end=_END, teams=teams, models=models, calls=calls)
    began = time.perf_counter()
    lines = sum_days(JobContext(database, now=_NOW))
    seconds = time.perf_counter() - began
    plan.say(f"{lines:,} lines")
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("SET statement_timeout = 0"))
        connection.execute(text("VACUUM ANALYZE"))
    return lines, seconds


def statement_row(database: Database, zone: str) -> Row:
    """A statement as JSON, from the request to the answer: the median of some turns."""
    taken, answer = _asked(database, "2026-10", zone, _TURNS)
    rows = len(answer.json()["rows"])
    return Row(
        f"statement_{zone.rpartition('/')[-1].lower()}",
        f"a month's statement of {zone}, JSON",
        statistics.median(taken),
        "ms",
        f"{rows:,} lines beside the month before, of {MONTHS} months; at best {min(taken):.0f} ms",
        at_most=GOAL,
    )


def pdf_row(database: Database) -> Row:
    """The same as PDF."""
    taken, answer = _asked(database, "2026-10.pdf", "UTC", _TURNS_OF_A_PDF)
    return Row(
        "statement_pdf",
        "a month's statement, PDF",
        statistics.median(taken),
        "ms",
        f"{len(answer.content):,} bytes; at best {min(taken):.0f} ms",
        at_most=GOAL_OF_A_PDF,
    )


def _asked(database: Database, path: str, zone: str, turns: int) -> tuple[list[float], Response]:
    """Milliseconds of each turn, and the last answer."""
    app = create_app(database, ApiSettings(), lambda: _NOW)
    taken = []
    look_seldom()  # as app/commands/api.py does
    with TestClient(app) as client:
        for _turn in range(turns):
            began = time.perf_counter()
            answer = client.get(f"/v1/statements/{path}", params={"timezone": zone})
            taken.append((time.perf_counter() - began) * 1000)
            answer.raise_for_status()
    return taken, answer
