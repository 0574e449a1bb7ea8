"""Killed at any point, beside live ingest, a re-pricing ends as one that nothing happened to."""

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from closed_books import differing_usage
from filled_ledger import CLAUDE, GPT, SEARCH, SUPPORT, at, put_cell
from sqlalchemy import Engine, event, func, select, update
from test_charge_prices import line

from jobs.charging import charge, reprice
from jobs.context import JobContext
from spend.ids import content_id
from spend.prices.prices import PriceLine
from store.postgres.sessions import Database, open_database
from store.prices import books, repricings
from store.tables.ledger import charges
from store.tables.rollups import cells
from store.tenants import TENANT

START = at("2026-10-01")
END = at("2026-11-01")
NOW = at("2026-11-02T10:07")
KILLS = 50


class KilledError(Exception):
    """Somebody pulled the plug."""


def context(database: Database) -> JobContext:
    return JobContext(database=database, now=NOW)


def prices(text: str) -> list[PriceLine]:
    claude = {"provider": "anthropic", "model": "claude-sonnet-4-5"}
    return [
        line("input", text, valid_from=START),
        line("output", "10", valid_from=START),
        line("input", "7", valid_from=START, **claude),
        line("output", "15", valid_from=START, **claude),
    ]


def a_month(database: Database) -> None:
    """Charged at 1 for a million, and meant to cost 3."""
    dice = random.Random(20261001)
    with database.write() as session:
        books.enter_contract(session, TENANT, prices("1"), now=START - timedelta(days=1))
        for number in range(400):
            put_cell(
                session,
                (START + timedelta(minutes=15 * dice.randrange(24 * 31 * 4))).isoformat(),
                # A cell each: what is drawn twice would be the same.
                replace(dice.choice([SEARCH, SUPPORT]), feature=f"f{number % 97}"),
                dice.choice([GPT, GPT, CLAUDE]),
                band=number % 5,
                charged=False,
                unpriced=None,
                input=dice.randrange(1, 10**7),
                output=dice.randrange(0, 10**6),
            )
    charge.run(context(database))
    with database.write() as session:
        books.enter_contract(session, TENANT, prices("3"), now=NOW - timedelta(days=1))


def ask(database: Database) -> int:
    with database.write() as session:
        return repricings.request(session, TENANT, START, END, dry_run=False, now=NOW).id


def ledger(database: Database) -> dict[tuple[Any, ...], tuple[Decimal, ...]]:
    """Every place and meter, with its sums and the number of its lines."""
    place = (charges.c.slot, charges.c.owner_id, charges.c.route_id, charges.c.band)
    sums = [func.sum(each) for each in (charges.c.quantity, charges.c.amount)]
    with database.read() as session:
        found = session.execute(
            select(*place, charges.c.meter, *sums, func.count()).group_by(*place, charges.c.meter)
        )
        return {tuple(row[:5]): tuple(row[5:]) for row in found}


@contextmanager
def killed_after(engine: Engine, statements: int) -> Iterator[None]:
    """The backend of a session is terminated, or the process stops, after so many statements."""
    left = [statements]

    def count(connection: Any, *_others: object) -> None:
        left[0] -= 1
        if left[0] == 0:
            if statements % 2:
                raise KilledError
            with engine.connect() as other:
                other.exec_driver_sql(
                    f"SELECT pg_terminate_backend({connection.connection.info.backend_pid})"
                )

    event.listen(engine, "before_cursor_execute", count)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", count)


@pytest.mark.one_server
def test_killed_fifty_times_it_is_what_one_clean_run_is(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reprice, "CELLS_AT_ONCE", 12)
    a_month(database)
    before = ledger(database)
    id_ = ask(database)
    dice = random.Random(7)
    kills = 0
    while kills < KILLS:
        other = open_database(database_url, application="killed")
        with killed_after(other.engine, dice.randint(1, 16)), pytest.raises(Exception):  # noqa: B017, PT011  # however it died
            reprice.run(context(other))
        other.engine.dispose()
        kills += 1
        assert not finished(database, id_), "there was more to do, after each"
    reprice.run(context(database))
    assert finished(database, id_)
    assert ledger(database) == clean(before)
    assert not differing_usage(database)


def finished(database: Database, id_: int) -> bool:
    with database.read() as session:
        found = repricings.one(session, TENANT, id_)
    assert found is not None
    return found.finished_at is not None


def clean(before: dict[tuple[Any, ...], tuple[Decimal, ...]]) -> dict[Any, Any]:
    """What the ledger says after it, by hand: the input of one model costs three times as much."""
    from_gpt = {key for key in before if key[2] == content_id(GPT) and key[4] == "input"}
    return {
        key: (quantity, 3 * amount, lines + 2) if key in from_gpt else (quantity, amount, lines)
        for key, (quantity, amount, lines) in before.items()
    }


@pytest.mark.one_server
def test_calls_that_come_meanwhile_are_neither_lost_nor_priced_twice(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reprice, "CELLS_AT_ONCE", 12)
    a_month(database)
    ask(database)
    other = open_database(database_url, application="ingest")
    stop = threading.Event()

    def ingest() -> None:
        dice = random.Random(3)
        slots = [key[0] for key in ledger(other)]
        while not stop.is_set():
            with other.write() as session:
                # As the roll job does: usage is added, and the cell waits.
                session.execute(
                    update(cells)
                    .where(cells.c.slot == dice.choice(slots))
                    .values(input=cells.c.input + 1_000, calls=cells.c.calls + 1, charged=False)
                )
            charge.run(context(other))

    thread = threading.Thread(target=ingest)
    thread.start()
    try:
        reprice.run(context(database))
    finally:
        stop.set()
        thread.join()
    charge.run(context(database))
    # By hand: whatever came when, a cell costs its usage at the new prices.
    with database.read() as session:
        sums = (func.sum(cells.c.input), func.sum(cells.c.output))
        used = {
            row[0]: (row[1], row[2])
            for row in session.execute(select(cells.c.route_id, *sums).group_by(cells.c.route_id))
        }
        assert session.scalar(select(func.count()).where(~cells.c.charged)) == 0
        cost = session.scalar(select(func.sum(charges.c.amount)))
    gpt, claude = used[content_id(GPT)], used[content_id(CLAUDE)]
    expected = 3 * gpt[0] + 10 * gpt[1] + 7 * claude[0] + 15 * claude[1]
    assert cost == expected / Decimal(1_000_000)
    assert not differing_usage(database)
    other.engine.dispose()
