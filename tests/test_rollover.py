"""What a period leaves over goes into the next one, to a cap, whoever was away when."""

from datetime import datetime
from decimal import Decimal

import pytest
from budgeted import budget, change, charge, evaluate
from filled_ledger import at
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from spend.budgets.rollover import limit, rolled_in
from store.budgets import budgets
from store.budgets.budget_status import statuses
from store.postgres.sessions import Database
from store.tables import budgets as tables
from store.tenants import TENANT

AMOUNTS = st.integers(0, 10**15).map(lambda atoms: Decimal(atoms).scaleb(-12))
SPENT = st.integers(-(10**14), 10**16).map(lambda atoms: Decimal(atoms).scaleb(-12))


@given(AMOUNTS, SPENT, AMOUNTS)
def test_what_rolls_is_what_is_left_and_never_more_than_the_cap(
    whole: Decimal, spent: Decimal, cap: Decimal
) -> None:
    rolled = rolled_in(whole, spent, cap)
    assert 0 <= rolled <= cap
    assert rolled == cap or rolled == max(whole - spent, 0)
    assert rolled_in(whole, spent, None) == 0


@given(st.lists(SPENT, max_size=12), AMOUNTS, AMOUNTS)
def test_a_limit_is_never_less_than_the_amount_nor_more_than_it_and_the_cap(
    periods: list[Decimal], amount: Decimal, cap: Decimal
) -> None:
    rolled = Decimal(0)
    for spent in periods:
        rolled = rolled_in(limit(amount, rolled), spent, cap)
        assert amount <= limit(amount, rolled) <= amount + cap


def limits(database: Database) -> dict[str, tuple[str, str]]:
    """Month -> what was rolled in, and what was spent."""
    with database.read() as session:
        rows = session.execute(select(tables.standings).order_by(tables.standings.c.period_start))
        return {
            f"{row.period_start:%Y-%m}": (f"{row.rolled_in:.0f}", f"{row.spent:.0f}")
            for row in rows
        }


def months(database: Database, **terms: object) -> None:
    """A budget of 100 a month since July; 70, 90, 200, 50 and 10 are spent from then on."""
    budget(database, created=at("2026-07-05"), rollover_cap="40", **terms)
    for month, spent in zip(range(7, 12), ("70", "90", "200", "50", "10"), strict=True):
        charge(database, spent, slot=f"2026-{month:02}-10")


ROLLED = {
    "2026-07": ("0", "70"),
    "2026-08": ("30", "90"),
    "2026-09": ("40", "200"),
    "2026-10": ("0", "50"),
    "2026-11": ("40", "10"),
}


@pytest.mark.one_server
def test_what_is_left_goes_on_from_period_to_period(database: Database) -> None:
    months(database)
    for month in range(7, 12):
        for day in (15, 28):
            evaluate(database, datetime.fromisoformat(f"2026-{month:02}-{day}T12:00:00+00:00"))
    assert limits(database) == ROLLED


@pytest.mark.one_server
def test_periods_that_no_job_looked_at_are_caught_up_with(database: Database) -> None:
    months(database)
    evaluate(database, at("2026-07-15"))
    evaluate(database, at("2026-11-15"))
    assert limits(database) == ROLLED
    # The status does without any standing.
    with database.write() as session:
        session.execute(tables.standings.delete())
    with database.read() as session:
        now = at("2026-11-15")
        [status] = statuses(session, TENANT, budgets.all_in_force(session, TENANT, now), now)
    assert (status.rolled_in, status.limit, status.left) == (40, 140, 130)


@pytest.mark.one_server
def test_what_is_settled_is_not_reckoned_again(database: Database) -> None:
    months(database)
    evaluate(database, at("2026-09-15"))
    evaluate(database, at("2026-10-15"))
    charge(database, "-1000", slot="2026-08-10", kind="correction")
    evaluate(database, at("2026-11-15"))
    # September was compared after it had ended, August no longer is.
    assert limits(database) == ROLLED
    charge(database, "-40", slot="2026-10-10", kind="correction")
    evaluate(database, at("2026-11-15"))
    assert limits(database)["2026-10"] == ("0", "10")


@pytest.mark.one_server
def test_thresholds_are_of_the_limit_and_a_message_says_what_was_rolled_in(
    database: Database,
) -> None:
    budget(database, created=at("2026-10-01"), rollover_cap="25")
    charge(database, "40", slot="2026-10-10")
    charge(database, "99.99", slot="2026-11-10")
    evaluate(database)
    assert texts(database) == []
    charge(database, "0.01", slot="2026-11-10")
    evaluate(database)
    [text] = texts(database)
    assert text.startswith("80 % of budget search is spent: 100.00 of 125.00 USD in month 2026-11")
    with database.read() as session:
        [body] = session.scalars(select(tables.outbox.c.body))
    assert ["Rolled in", "25.00 USD that the last period left over"] in body["facts"]
    assert body["data"]["limit"] == "125.00"


def texts(database: Database) -> list[str]:
    with database.read() as session:
        return [body["text"] for body in session.scalars(select(tables.outbox.c.body))]


@pytest.mark.one_server
def test_the_first_period_has_nothing_rolled_in_nor_one_of_another_currency(
    database: Database,
) -> None:
    first = budget(database, created=at("2026-11-02"), rollover_cap="25")
    evaluate(database)
    assert limits(database) == {"2026-11": ("0", "0")}
    change(database, first, at("2026-11-20"), rollover_cap="25", currency="EUR")
    evaluate(database, at("2026-12-05"))
    assert limits(database)["2026-12"] == ("25", "0")
    change(database, first, at("2026-12-06"), rollover_cap="25", currency="USD")
    evaluate(database, at("2026-12-07"))
    assert limits(database)["2026-12"] == ("0", "0")
