"""What calls really cost, beside what-if: from sums of days to the last digit as from lines."""

from zoneinfo import ZoneInfo

import pytest
from filled_ledger import CLAUDE, GPT, LLAMA, SEARCH, SUPPORT, at, put_cell, put_charge
from sqlalchemy import insert
from test_reports_read_rollups import scans

from jobs.charging.sum_days import sum_days
from jobs.context import JobContext
from spend.calls import Owner
from spend.capacity.what_if import Here, Key
from spend.periods import Month, month_period
from store.breakdowns.dimensions import Question
from store.capacity.what_if_calls import here
from store.postgres.sessions import Database
from store.tables.ownership import splits
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

NOW = at("2026-11-02T12:00")
SLOTS = ("09-30T22:30", "10-01T00:00", "10-25T12:00", "10-31T22:45", "10-31T23:15")
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata")
QUESTIONS = (("team", "model"), ("day",), ())


def fill(database: Database) -> None:
    """Calls of an API and of a pool on the edges of a month, and what is of no call."""
    idle, unused = Owner(team="idle"), Owner(team="unused")
    with database.write() as session:
        for place, slot in enumerate((f"2026-{each}" for each in SLOTS), 1):
            for owner in (SEARCH, SUPPORT):
                put_cell(session, slot, owner, GPT, calls=place, input=100)
                put_charge(session, slot, f"{place}.000000000001", owner, GPT)
                put_cell(session, slot, owner, LLAMA, calls=place, input=100)
                put_charge(session, slot, f"{place}.5", owner, LLAMA, meter="pool", pool_id=1)
            put_charge(session, slot, "7", idle, LLAMA, meter="idle", pool_id=1)
            put_charge(session, slot, "-2", SEARCH, GPT, meter="covered", commitment_id=1)
            put_charge(session, slot, "9", unused, GPT, meter="unused", commitment_id=1)
        # Of a team and model that New York's month has calls of, and the day before it the charge.
        put_charge(session, "2026-10-01T02:00", "4", SUPPORT, CLAUDE)
        put_cell(session, "2026-10-01T05:00", SUPPORT, CLAUDE, input=1)
        put_charge(session, "2026-10-05", "3", SEARCH, GPT, currency="EUR")
    sum_days(JobContext(database, now=NOW))
    with database.write() as session:
        put_charge(session, "2026-10-04T10:00", "0.5", SEARCH, GPT, kind="correction")
        put_charge(session, "2026-10-06", "1", SEARCH, GPT, booked="2026-11-01")


def costs(database: Database, zone: str, group_by: tuple[str, ...]) -> dict[Key, Here]:
    period = month_period(Month(2026, 10), ZoneInfo(zone))
    question = Question(period, ZoneInfo(zone), group_by)
    with database.read() as session:
        return here(session, question, TENANT, currency="USD", now=NOW)[0]


def test_real_costs_come_from_sums_of_days_as_they_do_from_lines(database: Database) -> None:
    fill(database)
    asked = [(zone, by) for zone in ZONES for by in QUESTIONS]
    by_days = [costs(database, *each) for each in asked]
    with database.write() as session:
        # Shared costs are in the sums of days like all others: then lines are read.
        session.execute(insert(splits).values(tenant_id=TENANT, id=1, name="shared", terms={}))
    by_lines = [costs(database, *each) for each in asked]
    assert by_days == by_lines
    assert all(each for each in by_lines)
    assert any(cost.idle_cost for cost in by_lines[0].values())


def test_real_costs_of_a_month_read_no_line_but_those_that_no_sum_has(database: Database) -> None:
    fill(database)
    with scans(database) as found:
        costs(database, "UTC", ("team",))
    assert any(table == "charge_days" for _how, table, _said in found)
    read = [said for _how, table, said in found if table == "charges"]
    assert all("charges.id > " in said for said in read)
