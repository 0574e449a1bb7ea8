"""Who paid for closed time has paid: late calls and splits go by the rules it was closed with."""

from collections import defaultdict
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from closed_books import closed_sums, differing_usage
from closed_months import NOW, close, reopen, settle, soft_close
from filled_ledger import at
from owned import apply, moved, price, rules, use
from sqlalchemy import func, select

from jobs.charging import charge
from jobs.context import JobContext
from spend.calls import Owner
from store import waiting
from store.closing import BooksClosedError
from store.ledger import ledger
from store.ledger.ledger import CREDIT, NewCharge
from store.postgres.sessions import Database
from store.tables.heard import owners
from store.tables.ledger import charges, usage_lines
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

A, NEW, SHARED = Owner("a"), Owner("a", service="unheard of"), Owner("shared")


def split_to(team: str) -> dict[str, Any]:
    return {"name": f"to {team}", "match": {"team": "shared"}, "shares": {team: 100}}


def paid_by_month(database: Database) -> dict[str, dict[str, Decimal]]:
    """Month of the slot -> team -> what it pays."""
    month = func.to_char(charges.c.slot, "MM")
    with database.read() as session:
        rows = session.execute(
            select(month, owners.c.team, func.sum(charges.c.amount))
            .join(owners, owners.c.id == charges.c.payer_id)
            .group_by(month, owners.c.team)
        )
        found: dict[str, dict[str, Decimal]] = defaultdict(dict)
        for name, team, amount in rows:
            if amount:
                found[name][team] = amount
        return dict(found)


def test_what_comes_late_goes_by_the_rules_that_its_month_was_closed_with(
    database: Database,
) -> None:
    price(database)
    first = rules(moved("a", "x"), splits=(split_to("y"),))
    apply(database, first, NOW - timedelta(days=9))
    for month in ("09", "10"):
        use(database, f"2026-{month}-10T08:00", A, 10)
        use(database, f"2026-{month}-10T08:00", SHARED, 5)
    settle(database)
    soft_close(database, "2026-09")
    before = closed_sums(database, "2026-10-01")
    apply(database, rules(moved("a", "z"), splits=(split_to("w"),)), NOW + timedelta(minutes=1))
    settle(database)
    assert paid_by_month(database) == {"09": {"x": 10, "y": 5}, "10": {"z": 10, "w": 5}}
    for month in ("09", "10"):
        use(database, f"2026-{month}-10T09:00", A, 1)
        use(database, f"2026-{month}-10T09:00", NEW, 2)
        use(database, f"2026-{month}-10T09:00", SHARED, 3)
    settle(database)
    assert paid_by_month(database) == {"09": {"x": 13, "y": 8}, "10": {"z": 13, "w": 8}}
    assert closed_sums(database, "2026-10-01") == before
    assert not differing_usage(database)
    # Open again, it is as any open time.
    reopen(database, "2026-09")
    settle(database)
    assert paid_by_month(database) == {"09": {"z": 13, "w": 8}, "10": {"z": 13, "w": 8}}
    assert not differing_usage(database)


def test_an_adjusting_entry_is_booked_where_it_says_unless_that_is_closed_for_good(
    database: Database,
) -> None:
    price(database)
    use(database, "2026-09-10T08:00", A, 10)
    settle(database)
    with database.read() as session:
        [route_id] = session.scalars(select(charges.c.route_id))
        [owner_id] = session.scalars(select(charges.c.owner_id))
    entry = NewCharge(
        kind=CREDIT,
        slot=at("2026-09-30T23:45"),
        booked_slot=at("2026-09-30T23:45"),
        owner_id=owner_id,
        route_id=route_id,
        band=0,
        meter="credit",
        bill_id=1,
        currency="USD",
        quantity=Decimal(0),
        amount=Decimal(-4),
        method="bill/1",
    )

    def post() -> None:
        with database.write() as session:
            waiting.lock_ledger(session)
            ledger.post(session, TENANT, [entry], now=NOW)

    soft_close(database, "2026-09")
    before = closed_sums(database, "2026-10-01")
    post()
    assert closed_sums(database, "2026-10-01") != before
    close(database, "2026-09", "all")
    with pytest.raises(BooksClosedError, match="the books before 2026-10-01T00:00Z are closed"):
        post()


def test_lines_are_dated_in_the_order_of_their_ids_whatever_clocks_say(
    database: Database,
) -> None:
    price(database)
    for day, minutes in enumerate((0, -30, 5, -60), 10):
        use(database, f"2026-10-{day}T10:00", A, 10)
        charge.run(JobContext(database, now=NOW + timedelta(minutes=minutes)))
    with database.read() as session:
        for table in (charges, usage_lines):
            dated = session.scalars(select(table.c.posted_at).order_by(table.c.id)).all()
            assert list(dated) == sorted(dated)
            assert set(dated) == {NOW, NOW + timedelta(minutes=5)}
