"""What was spent comes from sums of days to the last digit as it does from lines and cells."""

from itertools import product
from zoneinfo import ZoneInfo

import pytest
from filled_ledger import CLAUDE, GPT, LLAMA, SEARCH, SUPPORT, at, put_cell, put_charge

from jobs.charging.sum_days import sum_days
from jobs.context import JobContext
from spend.periods import Month, month_period
from store.breakdowns.dimensions import Question
from store.conversion import Conversion
from store.postgres.sessions import Database
from store.spending.spend_by import spend_by, spend_by_days
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

NOW = "2026-11-02T12:00"
ASKED = [
    ("provider", "model", "deployment"),
    ("month", "team"),
    ("day", "model"),
    (),
]
FILTERS: list[dict[str, tuple[str, ...]]] = [
    {},
    {"model": ("gpt-4o",), "day": ("2026-10-01", "2026-10-25", "2026-10-31")},
]
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata")


def fill(database: Database) -> None:
    """Usage on and around the edges of a month in any zone; some of it late, some waiting."""
    slots = [
        "09-30T17:00",
        "09-30T23:45",
        "10-01T00:00",
        "10-01T04:15",
        "10-24T22:30",
        "10-25T12:00",
    ]
    slots += ["10-31T18:30", "10-31T22:45", "10-31T23:15", "11-01T03:30"]
    with database.write() as session:
        for place, slot in enumerate(slots, 1):
            for owner, route in ((SEARCH, GPT), (SUPPORT, CLAUDE)):
                put_cell(session, f"2026-{slot}", owner, route, calls=place, input=100 * place)
                put_charge(session, f"2026-{slot}", f"{place}.000000000001", owner, route)
        put_cell(session, "2026-10-20T10:00", SEARCH, LLAMA, calls=3, unpriced=3, unmetered=3)
    sum_days(JobContext(database, now=at(NOW)))
    with database.write() as session:
        put_charge(session, "2026-10-03T10:00", "5", listed="7", booked="2026-11-01T00:00")
        put_charge(session, "2026-10-04T10:00", "0.5", SEARCH, GPT, listed="1", kind="correction")
        put_cell(session, "2026-10-31T23:30", SEARCH, GPT, calls=2, input=5, charged=False)


def test_sums_of_days_tell_what_lines_do(database: Database) -> None:
    fill(database)
    with database.read() as session:
        for zone in map(ZoneInfo, ZONES):
            period = month_period(Month(2026, 10), zone)
            asked = Conversion(to="USD", policy="daily", zone=zone, now=at(NOW))
            for group_by, filters in product(ASKED, FILTERS):
                question = Question(period, zone, group_by, filters)
                lines = spend_by(session, question, TENANT, asked)
                assert spend_by_days(session, question, TENANT, asked) == lines
                assert lines.groups
