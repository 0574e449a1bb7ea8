"""Bills are kept as they were read, once, and what was said before stays readable."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from spend.periods import Period
from spend.reconciliation.bill_assembly import Assembled
from spend.reconciliation.bills import USAGE, Bill, BillLine
from store.bills import bills
from store.postgres.sessions import Database
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

OCTOBER = datetime(2026, 10, 1, tzinfo=UTC)
NOVEMBER = datetime(2026, 11, 1, tzinfo=UTC)
NOW = datetime(2026, 11, 4, 9, tzinfo=UTC)

BILL = Bill(
    provider="openai",
    account=None,
    invoice=None,
    starts=OCTOBER,
    ends=NOVEMBER,
    currency="USD",
    format="csv",
    file_name="openai.csv",
    sha256="a" * 64,
    imported_at=NOW,
    imported_by="somebody",
    lines=1,
    total=Decimal("0.000000000001"),
)
LINE = BillLine(
    line=2,
    starts=OCTOBER,
    ends=datetime(2026, 10, 2, tzinfo=UTC),
    account="proj_1",
    provider="openai",
    model="gpt-4o",
    meter="input",
    region=None,
    service_tier=None,
    description='a "tab\t" and ü',
    kind=USAGE,
    quantity=Decimal("1.123456789012345678901"),
    unit="token",
    unit_price=Decimal("2.5"),
    amount=Decimal("0.000000000001"),
    currency="USD",
    raw={"amount": "1E-12", "note": 'a "tab\t" and ü', "tags": {"a": ["b"]}},
)


def put(database: Database, bill: Bill = BILL, *, replaces: bool = False) -> Bill:
    with database.write() as session:
        said = [Assembled(bill, (LINE,))]
        return bills.add(session, TENANT, said, replaces=replaces, clock=lambda: bill.imported_at)[
            0
        ]


def test_a_bill_is_read_as_it_was_kept(database: Database) -> None:
    kept = put(database)
    with database.read() as session:
        assert bills.one(session, TENANT, kept.id) == kept == replace(BILL, id=kept.id)
        assert list(bills.lines(session, TENANT, [kept.id])) == [(kept.id, LINE)]
        assert bills.line_page(session, TENANT, kept.id, after=2, at_most=9) == []
        assert bills.held(session, TENANT, Period(NOVEMBER, NOW)) == []
        assert bills.held(session, TENANT, Period(OCTOBER, NOVEMBER)) == [kept]


def test_lines_are_added_up_by_what_they_are_for(database: Database) -> None:
    lines = [
        replace(LINE, line=1),
        replace(LINE, line=2),
        replace(LINE, line=3, meter="output", quantity=None),
        replace(LINE, line=4, meter="output", amount=Decimal(-2)),
        replace(LINE, line=5, kind="tax", model=None, meter=None),
    ]
    with database.write() as session:
        said = [Assembled(BILL, tuple(lines))]
        [kept] = bills.add(session, TENANT, said, replaces=False, clock=lambda: NOW)
        sums = bills.sums(session, TENANT, kept.id)
    assert [(each.kind, each.meter, each.lines, each.quantity, each.amount) for each in sums] == [
        ("usage", "output", 2, None, Decimal("-1.999999999999")),
        ("usage", "input", 2, Decimal("2.246913578024691357802"), Decimal("0.000000000002")),
        ("tax", None, 1, None, Decimal("0.000000000001")),
    ]


@pytest.mark.parametrize(
    "again",
    [
        replace(BILL, provider="azure"),  # the same file, whatever it is called
        replace(BILL, sha256="b" * 64),
        # In the middle of the month neither was told.
        replace(BILL, sha256="b" * 64, account="org-1", invoice="INV-1"),
    ],
)
def test_a_bill_is_kept_once(database: Database, again: Bill) -> None:
    kept = put(database)
    with pytest.raises(bills.BillHeldError) as refused:
        put(database, again)
    assert refused.value.held == kept
    with database.read() as session:
        assert bills.page(session, TENANT, before=None, at_most=9) == [kept]


def test_another_invoice_is_another_bill(database: Database) -> None:
    put(database, replace(BILL, invoice="INV-1"))
    put(database, replace(BILL, invoice="INV-2", sha256="b" * 64))
    with database.read() as session:
        assert len(bills.held(session, TENANT)) == 2


def test_what_a_newer_version_replaces_stays_readable(database: Database) -> None:
    first = put(database)
    second = put(database, replace(BILL, sha256="b" * 64), replaces=True)
    third = put(database, replace(BILL, sha256="a" * 64), replaces=True)
    assert [each.version for each in (first, second, third)] == [1, 2, 3]
    with database.read() as session:
        assert bills.held(session, TENANT) == [third]
        assert bills.one(session, TENANT, first.id) == replace(first, superseded_at=NOW)
        assert [id_ for id_, _line in bills.lines(session, TENANT, [first.id, third.id])] == [
            first.id,
            third.id,
        ]
