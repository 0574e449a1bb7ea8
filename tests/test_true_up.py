"""After a true-up, what is billed for a provider's period in the ledger is its bill."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from bill_writers import Used
from billed_month import FORMATS, NOW, USED, in_month, put_bill, put_ledger, put_rate
from filled_ledger import put_cell
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from spend.calls import Owner, Route
from spend.fiscal import Calendar
from spend.money import EXACT
from spend.months.months import LedgerMonth
from spend.periods import Period
from spend.reconciliation.bills import Bill
from spend.reconciliation.true_up import TrueUpRefusedError
from store import closing, true_up, waiting
from store.bills import reconcile
from store.months import months
from store.postgres.sessions import Database
from store.tables.heard import owners, routes
from store.tables.ledger import charges
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

OPENAI = FORMATS["openai costs"]
BERLIN = Calendar(ZoneInfo("Europe/Berlin"))
UTC_MONTHS = Calendar(ZoneInfo("UTC"))
OCTOBER = in_month(USED, "2026-10")
OCTOBER_STARTS, ENDS = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)


def wrong(used: Sequence[Used]) -> list[Used]:
    """Dearer, more on one day, and a model and a credit that nobody knows of."""
    said = [replace(each, amount=each.amount * Decimal("1.033331")) for each in used]
    said.append(replace(said[0], quantity=7_000_000, amount=Decimal("17.500000000001")))
    said.append(replace(said[0], model="other", amount=Decimal("3.000000000007")))
    said.append(replace(said[0], kind="credit", quantity=0, amount=Decimal("-1.01")))
    return said


def post(
    session: Session, bill: Bill, calendar: Calendar = UTC_MONTHS, *, dry: bool = False
) -> int:
    done = true_up.true_up(session, TENANT, bill, calendar=calendar, clock=lambda: NOW, dry_run=dry)
    return len(done.lines)


def in_ledger(session: Session, provider: str = "openai") -> dict[str, tuple[Decimal, Decimal]]:
    """Currency -> billed and effective of a provider's October, by slot."""
    c = charges.c
    rows = session.execute(
        select(c.currency, func.sum(c.billed_amount), func.sum(c.amount))
        .join_from(charges, routes, routes.c.id == c.route_id)
        .where(routes.c.provider == provider, c.slot >= OCTOBER_STARTS, c.slot < ENDS)
        .group_by(c.currency)
    )
    return {row[0]: (row[1], row[2]) for row in rows}


def close_october(session: Session, state: str) -> None:
    month = LedgerMonth("2026-10", Period(OCTOBER_STARTS, ENDS), UTC_MONTHS)
    record = {"record": "{}", "sha256": "0" * 64} if state == "closed" else {}
    waiting.lock_ledger(session)
    months.write(session, TENANT, month, state=state, **record)
    closing.close(session, TENANT, ENDS)


def test_billed_and_effective_come_to_the_bill_and_twice_posts_nothing(database: Database) -> None:
    with database.write() as session:
        put_ledger(session, OPENAI)
        bill = put_bill(session, OPENAI, wrong(OCTOBER), "2026-10")
        before = in_ledger(session)
        assert post(session, bill, dry=True) > 0
        assert in_ledger(session) == before
        assert post(session, bill, BERLIN) > 0
        assert in_ledger(session) == {"USD": (bill.total, bill.total)}
        assert post(session, bill, BERLIN) == 0
        found = reconcile.of_bill(session, TENANT, bill, now=NOW)
        assert found.booked == found.variance.difference != 0
        assert found.open == 0
        assert found.within
    with database.read() as session:
        slots = session.scalars(select(charges.c.slot).where(charges.c.bill_id == bill.id))
        # Where October ends in Berlin, which is before the bill's does.
        assert set(slots) == {datetime(2026, 10, 31, 22, 45, tzinfo=UTC)}


def test_each_team_pays_its_share_and_what_was_never_heard_is_nobodys(database: Database) -> None:
    with database.write() as session:
        put_ledger(session, OPENAI)
        dearer = [replace(each, amount=each.amount * 2) for each in OCTOBER]
        unheard = replace(OCTOBER[0], model="other", amount=Decimal(9))
        bill = put_bill(session, OPENAI, [*dearer, unheard], "2026-10")
        post(session, bill)
        rows = session.execute(
            select(owners.c.team, owners.c.feature, func.sum(charges.c.billed_amount))
            .join_from(charges, owners, owners.c.id == charges.c.payer_id)
            .where(charges.c.bill_id == bill.id)
            .group_by(owners.c.team, owners.c.feature)
        ).all()
    estimated = {
        team: sum(each.amount for each in OCTOBER if each.team == team)
        for team in ("search", "support")
    }
    assert {(row[0], row[1]): row[2] for row in rows} == {
        ("search", None): estimated["search"],
        ("support", None): estimated["support"],
        ("unallocated", "uninstrumented"): Decimal(9),
    }


