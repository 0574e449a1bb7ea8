"""How fast charged time is priced again while calls are heard, rolled up and charged."""

import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from sqlalchemy import text, update

from app.database import opened
from bench.bodies import calls
from bench.filled_month import CHARGED, fill
from bench.loads import loaded, warm_up
from bench.plan import Plan
from bench.running import collector, empty_database, jobs
from bench.sending import Sender
from bench.table import Row
from jobs.charging import reprice
from jobs.context import JobContext
from jobs.timetable import run_job
from spend.prices.prices import CONTRACT, PriceLine
from spend.prices.repricings import Repricing
from store.postgres.sessions import Database
from store.prices import books, repricings
from store.tables.rollups import cells as cells_table
from store.tenants import TENANT

TEAMS: Final = 50
MODELS: Final = 3
"""That each team calls, day and night."""
CALLS_A_DAY: Final = 10_000_000 // 31
DAYS: Final = 31
DAYS_IN_SHORT: Final = 3
GOAL: Final = 10_000_000 / 60
"""Calls a second."""
REQUESTS_A_SECOND: Final = 10

_START: Final = datetime(2026, 10, 1, tzinfo=UTC)
_KNOWN: Final = _START - timedelta(days=1)


def measure(plan: Plan) -> list[Row]:
    """Prices a month (in short, three days) of calls again, with a new price of one meter."""
    days = DAYS if plan.minutes else DAYS_IN_SHORT
    end = _START + timedelta(days=days)
    count = CALLS_A_DAY * days
    with empty_database(plan.server) as url, opened(url, application="bench") as database:
        plan.say(f"{days} days of {count:,} calls")
        cells = _filled(database, end, count)
        with collector(url, workers=plan.workers) as running, jobs(url):
            templates = calls(plan.tokens)
            warm_up(plan, running, templates)
            plan.say(f"priced again: {cells:,} cells")
            done: list[tuple[float, Repricing]] = []

            def meanwhile(_sender: Sender) -> None:
                done.append(_reprice(database, end))

            sent = loaded(
                plan,
                running,
                templates,
                seconds=60.0 if plan.minutes else plan.seconds,
                requests_a_second=REQUESTS_A_SECOND,
                meanwhile=meanwhile,
            ).sent
    took, repriced = done[0]
    return [
        Row(
            "reprice",
            "priced again beside ingest, calls/s",
            count / took,
            "/s",
            f"{count:,} calls, {cells:,} cells, {repriced.lines:,} corrections in {took:.1f} s,"
            f" while {sent.spans_a_second:,.0f} calls/s are heard",
            at_least=GOAL,
            details={"seconds": took, "cells": cells, "lines": repriced.lines},
        )
    ]


def _filled(database: Database, end: datetime, count: int) -> int:
    """Cells of these days with their charges, by prices that are known; returns how many."""
    with database.write() as session:
        session.execute(text("SET LOCAL statement_timeout = 0"))
        books.enter_contract(session, TENANT, _prices("2.5"), now=_KNOWN)
        cells = fill(
            session, start=_START, end=end, teams=TEAMS, models=MODELS, calls=count, charged=False
        )
        session.execute(update(cells_table).values(charged=False))
    run_job("charge", JobContext(database, now=end, by_hand=True))
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("SET statement_timeout = 0"))
        connection.execute(text("VACUUM ANALYZE"))
    with database.write() as session:
        books.enter_contract(session, TENANT, _prices("2.125"), now=end)
    return cells


def _prices(of_input: str) -> list[PriceLine]:
    by_meter = {"input": of_input, "cache_read": "0.25", "output": "10"}
    return [
        PriceLine(
            book=CONTRACT,
            provider="openai",
            model=f"model {number}",
            meter=meter,
            unit_price=Decimal(by_meter[meter]),
            currency="USD",
            valid_from=_START,
            source="bench",
        )
        for number in range(MODELS)
        for meter in CHARGED
    ]


def _reprice(database: Database, end: datetime) -> tuple[float, Repricing]:
    """Seconds, and the re-pricing, that the command takes; the job of the clock may help."""
    began = time.perf_counter()
    now = datetime.now(UTC)
    with database.write() as session:
        asked = repricings.request(session, TENANT, _START, end, dry_run=False, now=now)
    for step in reprice.steps(JobContext(database, now=now, by_hand=True)):
        if step.id == asked.id and step.finished_at:
            break
    with database.read() as session:
        done = repricings.one(session, TENANT, asked.id)
    if done is None or done.finished_at is None:
        raise TimeoutError("the re-pricing is not through")
    return time.perf_counter() - began, done
