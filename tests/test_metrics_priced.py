"""Tokens of no known call, as counters tell them, are priced and shown like any others."""

from decimal import Decimal
from typing import Any

from filled_ledger import GPT, SEARCH, asking, put_cell, put_run
from sqlalchemy import select
from test_charge_prices import context, enter, line

from jobs.charging import charge
from store.postgres.sessions import Database
from store.tables.rollups import cells

SLOT = "2026-10-20T10:00"
OCTOBER = {"from": "2026-10-01", "to": "2026-11-01"}


def tell(database: Database, **usage: Any) -> None:
    with database.write() as session:
        put_cell(session, SLOT, SEARCH, GPT, calls=0, unpriced=None, charged=False, **usage)
        put_run(session, "roll", "2026-10-20T12:00")
    charge.run(context(database))


def spend(database: Database) -> dict[str, Any]:
    rows = asking(database).get("/v1/spend", params=OCTOBER | {"group_by": "model"}).json()["rows"]
    (row,) = rows
    assert isinstance(row, dict)
    return row


def test_tokens_of_no_known_call_cost_what_the_price_book_says(database: Database) -> None:
    enter(database, line("input", "2.50"), line("output", "10"))
    tell(database, input=1_000_000, output=100_000)
    row = spend(database)
    assert Decimal(row["cost"]) == Decimal("3.5")
    assert (row["calls"], row["unpriced_calls"], row["unpriced_tokens"]) == (0, 0, 0)
    assert row["usage"]["input_tokens"] == 1_000_000


def test_tokens_of_no_known_call_without_a_price_are_shown_as_unpriced(database: Database) -> None:
    tell(database, input=900, output=100)
    row = spend(database)
    assert row["cost"] is None
    assert (row["calls"], row["unpriced_calls"], row["unpriced_tokens"]) == (0, 0, 1000)
    client = asking(database)
    (queued,) = client.get("/v1/prices/unpriced", params=OCTOBER).json()["unpriced"]
    assert (queued["model"], queued["reason"], queued["calls"]) == ("gpt-4o", "no price", 0)
    assert queued["usage"]["input_tokens"] == 900
    statement = client.get("/v1/statements/2026-10").json()
    assert statement["unpriced"]["tokens"] == 1000
    assert [(row["model"], row["tokens"]) for row in statement["unpriced"]["rows"]] == [
        ("gpt-4o", 1000)
    ]
    # And they are told once the price is known.
    enter(database, line("input", "2.50"), line("output", "10"))
    charge.run(context(database))
    assert Decimal(spend(database)["cost"]) == Decimal("0.00325")


def test_a_price_that_is_taken_back_leaves_the_cost_unknown(database: Database) -> None:
    tell(database, input=900)
    with database.read() as session:
        found = session.execute(select(cells.c.unpriced_calls, cells.c.unpriced_tokens)).one()
    assert tuple(found) == (0, 900)
