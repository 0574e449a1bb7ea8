"""Prices by the volume of a month: counted unit by unit, by hand; told for each call."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from closed_books import close, closed_sums
from filled_ledger import asking, put_cell
from hypothesis import given, settings
from hypothesis import strategies as st
from priced_month import line
from sighted import GPT, NOON, hear, sighting
from sqlalchemy import func, select, update

from jobs import roll
from jobs.charging import charge, reprice
from jobs.context import JobContext
from spend.prices.prices import CONTRACT
from spend.prices.volume_steps import in_steps, month_of, next_month, shared
from store.postgres.sessions import Database
from store.prices import books, repricings
from store.tables.ledger import charges
from store.tables.prices import prices
from store.tables.rollups import cells
from store.tenants import TENANT

LATER = NOON + timedelta(days=20)


def enter_steps(database: Database, *steps: tuple[int, str]) -> None:
    early = NOON - timedelta(days=30)
    said = [
        line(CONTRACT, GPT, "input", price, above_monthly=above, valid_from=early)
        for above, price in steps
    ]
    with database.write() as session:
        books.enter_contract(session, TENANT, said, now=early)


def run(database: Database) -> str:
    context = JobContext(database=database, now=LATER, by_hand=True)
    roll.run(context)
    return charge.run(context).note


def in_each_step(database: Database) -> dict[tuple[str, int], tuple[int, str]]:
    """(day and hour, edge of the step) -> units and cost."""
    with database.read() as session:
        found = session.execute(
            select(
                charges.c.slot,
                prices.c.above_monthly,
                func.sum(charges.c.quantity),
                func.sum(charges.c.amount),
            )
            .join_from(charges, prices, charges.c.price_id == prices.c.id)
            .group_by(charges.c.slot, prices.c.above_monthly)
        )
        return {
            (f"{slot:%dT%H}", above): (int(units), f"{amount:f}".rstrip("0"))
            for slot, above, units, amount in found
            if units
        }


@given(
    before=st.integers(0, 60),
    quantities=st.lists(st.integers(0, 30), min_size=1, max_size=6),
    edges=st.lists(st.integers(1, 80), max_size=3, unique=True),
)
@settings(max_examples=150)
def test_each_unit_is_in_the_step_that_its_place_in_the_month_says(
    before: int, quantities: list[int], edges: list[int]
) -> None:
    steps = (0, *sorted(edges))
    whole = sum(quantities)
    by_hand = [0] * len(steps)
    for unit in range(before, before + whole):
        by_hand[max(at for at, edge in enumerate(steps) if edge <= unit)] += 1
    units = in_steps(before, whole, steps)
    assert list(units) == by_hand
    rows = shared(quantities, units)
    assert [sum(row) for row in rows] == quantities
    assert [sum(column) for column in zip(*rows, strict=True)] == by_hand
    for quantity, row in zip(quantities, rows, strict=True):
        if len(steps) == 2 and whole:
            assert abs(row[0] - quantity * units[0] / whole) < 1


def test_months_are_of_utc() -> None:
    assert month_of(datetime.fromisoformat("2026-11-01T00:30+01:00")) == datetime(
        2026, 10, 1, tzinfo=UTC
    )
    assert next_month(datetime(2026, 12, 1, tzinfo=UTC)) == datetime(2027, 1, 1, tzinfo=UTC)


@pytest.mark.one_server
def test_only_slots_that_what_came_late_moves_are_charged_again(database: Database) -> None:
    enter_steps(database, (0, "3"), (1_000, "2"), (10_000, "1"))
    with database.write() as session:
        for day in ("01", "02", "03", "04", "05"):
            put_cell(session, f"2026-10-{day}T00:00", route=GPT, charged=False, input=400)
    assert run(database) == "5 cells, 6 lines"
    assert in_each_step(database) == {
        ("01T00", 0): (400, "0.0012"),
        ("02T00", 0): (400, "0.0012"),
        ("03T00", 0): (200, "0.0006"),
        ("03T00", 1_000): (200, "0.0004"),
        ("04T00", 1_000): (400, "0.0008"),
        ("05T00", 1_000): (400, "0.0008"),
    }
    with database.read() as session:
        last = session.scalar(select(func.max(charges.c.id))) or 0
    with database.write() as session:
        put_cell(session, "2026-10-01T12:00", route=GPT, charged=False, input=300)
    run(database)
    assert in_each_step(database) == {
        ("01T00", 0): (400, "0.0012"),
        ("01T12", 0): (300, "0.0009"),
        ("02T00", 0): (300, "0.0009"),
        ("02T00", 1_000): (100, "0.0002"),
        ("03T00", 1_000): (400, "0.0008"),
        ("04T00", 1_000): (400, "0.0008"),
        ("05T00", 1_000): (400, "0.0008"),
    }
    with database.read() as session:
        slots = session.scalars(select(charges.c.slot).where(charges.c.id > last))
        assert {f"{slot:%d}" for slot in slots} == {"01", "02", "03"}
        assert session.scalar(select(func.count()).where(~cells.c.charged)) == 0
    # What is taken back moves them back.
    with database.write() as session:
        session.execute(
            update(cells)
            .where(cells.c.slot == datetime(2026, 10, 1, 12, tzinfo=UTC))
            .values(input=0, charged=False)
        )
    run(database)
    assert in_each_step(database)["03T00", 0] == (200, "0.0006")
    assert run(database) == "0 cells, 0 lines"


@pytest.mark.one_server
def test_a_call_tells_the_steps_that_it_is_in(database: Database) -> None:
    enter_steps(database, (0, "3"), (1_000, "2"))
    hear(
        database,
        [
            sighting(1, usage={"input": 900}, start_at=NOON - timedelta(hours=1)),
            sighting(2, usage={"input": 150}),
            sighting(3, usage={"input": 50}),
        ],
    )
    with asking(database) as client:
        before = client.get(f"/v1/calls/{2:032x}/{1:016x}").json()
        assert before["cost"] is None
        assert "volume of the month" in before["how"]["reason"]
        run(database)
        told = {}
        for trace in (1, 2, 3):
            body = client.get(f"/v1/calls/{trace:032x}/{1:016x}").json()
            told[trace] = (
                body["cost"],
                [
                    (each["price"]["above_monthly"], each["quantity"], each["unit_price"])
                    for each in body["how"]["lines"]
                ],
            )
    assert told == {
        1: ("0.0027", [(0, 900, "3.00")]),
        2: ("0.000375", [(0, 75, "3.00"), (1_000, 75, "2.00")]),
        3: ("0.000125", [(0, 25, "3.00"), (1_000, 25, "2.00")]),
    }
    total = sum(Decimal(cost) for cost, _lines in told.values())
    with database.read() as session:
        assert session.scalar(select(func.sum(charges.c.amount))) == total


@pytest.mark.one_server
def test_a_re_pricing_into_steps_books_what_its_dry_run_told(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reprice, "CELLS_AT_ONCE", 2)
    enter_steps(database, (0, "3"))
    with database.write() as session:
        for number in range(12):
            slot = f"2026-10-{1 + number // 3:02}T{number % 3:02}:00"
            put_cell(session, slot, route=GPT, charged=False, input=100)
    run(database)
    early = NOON - timedelta(days=30)
    steps = [
        line(CONTRACT, GPT, "input", price, above_monthly=above, valid_from=early)
        for above, price in ((250, "2"), (700, "1"))
    ]
    with database.write() as session:
        books.enter_contract(session, TENANT, steps, now=LATER)
    assert run(database) == "0 cells, 0 lines"
    told = []
    for dry_run in (True, False):
        with database.write() as session:
            asked = repricings.request(
                session,
                TENANT,
                datetime(2026, 10, 1, tzinfo=UTC),
                datetime(2026, 10, 5, tzinfo=UTC),
                dry_run=dry_run,
                now=LATER + timedelta(hours=1 + (not dry_run)),
            )
        context = JobContext(database=database, now=LATER + timedelta(hours=2), by_hand=True)
        going = reprice.steps(context)
        next(going)
        # Somebody else goes on.
        going.close()
        reprice.run(context)
        with database.read() as session:
            (found,) = repricings.differences(session, TENANT, asked.id).values()
        told.append((found.before, found.after))
    # 250 units at 3, the next 450 at 2, 500 at 1.
    by_hand = Decimal("0.000250") * 3 + Decimal("0.000450") * 2 + Decimal("0.000500")
    assert told == [(Decimal("0.0036"), by_hand)] * 2
    with database.read() as session:
        assert session.scalar(select(func.sum(charges.c.amount))) == by_hand
    assert run(database) == "0 cells, 0 lines"


@pytest.mark.one_server
def test_closed_time_is_put_in_its_steps_too_and_booked_in_the_open_month(
    database: Database,
) -> None:
    enter_steps(database, (0, "3"))
    with database.write() as session:
        for day in range(1, 7):
            put_cell(session, f"2026-10-{day:02}", route=GPT, charged=False, input=100)
    run(database)
    starts = datetime(2026, 10, 1, tzinfo=UTC)
    said = line(CONTRACT, GPT, "input", "1", above_monthly=150, valid_from=starts)
    with database.write() as session:
        books.enter_contract(session, TENANT, [said], now=LATER)
        ends = starts + timedelta(days=10)
        repricings.request(session, TENANT, starts, ends, dry_run=False, now=LATER)
    close(database, "2026-10-05")
    before = closed_sums(database, "2026-10-05")
    reprice.run(JobContext(database=database, now=LATER, by_hand=True))
    assert in_each_step(database) == {
        ("01T00", 0): (100, "0.0003"),
        ("02T00", 0): (50, "0.00015"),
        ("02T00", 150): (50, "0.00005"),
        **{(f"0{day}T00", 150): (100, "0.0001") for day in range(3, 7)},
    }
    assert closed_sums(database, "2026-10-05") == before
    assert run(database) == "0 cells, 0 lines"


@pytest.mark.one_server
def test_units_count_for_the_month_also_where_its_steps_were_not_known_yet(
    database: Database,
) -> None:
    enter_steps(database, (0, "3"))
    with database.write() as session:
        put_cell(session, "2026-10-01T00:00", route=GPT, charged=False, input=100)
        said = line(CONTRACT, GPT, "input", "1", above_monthly=150, valid_from=month_of(NOON))
        books.enter_contract(session, TENANT, [said], now=datetime(2026, 10, 2, tzinfo=UTC))
        put_cell(session, "2026-10-03T00:00", route=GPT, charged=False, input=100)
    run(database)
    assert in_each_step(database) == {
        ("01T00", 0): (100, "0.0003"),
        ("03T00", 0): (50, "0.00015"),
        ("03T00", 150): (50, "0.00005"),
    }
    with database.write() as session:
        put_cell(session, "2026-10-01T01:00", route=GPT, charged=False, input=500)
    run(database)
    assert in_each_step(database) == {
        ("01T00", 0): (100, "0.0003"),
        ("01T01", 0): (500, "0.0015"),
        ("03T00", 150): (100, "0.0001"),
    }
