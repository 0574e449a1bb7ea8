"""Unit prices: the list's, raised by a surcharge, lowered by a discount, rounded once each."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from filled_ledger import put_cell
from hypothesis import given
from hypothesis import strategies as st
from priced_month import line
from sqlalchemy import select

from jobs.charging import charge
from jobs.context import JobContext
from spend.calls import Route
from spend.prices.discounts import DISCOUNT, UPLIFT, Discount, Discounts, lowered, raised
from spend.prices.prices import CONTRACT, LIST, SUPPLEMENT, PriceBook
from spend.prices.rating import rates
from store.postgres.sessions import Database
from store.prices import books
from store.prices.discount_entries import enter_discounts
from store.tables.ledger import charges
from store.tenants import TENANT

T0 = datetime(2026, 10, 25, tzinfo=UTC)
MODEL = Route("acme", "big-2026", operation="chat", deployment="api", region="eu")
PERCENT = st.decimals(0, 100, places=6)
PRICE = st.decimals(0, 10_000, places=6)


def less(model: str, percent: str, kind: str = DISCOUNT, **others: Any) -> Discount:
    made = Discount(kind, "acme", model, Decimal(percent), T0 - timedelta(days=5))
    return replace(made, **others)


def unit_prices(*discounts: Discount, **others: Any) -> tuple[Decimal, Decimal | None]:
    listed = line(LIST, MODEL, "input", "2", **others)
    book = PriceBook([listed], {}, Discounts(discounts))
    rate = rates(book, MODEL, band=0, at=T0).lines["input"]
    return rate.unit_price, rate.list_unit_price


@pytest.mark.parametrize(
    ("discounts", "paid"),
    [
        ([less("*", "10")], "1.8"),
        ([less("*", "10"), less("big*", "20")], "1.6"),
        ([less("big*", "20"), less("big-2*", "30")], "1.4"),
        ([less("big-2026*", "30"), less("big-2026", "40")], "1.2"),
        # A longer pattern counts before a region, a region before a tier, a tier before a meter.
        ([less("b*", "10"), less("*", "50", region="eu", meter="input")], "1.8"),
        ([less("*", "10", region="eu"), less("*", "50", meter="input")], "1.8"),
        ([less("*", "10", meter="input"), less("*", "50")], "1.8"),
        ([less("*", "10", meter="output")], "2"),
        ([less("*", "10", region="us")], "2"),
        ([less("*", "10", service_tier="batch")], "2"),
        ([less("*", "10", provider="other")], "2"),
        ([less("*", "10", valid_to=T0)], "2"),
        ([less("*", "10", known_to=T0)], "2"),
        ([less("*", "100")], "0"),
    ],
)
def test_the_most_precise_discount_applies(discounts: list[Discount], paid: str) -> None:
    assert unit_prices(*discounts) == (Decimal(paid), Decimal(2))
    assert unit_prices(*reversed(discounts)) == (Decimal(paid), Decimal(2))


def test_a_surcharge_is_on_the_list_price_of_all_regions_only() -> None:
    both = (less("*", "10", UPLIFT, region="eu"), less("*", "50"))
    assert unit_prices(*both) == (Decimal("1.1"), Decimal("2.2"))
    assert unit_prices(*both, region="eu") == (Decimal(1), Decimal(2))


def test_a_contract_is_final_and_the_list_says_what_it_would_have_been() -> None:
    lines = [line(CONTRACT, MODEL, "input", "1.5"), line(SUPPLEMENT, MODEL, "input", "3")]
    discounts = Discounts([less("*", "10", UPLIFT), less("*", "50")])
    found = rates(PriceBook(lines, {}, discounts), MODEL, band=0, at=T0).lines["input"]
    assert (found.unit_price, found.list_unit_price) == (Decimal("1.5"), Decimal("3.3"))
    alone = rates(PriceBook(lines[:1], {}, discounts), MODEL, band=0, at=T0).lines["input"]
    assert (alone.unit_price, alone.list_unit_price) == (Decimal("1.5"), None)


@given(price=PRICE, more=PERCENT, less_=PERCENT)
def test_each_step_is_rounded_once_to_six_decimals(
    price: Decimal, more: Decimal, less_: Decimal
) -> None:
    asked = raised(price, less("*", str(more), UPLIFT))
    paid = lowered(asked, less("*", str(less_)))
    half = Decimal("0.0000005")
    assert abs(asked - price * (100 + more) / 100) <= half
    assert abs(paid - asked * (100 - less_) / 100) <= half
    assert all(-each.as_tuple().exponent <= 6 for each in (asked, paid))
    assert 0 <= paid <= asked


@pytest.mark.one_server
def test_a_charge_tells_its_unit_prices_and_what_changed_them(database: Database) -> None:
    entered = datetime(2026, 10, 1, tzinfo=UTC)
    with database.write() as session:
        listed = line(LIST, MODEL, "input", "2", valid_from=entered)
        books.replace_list(session, [listed], now=entered)
        enter_discounts(
            session,
            TENANT,
            [
                less("*", "10", UPLIFT, region="eu", source="azure", valid_from=entered),
                less("big*", "12.5", source="msa", valid_from=entered),
            ],
            now=entered,
        )
        put_cell(session, "2026-10-25T00:00", route=MODEL, charged=False, input=1_000_003)
    charge.run(JobContext(database=database, now=T0))
    with database.read() as session:
        (row,) = session.execute(select(charges)).all()
    assert (row.list_unit_price, row.unit_price) == (Decimal("2.2"), Decimal("1.925"))
    assert row.list_amount == Decimal("2.2000066")
    assert row.amount == row.contracted_amount == row.billed_amount == Decimal("1.925005775")
    assert (row.method, row.engine) == ("price-book/2", "0.1.0")
    assert row.uplift_id != row.discount_id
    assert None not in {row.uplift_id, row.discount_id}


@pytest.mark.one_server
def test_another_discount_takes_back_what_was_posted_and_posts_it_anew(database: Database) -> None:
    entered = datetime(2026, 10, 1, tzinfo=UTC)
    with database.write() as session:
        listed = line(LIST, MODEL, "input", "2", valid_from=entered)
        books.replace_list(session, [listed], now=entered)
        # By a clock that is ahead: its slot begins after the discount is known.
        put_cell(session, "2026-10-25T00:15", route=MODEL, charged=False, input=1_000_000)
    charge.run(JobContext(database=database, now=T0))
    with database.write() as session:
        enter_discounts(session, TENANT, [less("big*", "25", valid_from=entered)], now=T0)
    charge.run(JobContext(database=database, now=T0))
    with database.read() as session:
        rows = session.execute(select(charges).order_by(charges.c.id)).all()
    assert [(row.kind, row.list_amount, row.amount) for row in rows] == [
        ("original", 2, 2),
        ("correction", -2, -2),
        ("correction", 2, Decimal("1.5")),
    ]
