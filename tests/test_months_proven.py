"""Whoever changes anything of a closed month is seen, and told which month and which part."""

import json
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from budgeted import budget
from closed_months import NOW, broken, close, filled, settle, tampered
from filled_ledger import GPT, SEARCH, SUPPORT, asking, at, put_cell, put_charge
from owned import apply, moved, rules, use
from sqlalchemy import insert, select, update

from jobs.charging import reprice
from jobs.context import JobContext
from spend.calls import Outcome
from spend.currencies.exchange import ExchangeRate
from spend.currencies.rate_files import WrittenRate
from spend.months.month_records import canonical, sha256_of
from spend.prices.prices import CONTRACT, PriceLine
from store import rates
from store.postgres.sessions import Database
from store.prices import books, repricings
from store.tables.ledger import charges, usage_lines
from store.tables.months import months
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

LATER = "2026-11-21"
OF_SEPTEMBER = "WHERE slot >= '2026-09-01' AND slot < '2026-10-01'"
ON_THE_LEDGER = [
    "UPDATE charges SET amount = amount + 0.000000000001",
    "UPDATE charges SET billed_amount = 0",
    "UPDATE charges SET list_amount = 1",
    "UPDATE charges SET payer_id = payer_id + 1",
    "UPDATE charges SET booked_slot = '2026-11-01'",
    "UPDATE charges SET slot = slot + interval '1 day'",
    "UPDATE charges SET posted_at = posted_at + interval '1 second'",
    "UPDATE charges SET unit_price = 2",
    "UPDATE charges SET method = 'gift'",
    "UPDATE charges SET id = id + 1000",
    "DELETE FROM charges",
]
ON_USAGE = [
    "UPDATE usage_lines SET calls = calls + 1",
    "UPDATE usage_lines SET reasoning = 1",
    "UPDATE usage_lines SET booked_slot = '2026-11-01'",
    "DELETE FROM usage_lines",
]


@pytest.fixture
def closed(database: Database) -> Database:
    """August is before the first closed month; October has a line that belongs to September."""
    filled(database)
    close(database, "2026-09")
    use(database, "2026-09-11T08:00", SEARCH, 5)
    settle(database)
    close(database, "2026-10")
    assert broken(database) == []
    return database


def test_a_line_changed_or_added_in_closed_time_is_seen(closed: Database) -> None:
    for changes, part in ((ON_THE_LEDGER, "ledger lines"), (ON_USAGE, "usage lines")):
        for change in changes:
            seen = tampered(closed, f"{change} {OF_SEPTEMBER} AND booked_slot IS NULL")
            assert ("2026-09", part) in seen, (change, seen)
    # A line of September in the books of October: its months are told apart.
    late = "UPDATE charges SET amount = 6 WHERE booked_slot IS NOT NULL"
    assert tampered(closed, late) == {
        ("2026-10", "ledger lines"),
        ("2026-10", "statement"),
    }
    # Time before the first closed month is closed with it.
    august = "UPDATE charges SET amount = 6 WHERE slot < '2026-09-01'"
    assert tampered(closed, august) == {("2026-09", "ledger lines")}
    for table, part in ((charges, "ledger lines"), (usage_lines, "usage lines")):
        more = select(*(column for column in table.c if column.name != "id")).limit(1)
        names = [column.name for column in more.selected_columns]
        of_september = more.where(table.c.slot == at("2026-09-10T08:00"))
        seen = tampered(closed, insert(table).from_select(names, of_september))
        assert ("2026-09", part) in seen


def test_other_changes_that_would_alter_what_is_reported_are_seen(closed: Database) -> None:
    assert tampered(closed, "UPDATE owners SET team = 'someone' WHERE team = 'search'") == {
        ("2026-09", "statement"),
        ("2026-10", "statement"),
    }
    for sums, day in (("charge_days", "10"), ("charge_months", "01")):
        change = f"UPDATE {sums} SET amount = 0 WHERE day = '2026-09-{day}'"  # noqa: S608  # above
        assert tampered(closed, change) == {("2026-09", "sums of days")}
    assert tampered(closed, "UPDATE ledgers SET open_from = '2026-10-01'") == {("2026-10", "bound")}
    assert tampered(closed, "UPDATE month_acts SET by = 'nobody' WHERE month = '2026-09'") == {
        ("2026-09", "history")
    }


