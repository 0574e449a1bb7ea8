"""What was charged stays, until somebody has it priced again: then it is what one run would say."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from click.testing import CliRunner, Result
from closed_books import close, closed_sums
from fastapi.testclient import TestClient
from filled_ledger import CLAUDE, GPT, SUPPORT, asking, at, put_cell
from sqlalchemy import select, update
from test_charge_prices import NOW, context, cost, enter, line, posted

from app.commands import prices
from jobs.charging import charge, reprice
from spend.prices.repricings import Repricing
from store.postgres.sessions import Database
from store.prices import repricings
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


def test_what_a_clock_that_is_behind_enters_does_not_move_what_was_re_priced(
    database: Database,
) -> None:
    enter(database, line("input", "1"), now=NOW - timedelta(days=1))
    put(database, "10:00", input=100)
    charge.run(context(database))
    ask(database)
    reprice.run(context(database, LATER))
    enter(database, line("input", "3"), now=LATER - timedelta(seconds=2))
    with database.write() as session:
        session.execute(update(cells).values(input=150, charged=False))
    charge.run(context(database))
    assert cost(database) == Decimal("0.00015")


def test_re_priced_twice_is_once_and_several_follow_each_other(database: Database) -> None:
    enter(database, line("input", "1"), now=NOW - timedelta(days=1))
    put(database, "10:00", "10:30", input=100)
    charge.run(context(database))
    enter(database, line("input", "3"))
    first = ask(database, now=NOW + timedelta(seconds=1))
    assert ask(database, now=NOW + timedelta(seconds=2)) == first, (
        "asked for again before it is through: the same"
    )
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


def test_a_dry_run_tells_what_would_be_booked_and_books_nothing(
    database: Database,
) -> None:
    enter(database, line("input", "1"), now=NOW - timedelta(days=1))
    put(database, "10:00", "10:30", input=1_000_000)
    with database.write() as session:
        put_cell(session, "2026-10-20T10:00", SUPPORT, GPT, charged=False, input=1_000_000)
        put_cell(session, "2026-10-20T10:00", SUPPORT, CLAUDE, charged=False, calls=3, input=5)
    charge.run(context(database))
    enter(database, line("input", "3"))
    put(database, "11:00", input=7)
    client = asking(database, now="2026-10-20T13:05")
    asked = {"from": "2026-10-20T10:00:00Z", "to": "2026-10-20T12:00:00Z", "dry_run": True}
    before = state(database)
    made = client.post("/v1/repricings", json=asked | {"note": "MSA 2026-114"})
    assert made.status_code == 202
    reprice.run(context(database, LATER))
    assert state(database) == before
    told = client.get(f"/v1/repricings/{made.json()['id']}").json()
    assert (told["cells"], told["changed_cells"], told["lines"]) == (4, 3, 6)
    assert told["finished_at"] == "2026-10-20T13:05:00Z"
    assert told["difference"]["by_team"] == [
        {"team": "search", "before": "2.00", "after": "6.00", "difference": "4.00", "lines": 4,
         "unpriced_calls_before": 0, "unpriced_calls_after": 0},
        {"team": "support", "before": "1.00", "after": "3.00", "difference": "2.00", "lines": 2,
         "unpriced_calls_before": 3, "unpriced_calls_after": 3},
    ]  # fmt: skip
    assert [each["model"] for each in told["difference"]["by_model"]] == [
        "claude-sonnet-4-5",
        "gpt-4o",
    ]
    preview = list(reprice.preview(context(database, LATER), unkept()))
    assert [(each.cells, each.changed) for each in preview] == [(4, 3)]
    charge.run(context(database))
    booked = client.post("/v1/repricings", json=asked | {"dry_run": False}).json()
    reprice.run(context(database, LATER))
    assert client.get(f"/v1/repricings/{booked['id']}").json()["difference"]["total"] == {
        "before": "3.000007", "after": "9.000021", "difference": "6.000014",
        "unpriced_calls_before": 3, "unpriced_calls_after": 3, "lines": 8,
    }  # fmt: skip
    listed = client.get("/v1/repricings", params={"limit": 1}).json()
    assert [each["id"] for each in listed["repricings"]] == [booked["id"]]
    (rest,) = client.get("/v1/repricings", params={"before": listed["next"]}).json()["repricings"]
    assert (rest["note"], rest["requested_by"]) == ("MSA 2026-114", "anybody on this machine")
    assert client.get("/v1/repricings/99").status_code == 404


def unkept() -> Repricing:
    return Repricing.unkept(START, END, known_at=LATER, now=LATER)


def state(database: Database) -> list[object]:
    with database.read() as session:
        return [*session.scalars(select(charges.c.id)), *map(tuple, session.execute(select(cells)))]


@pytest.mark.parametrize(
    ("starts", "ends", "field"),
    [
        ("2026-10-20T10:00:00Z", "2026-10-20T10:00:00Z", "to"),
        ("2026-10-20T10:00:00Z", "2026-10-20T09:00:00Z", "to"),
        ("2026-10-20T10:05:00Z", None, "from"),
        ("2026-10-20T10:00:00Z", "2026-10-20T10:00:01Z", "to"),
        ("2026-10-21", None, "to"),
        ("2026-10-20T12:15:00Z", "2026-10-20T12:30:00Z", "from"),
        ("2026-10-20", "2026-10-21", "to"),
        ("2020-10-20", None, "to"),
        ("soon", None, "from"),
    ],
)
def test_a_time_that_makes_no_sense_is_refused_by_its_field(
    client: TestClient, starts: str, ends: str | None, field: str
) -> None:
    answer = client.post("/v1/repricings", json={"from": starts, "to": ends})
    assert (answer.status_code, answer.json()["field"]) == (422, field)


def test_what_else_is_wrong_is_refused(client: TestClient) -> None:
    for body, field in (
        ({}, "from"),
        ({"from": "2026-10-20", "dry_run": "yes"}, "dry_run"),
        ({"from": "2026-10-20", "colour": "red"}, "colour"),
        ({"from": "2026-10-20", "note": "x" * 1001}, "note"),
    ):
        answer = client.post("/v1/repricings", json=body)
        assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert client.get("/v1/repricings").json() == {"repricings": [], "next": None}


@pytest.fixture
def client(database: Database) -> TestClient:
    return asking(database, now="2026-10-20T12:07")


def test_who_enters_prices_is_told_what_they_leave_as_it_was(
    client: TestClient, database: Database
) -> None:
    price = {
        "provider": "openai", "model": "gpt-4o", "meter": "input", "unit_price": "2",
        "currency": "USD", "valid_from": "2026-10-01",
    }  # fmt: skip
    said = client.post("/v1/prices", json=price).json()["concerned"]
    assert (said["cells"], said["from"]) == (0, "2026-10-01T00:00:00Z")
    put(database, "10:00", "11:45", "12:00", input=100)
    charge.run(context(database))
    said = client.post("/v1/prices", json=price | {"unit_price": "3"}).json()["concerned"]
    assert said == {
        "cells": 2,
        "from": "2026-10-20T10:00:00Z",
        "to": "2026-10-20T12:00:00Z",
        "command": "spanledger prices reprice --from 2026-10-20T10:00Z --to 2026-10-20T12:00Z",
    }
    ahead = price | {"unit_price": "4", "valid_from": "2026-10-21"}
    assert client.post("/v1/prices", json=ahead).json()["concerned"] is None


def test_what_is_closed_is_priced_again_and_the_difference_booked_in_the_open_month(
    database: Database,
) -> None:
    enter(database, line("input", "1"), now=NOW - timedelta(days=1))
    put(database, "10:00", "11:00", input=1_000_000)
    charge.run(context(database))
    enter(database, line("input", "3"))
    close(database, "2026-10-20T11:00")
    asked = asking(database, now="2026-10-20T13:00").post(
        "/v1/repricings", json={"from": "2026-10-20T10:00:00Z", "to": "2026-10-20T12:00:00Z"}
    )
    assert asked.json()["booked_from"] == "2026-10-20T11:00:00Z"
    before = closed_sums(database, "2026-10-20T11:00")
    reprice.run(context(database, LATER))
    assert cost(database) == 6
    assert closed_sums(database, "2026-10-20T11:00") == before
    with database.read() as session:
        booked = session.execute(
            select(charges.c.slot, charges.c.booked_slot)
            .where(charges.c.repricing_id.is_not(None))
            .distinct()
            .order_by(charges.c.slot)
        ).all()
    assert [tuple(row) for row in booked] == [
        (at("2026-10-20T10:00"), at("2026-10-20T11:00")),
        (at("2026-10-20T11:00"), None),
    ]


def test_the_command_shows_the_difference_books_it_and_tells_how_to_go_on(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def told(*arguments: str) -> Result:
        monkeypatch.setenv("SPANLEDGER_DATABASE_URL", database_url)
        monkeypatch.setenv("COLUMNS", "200")
        return CliRunner().invoke(prices.command, ["reprice", *arguments])

    enter(database, line("input", "1"), now=NOW - timedelta(days=1))
    put(database, "10:00", "10:15", "10:30", input=1_000_000)
    charge.run(context(database))
    enter(database, line("input", "3"))
    time = ("--from", "2026-10-20T10:00Z", "--to", "2026-10-20T12:00Z")
    dry = told(*time, "--dry-run").output
    assert ["search", "3.00", "9.00", "+6.00", "0"] in [row.split() for row in dry.splitlines()]
    assert "to be booked: 6 lines for 3 of the cells. Nothing was booked" in dry
    assert len(posted(database)) == 3
    wrong = told("--from", "2026-10-20T10:05Z")
    assert (wrong.exit_code, "--from: must be on a quarter hour" in wrong.output) == (2, True)
    monkeypatch.setattr(reprice, "CELLS_AT_ONCE", 1)
    advance = repricings.advance

    def interrupted(*arguments: Any, **others: Any) -> Repricing:
        if len(posted(database)) > 3:
            raise KeyboardInterrupt
        return advance(*arguments, **others)

    with monkeypatch.context() as patched:
        patched.setattr(repricings, "advance", interrupted)
        stopped = told(*time)
    assert stopped.exit_code == 130
    assert "re-pricing 1 is booked until 2026-10-20 10:15 (1 cells, 2 lines)" in stopped.output
    assert "booked: 6 lines for 3 of the cells, as re-pricing 1" in told(*time).output
    assert cost(database) == 9
