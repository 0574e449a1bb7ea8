"""Sums of days and months say what the lines say, wherever they have come to."""

from datetime import timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from filled_ledger import (
    CLAUDE,
    GPT,
    IDLE,
    LLAMA,
    SEARCH,
    SUPPORT,
    at,
    empty_ledger,
    put_cell,
    put_charge,
    put_names,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from jobs.charging import sum_days
from jobs.context import JobContext
from spend.meters import METER_NAMES
from spend.periods import Month, Period, month_period
from spend.slots import SLOT
from store.postgres.sessions import Database
from store.spending import days
from store.spending.booked import booked, booked_commitments, booked_pools
from store.tables.days import charge_days, charge_months, known_routes
from store.tables.ledger import charges, usage_lines
from store.tables.pools import ledgers
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

ZONES = ("UTC", "Asia/Kathmandu", "Australia/Lord_Howe", "Europe/Berlin")
FIRST = at("2026-08-29")
SLOTS = 98 * 96
TOLD: tuple[dict[str, Any], ...] = ({}, {"by_day": True}, {"for_rates_to": "USD"})
"""By the whole period, by day, and by the day of money in other currencies."""
KINDS = ("original", "correction", "allocation", "credit", "true-up", "tax")


def filled(session: Session, random: Random) -> None:
    """Lines of money and of usage from August to December, some booked later."""
    names = [
        put_names(session, *each) for each in ((SEARCH, GPT), (SUPPORT, CLAUDE), (IDLE, LLAMA))
    ]
    for table, values in ((charges, _money), (usage_lines, _usage)):
        rows = [_line(random, names) | values(random) for _ in range(random.randint(1, 40))]
        session.execute(insert(table), rows)


def _line(random: Random, names: list[tuple[int, int]]) -> dict[str, Any]:
    slot = FIRST + random.randrange(SLOTS) * SLOT
    late = random.random() < 0.2
    owner_id, route_id = random.choice(names)
    return {
        "tenant_id": TENANT,
        "slot": slot,
        "booked_slot": slot + random.randrange(96 * 20) * SLOT if late else None,
        "posted_at": at("2026-11-01"),
        "owner_id": owner_id,
        "payer_id": random.choice(names)[0],
        "route_id": route_id,
        "band": 0,
    }


def _money(random: Random) -> dict[str, Any]:
    source = random.choice(("price_id", "pool_id", "commitment_id"))
    return {
        "kind": random.choice(KINDS),
        "meter": random.choice(("input", "idle", "covered")),
        **dict.fromkeys(("price_id", "pool_id", "commitment_id")),
        source: random.randint(1, 2),
        "quantity": random.choice((-5, 0, 5)),
        "list_amount": random.choice((None, 1, -2)),
        **{
            name: random.randint(-(10**15), 10**15)
            for name in ("amount", "contracted_amount", "billed_amount")
        },
        "currency": random.choice(("USD", "EUR")),
        "method": "price-book/2",
    }


def _usage(random: Random) -> dict[str, Any]:
    counts = ("calls", "unmetered_calls", "unpriced_calls", "unpriced_tokens", *METER_NAMES)
    return {"outcome": random.choice((1, 2)), **{name: random.randint(-3, 9) for name in counts}}


def read(session: Session, period: Period, told: dict[str, Any]) -> list[Any]:
    return [
        ask(session, TENANT, period, **told) for ask in (booked, booked_pools, booked_commitments)
    ]


def some_period(random: Random, zone: ZoneInfo) -> Period:
    """A month, a quarter or a year of a zone; or hours to weeks from any slot."""
    if random.random() < 0.4:
        begins = FIRST + random.randrange(SLOTS) * SLOT
        return Period(begins, begins + random.randint(1, random.choice((300, SLOTS))) * SLOT)
    first, last = random.choice(((10, 10), (9, 9), (9, 11), (10, 12), (1, 12)))
    start, end = (month_period(Month(2026, month), zone) for month in (first, last))
    return Period(start.start, end.end)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), zone=st.sampled_from(ZONES), told=st.sampled_from(TOLD))
def test_sums_of_days_and_months_say_what_the_lines_say(
    database: Database, seed: int, zone: str, told: dict[str, Any]
) -> None:
    random = Random(seed)
    period = some_period(random, ZoneInfo(zone))
    with database.write() as session:
        empty_ledger(session)  # the database is the same for every example
        filled(session, random)
        by_lines = read(session, period, told)
        for lines in days.EVERY:
            days.take_in(session, TENANT, lines, at_most=random.randint(1, 30))
            assert read(session, period, told) == by_lines
            days.take_in(session, TENANT, lines, at_most=1000)
        assert read(session, period, told) == by_lines
        assert days.add_up_to_months(session, TENANT, period)
        known = booked(session, TENANT, period, **told, as_known_at=at("2026-11-01") + timedelta(1))
        assert known == by_lines[0]


def test_lines_are_taken_in_once_in_steps(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.write() as session:
        for hour in range(5):
            put_charge(session, f"2026-10-05T{hour:02}:15", "1")
            put_cell(session, f"2026-10-05T{hour:02}:15", posted=f"2026-11-0{hour + 1}")
    monkeypatch.setattr(sum_days, "LINES_AT_ONCE", 2)
    told: list[str] = []
    context = JobContext(database, now=at("2026-11-05"), progress=told.append)
    assert (sum_days.sum_days(context), sum_days.sum_days(context)) == (10, 0)
    assert told[0] == "2 lines taken into the sums of their days"
    with database.read() as session:
        for sums in (charge_days, charge_months):
            assert session.execute(select(sums.c.lines, sums.c.amount)).all() == [(5, 5)]
        assert session.scalar(select(known_routes.c.known_at)) == at("2026-11-01")


def test_a_step_that_is_killed_leaves_the_whole_right(database: Database) -> None:
    context = JobContext(database, now=at("2026-11-05"))
    october = month_period(Month(2026, 10), ZoneInfo("UTC"))
    with database.write() as session:
        put_charge(session, "2026-10-05T10:15", "1")
        put_charge(session, "2026-10-06T10:15", "2")
    with database.engine.connect() as connection, Session(connection) as session:
        days.take_in(session, TENANT, days.MONEY, at_most=1)
        session.rollback()
    for _ in range(2):
        with database.read() as session:
            (row,) = booked(session, TENANT, october)
            assert row.totals.cost == 3
        sum_days.sum_days(context)
    with database.read() as session:
        last = session.scalar(select(func.max(charges.c.id)))
        assert session.scalar(select(ledgers.c.charges_summed_to)) == last