def test_a_changed_record_breaks_its_month_and_the_link_to_it(closed: Database) -> None:
    with closed.read() as session:
        record = json.loads(
            session.scalars(select(months.c.record).where(months.c.name == "2026-09")).one() or ""
        )
    assert tampered(
        closed,
        """UPDATE months SET record = replace(record, '"ann"', '"bob"')
        WHERE name = '2026-09'""",
    ) == {("2026-09", "record")}
    record["sums"]["USD"]["billed"] = "0.00"
    forged = canonical(record)
    # Also where the hash is made to fit: the next month holds the one of before.
    fits = update(months).values(record=forged, hash=sha256_of(forged))
    assert tampered(closed, fits.where(months.c.name == "2026-09")) == {("2026-10", "link")}
    ends = "UPDATE months SET ends = ends - interval '1 day' WHERE name = '2026-09'"
    assert tampered(closed, ends) == {("2026-09", "record"), ("2026-10", "link")}
    assert tampered(closed, "DELETE FROM months WHERE name = '2026-09'") == {
        ("2026-09", "record"),
        ("2026-10", "link"),
    }
    assert ("2026-10", "record") in tampered(closed, "DELETE FROM months WHERE name = '2026-10'")


def rate(database: Database, day: str, value: str, moment: datetime) -> None:
    said = ExchangeRate(
        from_currency="EUR",
        to_currency="USD",
        day=date.fromisoformat(day),
        rate=Decimal(value),
        source="test",
    )
    with database.write() as session:
        written = [WrittenRate(1, "rate", said)]
        rates.enter(session, TENANT, written, correct=True, clock=lambda: moment)


def statement(database: Database, month: str, **settings: str) -> dict[str, Any]:
    client = asking(database, now=LATER, **settings)
    found: dict[str, Any] = client.get(f"/v1/statements/{month}").json()
    return found


def test_a_closed_month_does_not_move_whatever_comes_late(database: Database) -> None:
    filled(database)
    failed = replace(GPT, model="gpt-5", request_model="gpt-5")
    with database.write() as session:
        put_charge(session, "2026-09-15", "10", SUPPORT, GPT, currency="EUR")
        put_cell(session, "2026-09-16", SUPPORT, failed, charged=False, outcome=Outcome.TIMEOUT)
    rate(database, "2026-09-15", "1.1", NOW)
    settle(database)
    close(database, "2026-09")
    told = statement(database, "2026-09")
    assert (told["total"]["cost"], told["state"]) == ("31.00", "closed")

    later = NOW + timedelta(hours=1)
    use(database, "2026-08-11T08:00", SEARCH, 3)
    use(database, "2026-09-11T08:00", SEARCH, 4)
    with database.write() as session:
        # The name that failures stand under becomes known.
        answered = replace(GPT, model="gpt-5-2026", request_model="gpt-5")
        put_cell(session, "2026-09-20", SUPPORT, answered, input=5, charged=False)
        line = PriceLine(
            book=CONTRACT,
            provider="acme",
            model="a",
            meter="input",
            unit_price=Decimal(3_000_000),
            currency="USD",
            valid_from=at("2026-08-01"),
            source="test",
        )
        books.enter_contract(session, TENANT, [line], now=later)
        starts, ends = at("2026-08-01"), at("2026-11-01")
        repricings.request(session, TENANT, starts, ends, dry_run=False, now=later)
    rate(database, "2026-09-15", "9.9", later)
    budget(database, created=later, name="late")
    apply(database, rules(moved("search", "support")), later)
    settle(database, later)
    reprice.run(JobContext(database, now=later))
    settle(database, later)
    assert broken(database) == []
    assert statement(database, "2026-09") == told
    changed = {"currency": "EUR", "rate_policy": "period-end"}
    assert statement(database, "2026-09", **changed) == told
    assert statement(database, "2026-10", **changed)["currency"] == "EUR"
    close(database, "2026-10", "all", clock=lambda: later)
    assert broken(database) == []
    assert statement(database, "2026-10")["total"]["cost"] != "30.00"
