"""What was charged stays, until somebody has it priced again: then it is what one run would say."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from filled_ledger import CLAUDE, GPT, SEARCH, SUPPORT, at, put_cell
from sqlalchemy import func, select, update
from test_charge_prices import NOW, context, cost, enter, line, posted, unpriced

from jobs import charge, reprice
from spend.repricings import Repricing
from store import repricings
from store.sessions import Database
from store.tables.ledger import charges
from store.tables.rollups import cells
from store.tenants import TENANT

START = at("2026-10-20T10:00")
END = at("2026-10-20T12:00")
LATER = NOW + timedelta(hours=1)


def ask(
    database: Database,
    starts: datetime = START,
    ends: datetime = END,
    *,
    now: datetime = LATER,
    dry_run: bool = False,
) -> Repricing:
    with database.write() as session:
        return repricings.request(session, TENANT, starts, ends, dry_run=dry_run, now=now)


def put(database: Database, *slots: str, **usage: int) -> None:
    with database.write() as session:
        for slot in slots:
            put_cell(session, f"2026-10-20T{slot}", charged=False, unpriced=None, **usage)


def test_a_re_pricing_books_the_difference_as_corrections_of_its_own(database: Database) -> None:
    enter(database, line("input", "1"), now=NOW - timedelta(days=1))
    put(database, "09:45", "10:00", "11:45", input=100)
    charge.run(context(database))
    enter(database, line("input", "3"))
    assert charge.run(context(database)).note == "0 cells, 0 lines"
    asked = ask(database)
    assert reprice.run(context(database, LATER)).note == "1 re-pricings"
    assert posted(database)[3:] == [
        ("correction", "input", "-100", "-0.000100000000"),
        ("correction", "input", "100", "0.000300000000"),
        ("correction", "input", "-100", "-0.000100000000"),
        ("correction", "input", "100", "0.000300000000"),
    ]
    with database.read() as session:
        assert set(session.scalars(select(charges.c.repricing_id))) == {None, asked.id}
        done = repricings.one(session, TENANT, asked.id)
    assert done is not None
    assert (done.finished_at, done.done_until, done.cells, done.lines) == (LATER, END, 2, 4)


def test_what_comes_late_costs_what_the_re_pricing_says(database: Database) -> None:
    enter(database, line("input", "1"), now=NOW - timedelta(days=1))
    put(database, "10:00", input=100)
    charge.run(context(database))
    enter(database, line("input", "3"))
    ask(database)
    reprice.run(context(database, LATER))
    with database.write() as session:
        session.execute(update(cells).values(input=150, charged=False))
    put(database, "11:00", "12:00", input=100)
    charge.run(context(database))
    assert posted(database)[3:] == [
        ("original", "input", "50", "0.000150000000"),
        ("original", "input", "100", "0.000300000000"),
        ("original", "input", "100", "0.000100000000"),
    ]


def test_re_priced_twice_is_once_and_several_follow_each_other(database: Database) -> None:
    enter(database, line("input", "1"), now=NOW - timedelta(days=1))
    put(database, "10:00", "10:30", input=100)
    charge.run(context(database))
    enter(database, line("input", "3"))
    first = ask(database, now=NOW + timedelta(seconds=1))
    assert ask(database, now=NOW + timedelta(seconds=2)) == first, "asked for again before it is through: the same"
    enter(database, line("input", "5"), now=NOW + timedelta(minutes=1))
    part = ask(database, ends=at("2026-10-20T10:15"))
    assert part.id != first.id
    assert reprice.run(context(database, LATER)).note == "2 re-pricings"
    assert cost(database) == Decimal("0.0008"), "the one asked for last holds, where it holds"
    booked = len(posted(database))
    ask(database, ends=at("2026-10-20T10:15"))
    assert reprice.run(context(database, LATER)).note == "1 re-pricings"
    assert reprice.run(context(database, LATER)).note == "0 re-pricings"
    assert len(posted(database)) == booked
