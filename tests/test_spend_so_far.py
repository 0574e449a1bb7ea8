"""What monitoring is told of the present month is what the ledger says, in few figures."""

from datetime import timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from budgeted import NOW, budget, settings
from filled_ledger import CLAUDE, GPT, LLAMA, SEARCH, SUPPORT, put_cell, put_charge, put_run
from sqlalchemy import insert

from jobs.budgets import evaluate_budgets
from jobs.charging.sum_days import sum_days
from jobs.context import JobContext
from spend.capacity.pool_files import pool_of_fields
from spend.fiscal import Calendar
from spend.folded_groups import OTHER
from store.breakdowns import grouping
from store.capacity import pools
from store.conversion import Conversion
from store.metrics.spend_so_far import SpendSoFar, spend_so_far
from store.postgres.sessions import Database
from store.tables.pools import pool_hours
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

UTC = ZoneInfo("UTC")


def asked(database: Database) -> SpendSoFar:
    telling = Conversion(to="USD", policy="daily", zone=UTC, now=NOW)
    with database.read() as session:
        return spend_so_far(session, TENANT, Calendar(UTC), telling, NOW)


def test_only_what_the_ledger_has_taken_in_is_told(database: Database) -> None:
    with database.write() as session:
        put_cell(session, "2026-10-31T23:45", calls=50, input=7)
        put_charge(session, "2026-10-31T23:45", "50")
        put_cell(session, "2026-11-02T10:00", SEARCH, GPT, calls=4, input=100, output=20)
        put_charge(session, "2026-11-02T10:00", "1.000000000001", SEARCH, GPT)
        put_cell(session, "2026-11-03T10:00", SUPPORT, CLAUDE, calls=2, unpriced=2, input=9)
    sum_days(JobContext(database, now=NOW))
    with database.write() as session:
        put_charge(session, "2026-11-03T11:00", "-0.5", SEARCH, GPT, kind="correction")
        put_cell(session, "2026-11-15T11:45", SEARCH, GPT, calls=99, input=9, charged=False)
        put_charge(session, "2026-11-04T10:00", "7", SEARCH, GPT, currency="JPY")
        put_run(session, "roll", "2026-11-15T11:58")
        put_run(session, "charge", "2026-11-15T11:57")
    found = asked(database)
    assert found.month.name == "2026-11"
    search = found.groups["search", "openai", "gpt-4o"]
    assert search.cost == Decimal("0.500000000001")
    assert (search.calls, search.usage["input"], search.usage["output"]) == (4, 100, 20)
    support = found.groups["support", "anthropic", "claude-sonnet-4-5"]
    assert (support.cost, support.calls, support.unpriced_calls) == (None, 2, 2)
    assert len(found.groups) == 2
    assert found.without_rate == {"JPY": Decimal(7)}
    assert found.complete_until == NOW - timedelta(minutes=3)


def test_budgets_are_told_as_they_were_last_compared(database: Database) -> None:
    budget(database, name="search", amount="10")
    budget(database, name="all", filter={}, amount="1000")
    with database.write() as session:
        put_charge(session, "2026-11-02T10:00", "9", SEARCH, GPT)
    evaluate_budgets.run(JobContext(database, now=NOW, settings=settings()))
    first, second = asked(database).budgets
    assert (first.name, first.spent, first.limit, first.state) == ("search", 9, 10, "warning")
    assert (first.ratio, second.ratio) == (Decimal("0.9"), Decimal("0.009"))
    assert second.name == "all"


def test_pools_are_told_by_their_settled_hours_of_the_month(database: Database) -> None:
    fields = {
        "name": "llama",
        "cost_per_hour": "4",
        "from": "2026-10-01",
        "match": {"provider": ["vllm"]},
    }
    with database.write() as session:
        pool = pools.declare(session, TENANT, pool_of_fields(fields, currency="USD", now=NOW))
        for days, idle in ((20, "4"), (2, "1"), (1, "3")):
            session.execute(
                insert(pool_hours).values(
                    tenant_id=TENANT,
                    pool_id=pool.id,
                    hour=NOW - timedelta(days=days),
                    cost=Decimal(4),
                    billed_amount=Decimal(4),
                    idle=Decimal(idle),
                    components=[],
                    method="work-units-v1",
                    work_units=1,
                    timed_us=0,
                    settled_at=NOW,
                )
            )
    (told,) = asked(database).pools
    assert (told.name, told.hours, told.cost, told.idle) == ("llama", 2, 8, 4)
    assert told.busy_share == Decimal("0.5")


def test_more_groups_than_a_question_may_find_are_told_by_less(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.write() as session:
        for route in (GPT, CLAUDE, LLAMA):
            for owner in (SEARCH, SUPPORT):
                put_charge(session, "2026-11-02T10:00", "1", owner, route)
    monkeypatch.setattr(grouping.added_up, "__kwdefaults__", {"also_by": (), "most": 2})
    found = asked(database)
    assert {place: totals.cost for place, totals in found.groups.items()} == {
        ("search", OTHER, OTHER): 3,
        ("support", OTHER, OTHER): 3,
    }
