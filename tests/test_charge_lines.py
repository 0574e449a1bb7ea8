"""Any number of a report can be taken apart into the lines of the ledger that add up to it."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import pytest
from fastapi.testclient import TestClient
from filled_ledger import CLAUDE, GPT, IDLE, LLAMA, SEARCH, asking, put_cell, put_charge
from hypothesis import given, settings
from hypothesis import strategies as st

from spend.calls import Owner
from store.breakdowns.dimensions import DIMENSIONS
from store.postgres.sessions import Database

pytestmark = pytest.mark.one_server

OCTOBER: Final = {"from": "2026-10-01", "to": "2026-11-01"}
COSTS: Final = ("cost", "list_cost", "contracted_cost", "billed_cost")
ZONES: Final = ("UTC", "Europe/Berlin", "Asia/Kathmandu")


@pytest.fixture(scope="module")
def chance() -> random.Random:
    return random.Random(5)


@pytest.fixture
def ledger(database: Database, chance: random.Random) -> TestClient:
    """Two months of lines of every kind, some of them of usage, some without."""
    owners = [Owner(team, feature=feature) for team in "abc" for feature in (None, "x")]
    routes = [GPT, replace(GPT, region="eu"), CLAUDE, replace(CLAUDE, model=None)]
    start = datetime(2026, 9, 30, tzinfo=UTC)
    with database.write() as session:
        for slot in chance.sample(range(33 * 96), 60):
            moment = (start + slot * timedelta(minutes=15)).isoformat()
            owner, route = chance.choice(owners), chance.choice(routes)
            if chance.random() < 0.7:
                put_cell(session, moment, owner, route, input=chance.randrange(10**6))
            for meter in chance.sample(("input", "output", "cache_read"), chance.randrange(4)):
                put_charge(
                    session,
                    moment,
                    _amount(chance),
                    owner,
                    route,
                    meter=meter,
                    kind=chance.choice(("original", "correction")),
                    quantity=chance.randrange(-5, 10),
                    listed=chance.choice((None, _amount(chance))),
                    contracted=_amount(chance),
                    billed=_amount(chance),
                )
        put_charge(session, "2026-10-07T10:00", "1", SEARCH, LLAMA, meter="pool", pool_id=1)
        put_charge(session, "2026-10-07T10:00", "2", IDLE, LLAMA, meter="idle", pool_id=1)
    return asking(database)


def _amount(chance: random.Random) -> str:
    return f"{Decimal(chance.randrange(-(10**14), 10**15)).scaleb(-12):f}"


def told(client: TestClient, path: str, **params: Any) -> dict[str, Any]:
    answer = client.get(path, params=OCTOBER | params)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def lines_of(client: TestClient, **params: Any) -> list[dict[str, Any]]:
    """All pages."""
    found, cursor = [], {}
    while True:
        body = told(client, "/v1/charges", limit=7, **params, **cursor)
        found += body["charges"]
        if body["next"] is None:
            assert len(found) == body["total"]["lines"]
            return found
        cursor = {"cursor": body["next"]}


def added(amounts: list[str | None]) -> Decimal | None:
    known = [Decimal(each) for each in amounts if each is not None]
    return sum(known, Decimal(0)) if known else None


def money(of: dict[str, Any]) -> list[Decimal | None]:
    return [None if of[name] is None else Decimal(of[name]) for name in COSTS]


def test_every_cell_of_every_report_is_the_sum_of_its_lines(ledger: TestClient) -> None:
    @settings(max_examples=25, deadline=None)
    @given(
        by=st.lists(st.sampled_from(DIMENSIONS), max_size=3, unique=True),
        zone=st.sampled_from(ZONES),
        team=st.sampled_from([(), ("a",), ("a", "idle"), ("b", "unknown")]),
        place=st.integers(0, 10**6),
    )
    def holds(by: list[str], zone: str, team: tuple[str, ...], place: int) -> None:
        asked: dict[str, Any] = {"timezone": zone} | ({"team": list(team)} if team else {})
        spend = told(ledger, "/v1/spend", group_by=",".join(by), **asked)
        total = told(ledger, "/v1/charges", limit=1, **asked)["total"]
        assert money(spend["total"]) == money(total)
        for name in ("cost", "contracted_cost", "billed_cost"):
            assert added([row[name] for row in spend["rows"]]) == added([total[name]])
        # One cell, drawn at random, taken apart.
        rows = [row for row in spend["rows"] if row["cost"] is not None]
        if rows and by:
            row = rows[place % len(rows)]
            narrowed = asked | {name: row[name] or "" for name in by}
            lines = lines_of(ledger, **narrowed)
            assert [
                added([line[name] for line in lines]) for name in COSTS if name != COSTS[1]
            ] == [Decimal(row[name]) for name in COSTS if name != COSTS[1]]
            assert money(told(ledger, "/v1/charges", **narrowed)["total"]) == money(row)

    holds()


def test_a_line_tells_what_it_is_for_and_what_it_came_from(database: Database) -> None:
    with database.write() as session:
        put_charge(session, "2026-10-05T10:15", "0.0025", listed="0.003", price_id=7)
    (line,) = lines_of(asking(database))
    assert (line["payer"]["team"], line["payer"]["project"]) == ("search", "web")
    assert (line["slot"], line["route"]["model"], line["meter"]) == (
        "2026-10-05T10:15:00Z",
        "gpt-4o",
        "input",
    )
    assert (line["price_id"], line["pool_id"], line["kind"]) == (7, None, "original")
    assert (line["cost"], line["list_cost"], line["quantity"]) == ("0.0025", "0.003", "1")


@pytest.mark.parametrize(
    "params",
    [
        {"cursor": "x"},
        {"cursor": "WyIyMDI2LTEwLTA1IiwgIjEiXQ"},
        {"cursor": "WzFd"},
        {"limit": 0},
        {"group_by": "team"},
        {"model": "a\0"},
    ],
)
def test_a_wrong_question_is_refused_by_name(database: Database, params: dict[str, Any]) -> None:
    answer = asking(database).get("/v1/charges", params=OCTOBER | params)
    assert answer.status_code == 422
    assert answer.json()["field"].removesuffix(".0") in params
