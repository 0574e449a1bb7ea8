"""The ledger read and posted in columns says to the last digit what it says in rows."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from filled_ledger import CLAUDE, GPT, SUPPORT, at, put_cell, put_charge
from sqlalchemy import Text, literal, null, select
from sqlalchemy.orm import Session

from store import columns
from store.ledger import ledger, ledger_columns
from store.ledger.ledger import NewCharge
from store.postgres.sessions import Database
from store.tables import rollups as tables
from store.tables.ledger import charges
from store.tenants import TENANT

START = at("2026-10-20T10:00")
pytestmark = pytest.mark.one_server

END = START + timedelta(hours=1)


def rows(table: Any) -> list[tuple[Any, ...]]:
    return sorted(tuple(each.values()) for each in table.to_pylist())


def fill(session: Session) -> None:
    """A settled place, one with no conclusion yet, one of two outcomes of which one waits."""
    put_cell(session, "2026-10-20T10:00", input=2**62, output=3)
    put_cell(session, "2026-10-20T10:45", SUPPORT, GPT, unpriced=None, band=6, input=7)
    put_cell(session, "2026-10-20T10:00", SUPPORT, CLAUDE, input=1)
    put_cell(session, "2026-10-20T10:00", SUPPORT, CLAUDE, outcome=1, charged=False)  # type: ignore[arg-type]  # as it is stored
    put_cell(session, "2026-10-20T11:00", input=5)
    largest = "99999999999999999999999999.999999999999"
    put_charge(session, "2026-10-20T10:00", largest, quantity=2**62, listed=largest)
    for amount in ("0.000000000001", "-0.000000000003"):
        put_charge(session, "2026-10-20T10:00", amount, meter="output", contracted="0.1")
    put_charge(session, "2026-10-20T10:00", "5", meter="output", kind=ledger.TRUE_UP)
    put_charge(session, "2026-10-20T10:00", "5", meter="pool", pool_id=1)
    put_charge(session, "2026-10-20T10:00", "5", SUPPORT, CLAUDE)
    put_charge(session, "2026-10-20T11:00", "5")


def test_a_stretch_read_in_columns_is_the_stretch_read_in_rows(database: Database) -> None:
    with database.write() as session:
        fill(session)
    with database.read() as session:
        found = ledger_columns.cells_between(session, TENANT, START, END)
        wanted = [tables.cells.c[name] for name in ledger_columns.CELLS.names]
        settled = tables.cells.c.charged & (tables.cells.c.input != 1)
        expected = session.execute(select(*wanted).where(settled, tables.cells.c.slot < END)).all()
        assert len(expected) == 2
        assert rows(found) == sorted(map(tuple, expected))
        standing = ledger_columns.posted_between(session, TENANT, START, END)
        places = [(row[0], row[1], row[2], row[3]) for row in expected]
        assert rows(standing) == sorted(
            map(tuple, ledger.posted_at_prices(session, TENANT, places))
        )
        assert standing["amount"].to_pylist().count(Decimal("-0.000000000002")) == 1
        nothing = ledger_columns.cells_between(session, TENANT, END, END)
        assert nothing.schema == found.schema
        assert nothing.num_rows == 0


def test_tables_that_nobody_counted_are_not_joined_row_by_row(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan: list[str] = []

    def explained(session: Session, wanted: Any, schema: pa.Schema) -> pa.Table:
        asked = wanted.compile(dialect=session.get_bind().dialect)
        with columns.driver(session).cursor() as cursor:
            cursor.execute(f"EXPLAIN {asked}".encode(), asked.params)
            plan.extend(row[0] for row in cursor.fetchall())
        return schema.empty_table()

    monkeypatch.setattr(columns, "read", explained)
    with database.read() as session:
        ledger_columns.cells_between(session, TENANT, START, END)
        ledger_columns.posted_between(session, TENANT, START, END)
    assert "WindowAgg" in "".join(plan)
    assert not [line for line in plan if "Nested Loop" in line]


def test_lines_posted_in_columns_are_the_lines_posted_in_rows(database: Database) -> None:
    lines = [
        NewCharge(
            kind=ledger.CORRECTION,
            slot=START,
            owner_id=2**62,
            route_id=-5,
            band=1,
            meter="input",
            price_id=1,
            currency="USD",
            quantity=Decimal(-(2**62)),
            list_unit_price=Decimal("0.000001"),
            unit_price=Decimal("1.5"),
            discount_id=discount_id,
            list_amount=list_amount,
            contracted_amount=Decimal("-0.000000000001"),
            amount=Decimal("99999999999999999999999999.999999999999"),
            billed_amount=Decimal(3),
            method="price-book/2",
            payer_id=7,
        )
        for discount_id, list_amount in ((None, Decimal(1)), (3, None))
    ]
    names = ledger_columns.NEW.names
    table = pa.Table.from_pylist(
        [{name: getattr(line, name) for name in names} for line in lines],
        schema=ledger_columns.NEW,
    )
    kept = [each for each in charges.c if each.name != "id"]
    with database.write() as session:
        ledger.post(session, TENANT, lines, now=END, repricing_id=9)
        expected = session.execute(select(*kept).order_by(charges.c.id)).all()
        with session.begin_nested() as once:
            ledger_columns.post(session, TENANT, table, now=END, repricing_id=9)
            found = session.execute(select(*kept).order_by(charges.c.id)).all()
            once.rollback()
        assert found == [*expected, *expected]
        ledger_columns.post(session, TENANT, table[:0], now=END)
        assert len(session.execute(select(charges.c.id)).all()) == len(lines)


def test_text_and_null_are_kept_apart_in_columns(database: Database) -> None:
    texts = ["", 'a "b",\n100%', "%(a)s"]
    with database.read() as session:
        wanted = select(
            *(literal(each, Text).label(f"c{n}") for n, each in enumerate(texts)), null()
        )
        schema = pa.schema([(f"c{n}", pa.string()) for n in range(4)])
        assert rows(columns.read(session, wanted, schema)) == [(*texts, None)]
