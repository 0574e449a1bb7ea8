"""How long a gateway waits for /v1/budgets/check, over a connection that stays open."""

import statistics
import time
from datetime import UTC, datetime
from decimal import Decimal
from http.client import HTTPConnection
from typing import Final

from app.database import opened
from bench.plan import Plan
from bench.running import api, empty_database
from bench.table import Row
from spend.budgets.budget_periods import period_at
from spend.budgets.budget_terms import terms
from spend.budgets.budgets import Terms
from spend.periods import Period
from spend.zones import zone_named
from store.budgets import budgets, standings
from store.budgets.standings import Standing
from store.postgres.sessions import Database
from store.tenants import TENANT

BUDGETS: Final = 1000
"""Of teams; one more is on everything."""
GOAL: Final = 3.0
"""Milliseconds, in the middle."""

_ASKED: Final = 4000


def measure(plan: Plan) -> list[Row]:
    """The middle and the slowest hundredth, with a thousand budgets."""
    with empty_database(plan.server) as url, opened(url, application="bench") as database:
        _fill(database, datetime.now(UTC))
        with api(url) as address:
            waited = _waited(address)
    middle, slow = statistics.median(waited), statistics.quantiles(waited, n=100)[98]
    note = f"{BUDGETS + 1:,} budgets, {_ASKED:,} questions one after the other"
    return [
        Row("budget_check", "a budget check over HTTP", middle, "ms", note, at_most=GOAL),
        Row("budget_check_p99", "the slowest hundredth of them", slow, "ms", note),
    ]


def _fill(database: Database, now: datetime) -> None:
    month = period_at(now, "month", zone_named("UTC"))
    with database.write() as session:
        stand = [_stands(budgets.create(session, TENANT, each, now).id, month) for each in _said()]
        standings.put(session, TENANT, stand, now)


def _said() -> list[Terms]:
    return [
        terms(
            name=f"budget {number}",
            filter={"team": [f"team {number}"]} if number else {},
            amount="1000",
            currency="USD",
            period="month",
            timezone="UTC",
            allow_private=False,
        )
        for number in range(BUDGETS + 1)
    ]


def _stands(budget_id: int, month: Period) -> Standing:
    return Standing(budget_id, 1, month, Decimal(500), Decimal(0), Decimal(1000), "ok")


def _waited(address: str) -> list[float]:
    """Milliseconds of each question."""
    host, _, port = address.rpartition(":")
    connection = HTTPConnection(host, int(port), timeout=30)
    waited: list[float] = []
    for number in range(_ASKED + 10):
        began = time.perf_counter()
        connection.request("GET", f"/v1/budgets/check?team=team+{number % BUDGETS + 1}&model=m")
        answer = connection.getresponse()
        answer.read()
        waited.append((time.perf_counter() - began) * 1000)
        if answer.status != 200:  # noqa: PLR2004  # OK
            raise RuntimeError(f"the API answered {answer.status}")
    # The first ones find nothing in memory.
    return waited[10:]
