"""How long the server works for each page, of a company with ten million calls a month."""

import gzip
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from fastapi.testclient import TestClient
from sqlalchemy import text

from api.app import create_app
from api.pages import assets
from api.pages.charts import forget_drawings
from api.settings import ApiSettings
from app.database import opened
from app.garbage import look_seldom
from bench.filled_month import fill
from bench.pages_beside import fill_beside, places
from bench.plan import Plan
from bench.running import empty_database
from bench.table import Row
from jobs.charging.sum_days import sum_days
from jobs.context import JobContext
from spend.budgets.budget_terms import terms
from spend.budgets.budgets import Terms
from spend.histograms import bucket_of
from store.budgets import budgets
from store.postgres import partitions
from store.postgres.sessions import Database
from store.tables.rollups import LATENCY, TTFT
from store.tenants import TENANT

TEAMS: Final = 50
MODELS: Final = 3
CALLS: Final = 10_000_000
"""Of each of two months."""
CALLS_OF_A_DAY: Final = 330_000
"""That can be listed one by one: of the last day."""
GOAL: Final = 150.0
"""Milliseconds of the server, of nineteen answers in twenty."""
GOAL_OF_BYTES: Final = 350.0
"""Kilobytes of a first visit, compressed."""

_TURNS: Final = 20
_START: Final = datetime(2026, 9, 1, tzinfo=UTC)
_END: Final = datetime(2026, 11, 1, tzinfo=UTC)
_NOW: Final = _END - timedelta(hours=1)

PAGES: Final = {
    "overview": "/",
    "explore": "/explore",
    "explore_models": "/explore?group_by=team,model&from=2026-09-01&to=2026-11-01",
    "calls": "/calls",
    "explore_compared": "/explore?from=2026-10-01&to=2026-11-01&compare=month",
    "explore_new_york": "/explore?timezone=America/New_York",
    "performance": "/performance",
    "frontier": "/performance/frontier",
    "side_by_side": "/performance/side-by-side",
    "traces": "/traces",
    "trace": "/traces/{trace}",
    "call": "/calls/{trace}/{span}",
    "teams": "/teams",
    "team": "/teams/team%207",
    "statement": "/statements/2026-10",
    "budgets": "/budgets",
    "budget": "/budgets/{budget}",
    "alerts": "/alerts",
    "models": "/models",
    "model": "/models/one?provider=openai&model=model+1",
    "prices": "/prices",
    "unpriced": "/prices/unpriced",
    "capacity": "/capacity",
    "pool": "/capacity/{pool}",
    "pool_hours": "/capacity/{pool}/hours",
    "what_if": "/what-if?month=2026-10&target=anthropic/another&by=team",
    "reconciliation": "/reconciliation",
    "bill": "/reconciliation/{bill}",
    "months": "/months",
    "ownership": "/settings/ownership",
}

_BUCKETS: Final = """
    INSERT INTO buckets (tenant_id, slot, owner_id, route_id, measure, bucket, calls)
    SELECT tenant_id, slot, owner_id, route_id, measure, bucket, calls
    FROM cells CROSS JOIN unnest(CAST(:measures AS int[]), CAST(:buckets AS int[]))
        _(measure, bucket)
"""
_SIGHTINGS: Final = """
    INSERT INTO sightings (trace_id, span_id, start_at, owner_id, route_id, batch_id, tenant_id,
        day, emitter_id, duration_us, ttft_us, input, output)
    SELECT CAST(md5(CAST(number / 3 AS text)) AS uuid), number,
        CAST(:day AS timestamptz) + number * interval '0.2 seconds', owner_id, route_id, 0,
        :tenant, CAST(:day AS date), 0, 1000000 + number % 5000000, 300000, 1200, 250
    FROM generate_series(1, :calls) number
    JOIN (SELECT row_number() OVER () AS place, owner_id, route_id FROM
        (SELECT DISTINCT owner_id, route_id FROM cells) found) owned
        ON owned.place = 1 + number % (SELECT count(*) FROM
            (SELECT DISTINCT owner_id, route_id FROM cells) counted)
"""


def measure(plan: Plan) -> list[Row]:
    """Every page in turns: the slowest twentieth, its charts drawn anew each time."""
    with empty_database(plan.server) as url, opened(url, application="bench") as database:
        _fill(database, plan)
        app = create_app(database, ApiSettings(), lambda: _NOW)
        look_seldom()  # as app/commands/api.py does
        with TestClient(app) as client:
            fill_beside(database, client, _START, _NOW)
            place = places(database)
            return [*(_row(client, name, path.format(**place)) for name, path in PAGES.items())]


def _row(client: TestClient, name: str, path: str) -> Row:
    def ask() -> bytes:
        answer = client.get(path, headers={"Accept": "text/html"})
        answer.raise_for_status()
        return answer.content

    anew, body = _taken(ask, forget_drawings)
    again, _ = _taken(ask, lambda: None)
    loaded = [len(gzip.compress(body, 5)), len(assets.STYLE.packed), len(assets.SCRIPT.packed)]
    if b'class="chart"' in body:
        loaded.append(len(assets.VEGA.packed))
    return Row(
        f"page_{name}",
        f"page {path.partition('?')[0] if '-' not in path[8:40] else name}",
        anew[-2],
        "ms",
        f"median {statistics.median(anew):.0f}, with its charts drawn before"
        f" {statistics.median(again):.0f}; {sum(loaded) / 1000:.0f} kB of {GOAL_OF_BYTES:.0f}"
        f" on a first visit, {loaded[0] / 1000:.0f} of them its own",
        at_most=GOAL,
    )


def _taken(ask: Callable[[], bytes], before: Callable[[], None]) -> tuple[list[float], bytes]:
    """Milliseconds of each turn, the quickest first, and the last answer."""
    ask()
    taken, body = [], b""
    for _turn in range(_TURNS):
        before()
        began = time.perf_counter()
        body = ask()
        taken.append((time.perf_counter() - began) * 1000)
    return sorted(taken), body


def _fill(database: Database, plan: Plan) -> None:
    plan.say(f"two months of {CALLS:,} calls each, {TEAMS} teams, {MODELS} models")
    last = _END.date() - timedelta(days=1)
    with database.write() as session:
        session.execute(text("SET LOCAL statement_timeout = 0"))
        fill(session, start=_START, end=_END, teams=TEAMS, models=MODELS, calls=2 * CALLS)
        session.execute(
            text(_BUCKETS),
            {
                "measures": [LATENCY, LATENCY, TTFT],
                "buckets": [bucket_of(1_200_000), bucket_of(4_000_000), bucket_of(300_000)],
            },
        )
        partitions.ensure(session, last, last)
        session.execute(text(_SIGHTINGS), {"day": last, "calls": CALLS_OF_A_DAY, "tenant": TENANT})
        for number in range(TEAMS):
            budgets.create(session, TENANT, _budget(f"team {number}"), _START)
    plan.say("sums of days")
    sum_days(JobContext(database, now=_NOW))
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("SET statement_timeout = 0"))
        connection.execute(text("VACUUM ANALYZE"))


def _budget(team: str) -> Terms:
    return terms(
        name=team,
        filter={"team": [team]},
        amount="1000",
        currency="USD",
        period="month",
        timezone="UTC",
        allow_private=False,
    )
