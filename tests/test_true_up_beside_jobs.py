"""What a true-up has posted is no usage: no job takes it for that, and none loses it."""

from decimal import Decimal

import pytest
from filled_ledger import NOBODY, SEARCH, SUPPORT, at
from owned import apply, lines, moved, paid, price, rules, run, use
from sqlalchemy import func, select

from jobs.charging import reprice
from jobs.context import JobContext
from spend.commitments.commitment_files import commitments_of
from spend.fiscal import Calendar
from spend.periods import parse_month
from spend.reconciliation.bill_assembly import Expected, assembled
from spend.reconciliation.bill_formats import read_file
from spend.reconciliation.bills import Bill
from spend.written_rows import rows_of
from spend.zones import zone_named
from store import true_up
from store.bills import bills
from store.commitments import commitments
from store.ledger import split_days
from store.postgres.sessions import Database
from store.prices import repricings
from store.tables.ledger import charges
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

NOW = at("2026-11-02T12:00")


@pytest.fixture
def billed(database: Database) -> Bill:
    """SEARCH used 30 and SUPPORT 10 in October; the bill says 60."""
    price(database)
    use(database, "2026-10-05T08:00", SEARCH, 30)
    use(database, "2026-10-31T23:45", SUPPORT, 10)
    run(database)
    text = "period,date,model,meter,quantity,amount,currency\n" + "\n".join(
        f"2026-10,{day},a,input,{quantity},{amount},USD"
        for day, quantity, amount in (("2026-10-05", 30, 45), ("2026-10-31", 10, 15))
    )
    read = read_file(text, name="acme.csv", sha256="a" * 64, provider="acme")
    said = assembled([read], Expected(month=parse_month("2026-10")), now=NOW, by=None)
    with database.write() as session:
        return bills.add(session, TENANT, said, replaces=False, clock=lambda: NOW)[0]


def true_up_of(database: Database, bill: Bill) -> int:
    with database.write() as session:
        utc = Calendar(zone_named("UTC"))
        return len(true_up.true_up(session, TENANT, bill, calendar=utc, clock=lambda: NOW).lines)


def billed_in_all(database: Database) -> Decimal:
    with database.read() as session:
        return session.scalar(select(func.sum(charges.c.billed_amount))) or Decimal(0)


def test_charging_and_pricing_again_post_nothing_for_it(database: Database, billed: Bill) -> None:
    true_up_of(database, billed)
    assert paid(database) == {"search": 45, "support": 15}
    before = lines(database)
    with database.write() as session:
        session.execute(split_days.cells.update().values(charged=False))
        repricings.request(
            session,
            TENANT,
            at("2026-10-01"),
            at("2026-11-01"),
            dry_run=False,
            now=NOW,
            requested_by="test",
            note=None,
        )
    run(database)
    reprice.run(JobContext(database=database, now=NOW))
    assert lines(database) == before
    # What is used in its quarter hour is charged by itself.
    use(database, "2026-10-31T23:45", NOBODY, 4)
    run(database)
    assert paid(database) == {"search": 45, "support": 15, "unallocated": 4}
    assert true_up_of(database, billed) > 0
    assert billed_in_all(database) == 60
    assert true_up_of(database, billed) == 0


def test_it_follows_who_pays(database: Database, billed: Bill) -> None:
    true_up_of(database, billed)
    apply(database, rules(moved("support", "care")))
    run(database)
    assert paid(database) == {"search": 45, "care": 15}
    true_up_of(database, billed)
    assert paid(database) == {"search": 45, "care": 15}
    assert true_up_of(database, billed) == 0
    apply(database, rules())
    run(database)
    true_up_of(database, billed)
    assert paid(database) == {"search": 45, "support": 15}
    assert true_up_of(database, billed) == 0


def test_a_shared_teams_is_passed_on_with_its_last_day(database: Database, billed: Bill) -> None:
    weights = {"ads": 1, "news": 2}
    split = {"name": "search for all", "match": {"team": "search"}, "weights": weights}
    apply(database, rules(splits=(split,)))
    run(database)
    assert paid(database) == {"ads": 10, "news": 20, "support": 10}
    true_up_of(database, billed)
    run(database)
    assert paid(database) == {"ads": 15, "news": 30, "support": 15}
    assert billed_in_all(database) == 60
    assert true_up_of(database, billed) == 0


def test_commitments_do_not_cover_it(database: Database, billed: Bill) -> None:
    true_up_of(database, billed)
    text = (
        "name,kind,amount,paid,currency,provider,valid_from,valid_to\n"
        "credits,prepaid,100,100,USD,acme,2026-10-01,2026-11-01\n"
    )
    rows = rows_of(text, json=False, required=())
    said = commitments_of(rows, source="test", entered_by=None)
    with database.write() as session:
        commitments.apply(session, TENANT, said, now=NOW)
    run(database)
    with database.read() as session:
        covered = select(func.sum(charges.c.billed_amount)).where(charges.c.meter == "covered")
        assert session.scalar(covered) == -40
