"""What is read of a period's books: by the time a line is booked in, with what it belongs to."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from filled_ledger import GPT, IDLE, LLAMA, SEARCH, SUPPORT, at, put_cell, put_charge
from sqlalchemy import insert

from spend.booked import Booked, BookedCommitment, BookedPool, spent
from spend.calls import Outcome, Route
from spend.commitments.commitments import PURCHASE_OWNER, UNUSED_OWNER
from spend.periods import Period
from store.postgres.sessions import Database
from store.spending.booked import booked, booked_commitments, booked_pools
from store.tables.ledger import charges
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

OCTOBER = Period(at("2026-10-01"), at("2026-11-01"))
NOVEMBER = Period(at("2026-11-01"), at("2026-12-01"))
ROUTE = Route(provider="openai", model=None, operation=None, deployment=None)


def books(database: Database, period: Period = OCTOBER, **how: Any) -> list[Booked]:
    with database.read() as session:
        return booked(session, TENANT, period, **how)


def money(rows: list[Booked]) -> list[tuple[Any, ...]]:
    return [
        (row.team, row.kind, row.currency, row.belongs_to, row.day, row.totals.cost)
        for row in rows
        if row.currency
    ]


def test_money_and_usage_of_a_team_and_model_are_told_apart(database: Database) -> None:
    with database.write() as session:
        put_cell(session, "2026-10-05T10:15", calls=3, input=10, output=2)
        put_cell(session, "2026-10-05T10:15", calls=1, outcome=Outcome.RATE_LIMITED)
        put_charge(session, "2026-10-05T10:15", "1.5", listed="2", contracted="1.8", billed="0")
        put_charge(session, "2026-10-31T23:45", "0.5", kind="correction", listed="0.5")
        put_charge(session, "2026-11-01T00:00", "7")
    paid, used = books(database)
    assert (paid.team, paid.provider, paid.model) == ("search", "openai", "gpt-4o")
    assert (paid.deployment, paid.region, paid.kind) == ("api", "us", "usage")
    costs = paid.totals
    assert (costs.cost, costs.list_cost) == (Decimal(2), Decimal("2.5"))
    assert (costs.contracted_cost, costs.billed_cost) == (Decimal("2.3"), Decimal("0.5"))
    assert (used.kind, used.currency, used.totals.cost) == (None, None, None)
    assert (used.totals.calls, used.totals.errors) == (4, 1)
    assert (used.totals.usage["input"], used.totals.usage["output"]) == (10, 2)


def test_what_is_booked_later_says_which_day_it_belongs_to(database: Database) -> None:
    late = {"booked": "2026-11-01", "posted": "2026-11-04"}
    with database.write() as session:
        put_charge(session, "2026-10-05T10:15", "1")
        put_charge(session, "2026-10-05T10:15", "2", kind="correction", **late)
        put_cell(session, "2026-10-05T10:15", calls=2, **late)
        put_charge(session, "2026-11-02T00:15", "4")
    assert money(books(database)) == [("search", "usage", "USD", None, None, 1)]
    corrected, own, used = books(database, NOVEMBER)
    assert corrected.belongs_to == used.belongs_to == date(2026, 10, 5)
    assert (corrected.totals.cost, own.belongs_to, own.totals.cost) == (2, None, 4)


def test_kinds_currencies_and_days_are_kept_apart(database: Database) -> None:
    with database.write() as session:
        for kind in ("original", "allocation", "true-up", "credit", "tax"):
            put_charge(session, "2026-10-05T10:15", "1", kind=kind)
        put_charge(session, "2026-10-06T00:00", "1", currency="EUR")
    fifth, sixth = date(2026, 10, 5), date(2026, 10, 6)
    assert sorted(money(books(database, by_day=True)), key=str) == [
        ("search", "credit", "USD", None, fifth, 1),
        ("search", "tax", "USD", None, fifth, 1),
        ("search", "true-up", "USD", None, fifth, 1),
        ("search", "usage", "EUR", None, sixth, 1),
        ("search", "usage", "USD", None, fifth, 2),
    ]


def test_unknown_is_not_nothing(database: Database) -> None:
    with database.write() as session:
        put_charge(session, "2026-10-05T10:15", "1", listed="1")
        put_charge(session, "2026-10-05T10:15", "0", SUPPORT, listed="0", billed="3")
        put_charge(session, "2026-10-05T10:15", "1", SEARCH, LLAMA)
        put_charge(session, "2026-10-05T10:15", "2", IDLE)
        put_charge(session, "2026-10-05T10:15", "-2", IDLE)
        put_cell(session, "2026-10-05T10:15", IDLE, calls=2, unpriced=2, input=5)
    rows = books(database)
    of = {(row.team, row.model): row.totals for row in rows if row.currency}
    assert of["search", "gpt-4o"].list_cost == 1
    assert of["search", "llama-3.3-70b"].list_cost is None
    assert (of["support", "gpt-4o"].cost, of["support", "gpt-4o"].billed_cost) == (0, 3)
    taken_back = spent(row for row in rows if row.team == "idle")
    assert (taken_back.cost, taken_back.calls, taken_back.unpriced_tokens) == (None, 2, 5)


def test_money_of_nobody_in_the_dictionary_is_unallocated(database: Database) -> None:
    with database.write() as session:
        put_charge(session, "2026-10-05T10:15", "1")
        nobody = {"payer_id": 7, "owner_id": 7, "route_id": 7}
        (line,) = session.execute(charges.select()).mappings()
        session.execute(insert(charges).values({**line, **nobody, "id": line["id"] + 1}))
    assert [(row.team, row.model) for row in books(database)] == [
        ("search", "gpt-4o"),
        ("unallocated", None),
    ]


def test_pools_and_commitments_have_sums_of_their_own(database: Database) -> None:
    first, noon = "2026-10-01T00:00", "2026-10-05T12:00"
    its = {"commitment_id": 5, "kind": "credit"}
    with database.write() as session:
        put_charge(session, noon, "6", SEARCH, LLAMA, meter="pool", pool_id=3, kind="allocation")
        put_charge(session, noon, "4", IDLE, LLAMA, meter="idle", pool_id=3, kind="allocation")
        bought = {"billed": "80", "meter": "commitment"}
        put_charge(session, first, "0", PURCHASE_OWNER, ROUTE, **bought, **its)
        covered = {"billed": "-50", "meter": "covered"}
        put_charge(session, noon, "-10", SEARCH, GPT, **covered, **its)
        wasted = {"billed": "0", "meter": "unused"}
        put_charge(session, noon, "40", UNUSED_OWNER, ROUTE, **wasted, **its)
    with database.read() as session:
        pools = booked_pools(session, TENANT, OCTOBER)
        commitments = booked_commitments(session, TENANT, OCTOBER)
    said: dict[str, Any] = {"currency": "USD", "day": None}
    assert pools == [BookedPool(id=3, name="3", cost=Decimal(10), idle=Decimal(4), **said)]
    figures = {"paid": 80, "covered": 50, "used": 40, "wasted": 40}
    exact = {name: Decimal(value) for name, value in figures.items()}
    assert commitments == [BookedCommitment(id=5, name="5", **exact, **said)]


def test_as_known_at_a_moment_is_what_was_posted_by_then(database: Database) -> None:
    with database.write() as session:
        put_charge(session, "2026-10-05T10:15", "1", posted="2026-11-02")
        put_charge(session, "2026-10-05T10:15", "2", posted="2026-11-03", kind="correction")
        put_charge(session, "2026-10-05T10:15", "4", posted="2026-11-03T00:00:01")
        put_cell(session, "2026-10-05T10:15", calls=2, posted="2026-11-04")
    known = books(database, as_known_at=at("2026-11-03"))
    assert money(known) == [("search", "usage", "USD", None, None, 3)]
    assert len(known) == 1