def test_what_has_no_price_of_ours_is_paid_by_who_used_it(database: Database) -> None:
    model = OPENAI.models["small"][0]
    with database.write() as session:
        for team, tokens in (("search", 30_000), ("ads", 10_000)):
            route = Route("openai", model, deployment="api")
            told = {"unpriced": 1, "input": tokens}
            put_cell(session, "2026-10-05T12:15", Owner(team=team), route, **told)
        line = replace(OCTOBER[0], model="small", quantity=40_000, amount=Decimal(8))
        bill = put_bill(session, OPENAI, [line], "2026-10")
        compared = reconcile.of_bill(session, TENANT, bill, now=NOW).variance
        assert compared.buckets.price == compared.difference == 8
        assert compared.coverage.share == 1
        done = true_up.true_up(session, TENANT, bill, calendar=UTC_MONTHS, clock=lambda: NOW)
        assert {each.owner.team: each.amount for each in done.lines} == {"search": 6, "ads": 2}


def test_late_calls_and_a_newer_version_move_what_is_posted(database: Database) -> None:
    with database.write() as session:
        put_ledger(session, OPENAI)
        first = put_bill(session, OPENAI, wrong(OCTOBER), "2026-10")
        post(session, first)
        put_ledger(session, OPENAI, [replace(OCTOBER[3], amount=Decimal("1.23"), team="late")])
        assert post(session, first) > 0
        assert in_ledger(session)["USD"] == (first.total, first.total)
        second = put_bill(session, OPENAI, OCTOBER, "2026-10", replaces=True)
        with pytest.raises(reconcile.SupersededError):
            post(session, first)
        post(session, second)
        assert in_ledger(session)["USD"] == (second.total, second.total)
        assert post(session, second) == 0


def test_what_is_billed_in_another_currency_is_taken_back_in_ours(database: Database) -> None:
    azure = FORMATS["azure focus"]
    with database.write() as session:
        put_ledger(session, azure)
        put_rate(session)
        bill = put_bill(
            session, azure, wrong(OCTOBER), "2026-10", currency="EUR", rate=Decimal("0.93")
        )
        post(session, bill)
        found = reconcile.of_bill(session, TENANT, bill, now=NOW)
        # The machines that are on it are for no model.
        whole = EXACT.subtract(bill.total, Decimal(5000))
        assert found.variance.billed == whole
        assert in_ledger(session, "azure") == {"EUR": (whole, whole), "USD": (0, 0)}
        assert (found.open, found.within) == (0, True)
        assert post(session, bill) == 0


@pytest.mark.parametrize("state", ["open", "soft-closed", "closed"])
def test_it_is_booked_in_a_month_that_is_not_closed_for_good(
    state: str, database: Database
) -> None:
    with database.write() as session:
        put_ledger(session, OPENAI)
        bill = put_bill(session, OPENAI, wrong(OCTOBER), "2026-10")
        if state != "open":
            close_october(session, state)
        post(session, bill)
        booked = func.coalesce(charges.c.booked_slot, charges.c.slot)
        of_bill = charges.c.bill_id == bill.id
        found = set(session.scalars(select(booked).where(of_bill)))
        assert found == {ENDS if state == "closed" else ENDS - true_up.SLOT}
        assert in_ledger(session)["USD"] == (bill.total, bill.total)
        assert post(session, bill) == 0


def test_a_bill_of_a_month_that_is_not_over_is_refused(database: Database) -> None:
    with database.write() as session:
        put_ledger(session, OPENAI)
        bill = put_bill(session, OPENAI, OCTOBER, "2026-10")
        with pytest.raises(TrueUpRefusedError, match="not over"):
            true_up.true_up(
                session,
                TENANT,
                bill,
                calendar=UTC_MONTHS,
                clock=lambda: datetime(2026, 10, 31, 23, tzinfo=UTC),
            )
