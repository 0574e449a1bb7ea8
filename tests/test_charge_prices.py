"""What cells cost, against an oracle that knows one call at a time, in Decimal."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from filled_ledger import at, put_cell
from sqlalchemy import func, select, update

from jobs.charging import charge
from jobs.context import JobContext, JobSettings
from spend.calls import Outcome
from spend.prices.prices import CONTRACT, PriceLine
from store.postgres.sessions import Database
from store.prices import books
from store.tables.ledger import charges
from store.tables.rollups import cells
from store.tenants import TENANT

NOW = datetime(2026, 10, 20, 12, 5, tzinfo=UTC)


def context(database: Database, now: datetime = NOW) -> JobContext:
    return JobContext(database=database, now=now, settings=JobSettings(), by_hand=True)


def line(meter: str, price: str, **others: object) -> PriceLine:
    made = PriceLine(
        book=CONTRACT,
        provider="openai",
        model="gpt-4o",
        meter=meter,
        unit_price=Decimal(price),
        currency="USD",
        valid_from=datetime(2026, 1, 1, tzinfo=UTC),
        source="test",
    )
    return replace(made, **others)  # type: ignore[arg-type]  # fields by name


def enter(database: Database, *lines: PriceLine, now: datetime = NOW) -> None:
    with database.write() as session:
        books.enter_contract(session, TENANT, lines, now=now)


def posted(database: Database) -> list[tuple[str, str, str, str]]:
    with database.read() as session:
        found = session.execute(
            select(charges.c.kind, charges.c.meter, charges.c.quantity, charges.c.amount).order_by(
                charges.c.id
            )
        )
        return [
            (kind, meter, f"{quantity:.0f}", f"{amount:f}")
            for kind, meter, quantity, amount in found
        ]


def cost(database: Database) -> Decimal | None:
    with database.read() as session:
        return session.scalar(select(func.sum(charges.c.amount)))


def unpriced(database: Database) -> list[tuple[int, bool]]:
    with database.read() as session:
        found = session.execute(
            select(cells.c.unpriced_calls, cells.c.charged).order_by(*cells.primary_key.columns)
        )
        return [(row[0], row[1]) for row in found]


def test_a_cell_costs_each_meter_times_its_price_line(database: Database) -> None:
    enter(database, line("input", "2.50"), line("output", "10"), line("cache_read", "1.25"))
    with database.write() as session:
        put_cell(
            session,
            "2026-10-20T10:00",
            charged=False,
            unpriced=None,
            calls=3,
            input=1_000_001,
            cache_read=7,
            output=13,
        )
    charge.run(context(database))
    assert posted(database) == [
        ("original", "cache_read", "7", "0.000008750000"),
        ("original", "input", "1000001", "2.500002500000"),
        ("original", "output", "13", "0.000130000000"),
    ]
    assert unpriced(database) == [(0, True)]
    assert charge.run(context(database)).note == "0 cells, 0 lines"


def test_a_model_without_a_price_costs_nothing_known_and_is_counted(database: Database) -> None:
    with database.write() as session:
        put_cell(
            session, "2026-10-20T10:00", charged=False, unpriced=None, calls=5, unmetered=2, input=9
        )
        put_cell(
            session,
            "2026-10-20T10:00",
            charged=False,
            unpriced=None,
            calls=4,
            outcome=Outcome.RATE_LIMITED,
        )
    charge.run(context(database))
    assert posted(database) == []
    assert unpriced(database) == [(5, True), (0, True)]


def test_a_call_that_ended_well_without_usage_is_unpriced_and_a_failed_one_is_not(
    database: Database,
) -> None:
    enter(database, line("input", "1"), line("output", "1"))
    with database.write() as session:
        put_cell(session, "2026-10-20T10:00", charged=False, calls=5, unmetered=2, input=9)
        put_cell(session, "2026-10-20T10:00", charged=False, calls=4, outcome=Outcome.ERROR)
    charge.run(context(database))
    assert unpriced(database) == [(2, True), (0, True)]
    assert cost(database) == Decimal("0.000009")


def test_what_comes_late_is_posted_as_the_difference(database: Database) -> None:
    enter(database, line("input", "1"))
    with database.write() as session:
        put_cell(session, "2026-10-20T10:00", charged=False, input=100)
    charge.run(context(database))
    with database.write() as session:
        session.execute(update(cells).values(input=150, charged=False))
    charge.run(context(database))
    with database.write() as session:
        session.execute(update(cells).values(input=120, charged=False))
    charge.run(context(database))
    assert posted(database) == [
        ("original", "input", "100", "0.000100000000"),
        ("original", "input", "50", "0.000050000000"),
        ("correction", "input", "-30", "-0.000030000000"),
    ]


def test_a_changed_price_changes_what_comes_and_not_what_was_charged(database: Database) -> None:
    enter(database, line("input", "1"), now=NOW - timedelta(days=1))
    with database.write() as session:
        for slot in ("11:45", "12:00"):
            put_cell(session, f"2026-10-20T{slot}", charged=False, input=100)
    charge.run(context(database))
    enter(database, line("input", "3", valid_from=at("2026-10-20T10:00")))
    with database.write() as session:
        session.execute(update(cells).values(input=150, charged=False))
        for slot in ("12:15", "12:30"):
            put_cell(session, f"2026-10-20T{slot}", charged=False, input=100)
    charge.run(context(database))
    assert posted(database)[2:] == [
        ("original", "input", "50", "0.000050000000"),
        ("original", "input", "50", "0.000050000000"),
        ("original", "input", "100", "0.000300000000"),
        ("original", "input", "100", "0.000300000000"),
    ]


def test_free_is_not_unpriced(database: Database) -> None:
    enter(database, line("input", "0"), line("output", "0"))
    with database.write() as session:
        put_cell(session, "2026-10-20T10:00", charged=False, unpriced=None, input=100)
    charge.run(context(database))
    assert posted(database) == [("original", "input", "100", "0.000000000000")]
    assert unpriced(database) == [(0, True)]
