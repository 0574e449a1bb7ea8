"""How fast calls are rolled up and priced once they are stored."""

import time
from datetime import UTC, datetime

from app.database import opened
from bench.bodies import calls
from bench.loads import loaded
from bench.plan import Plan
from bench.running import collector, empty_database
from bench.table import Row
from jobs.context import JobContext
from jobs.timetable import run_job
from store.postgres.sessions import Database


def measure(plan: Plan) -> list[Row]:
    """Stores calls for a while, then runs the two jobs by hand."""
    templates = calls(plan.tokens)
    with empty_database(plan.server) as url:
        with collector(url, workers=plan.workers) as running:
            plan.say("calls to settle")
            stored = loaded(plan, running, templates, seconds=plan.seconds / 2).sent.spans
        with opened(url, application="bench") as database:
            return _settled(plan, database, stored)


def _settled(plan: Plan, database: Database, stored: int) -> list[Row]:
    context = JobContext(database, now=datetime.now(UTC), by_hand=True)
    run_job("prices", context)
    rows = []
    for name, what in (("roll", "settled, in cells"), ("charge", "priced, in the ledger")):
        plan.say(f"{name}: {stored:,} calls")
        began = time.perf_counter()
        run_job(name, context)
        took = time.perf_counter() - began
        told = f"{what}: {stored:,} calls in {took:.2f} s"
        rows.append(Row(name, f"{name}, calls/s", stored / took, "/s", told))
    return rows
