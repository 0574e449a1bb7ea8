"""What was known on 3 November is asked again later, and is the same, byte for byte."""

import random
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from itertools import product
from threading import Thread
from time import monotonic
from typing import Any, Final

import pytest
from closed_months import settle, soft_close
from fastapi.testclient import TestClient
from filled_ledger import asking, at, put_charge
from owned import apply, moved, rules
from sighted import hear, sighting
from sqlalchemy import text

from jobs.charging import reprice
from jobs.context import JobContext
from spend.calls import Outcome, Owner, Route
from spend.capacity.pool_files import pool_of_fields
from spend.prices.prices import CONTRACT, LIST, PriceLine
from store import waiting
from store.capacity import pools
from store.postgres.sessions import Database
from store.prices import books
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

KNOWN: Final = "2026-11-03T00:00:00Z"
TEAMS: Final = [Owner(team, service=f"{team}-api") for team in ("search", "ads", "support")]
ASKED: Final = Route("openai", "gpt", "gpt", "chat", "api")
ANSWERED: Final = Route("openai", "gpt-2026-08", "gpt", "chat", "api", region="eu")
NEWER: Final = Route("openai", "gpt-2026-11", "gpt", "chat", "api")
UNPRICED: Final = Route("acme", "new", None, "chat", "api")
LLAMA: Final = Route("vllm", "llama", None, "chat", "self-hosted")
ROUTES: Final = (ANSWERED, ANSWERED, UNPRICED, LLAMA)
POOL: Final = {
    "name": "gpus",
    "cost_per_hour": "3",
    "from": "2026-10-29",
    "to": "2026-10-31",
    "match": {"provider": ["vllm"]},
}
CREDITS: Final = {
    "name": "credits",
    "kind": "prepaid",
    "amount": "400",
    "paid": "300",
    "currency": "USD",
    "provider": "openai",
    "valid_from": "2026-10-01",
}
OCTOBER: Final = {"from": "2026-10-01", "to": "2026-11-01"}
ZONES: Final = ("UTC", "Asia/Kathmandu")


def line(book: str, model: str, meter: str, price: int) -> PriceLine:
    return PriceLine(
        book=book,
        provider="openai",
        model=model,
        meter=meter,
        unit_price=Decimal(price),
        currency="USD",
        valid_from=at("2026-09-01"),
        source="test",
    )


class Company:
    """Calls that are made up, and what people change."""

    def __init__(self, database: Database, chance: random.Random) -> None:
        self.database, self.chance = database, chance
        self.heard = 0

    def client(self, now: str) -> TestClient:
        return asking(self.database, now=now)

    def post(self, noun: str, body: dict[str, Any], now: str) -> dict[str, Any]:
        answer = self.client(now).post(f"/v1/{noun}", json=body)
        assert answer.status_code in {201, 202}, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def calls(self, count: int, *routes: Route, failed: bool = False, now: str) -> None:
        """Calls of the last days of October, and of those around; heard, and settled."""
        made = []
        for _ in range(count):
            self.heard += 1
            start = at("2026-09-30") + self.chance.randrange(33 * 96) * timedelta(minutes=15)
            usage = {} if failed else {"input": self.chance.randrange(10**6), "output": 10**4}
            made.append(
                sighting(
                    self.heard,
                    self.heard,
                    start_at=start,
                    owner=self.chance.choice(TEAMS),
                    route=self.chance.choice(routes),
                    outcome=Outcome.ERROR if failed else Outcome.OK,
                    usage=usage,
                )
            )
        hear(self.database, made, received_at=at(now) - timedelta(hours=1))
        settle(self.database, at(now))


@pytest.fixture
def company(database: Database) -> Company:
    found = Company(database, random.Random(3))
    with database.write() as session:
        lists = [line(LIST, ANSWERED.model or "", *each) for each in (("input", 4), ("output", 9))]
        contract = [line(CONTRACT, ANSWERED.model or "", "input", 3)]
        books.replace_list(session, lists, now=at("2026-09-01"))
        books.enter_contract(session, TENANT, contract, now=at("2026-09-01"))
    found.post("pools", POOL, "2026-10-01")
    found.post("commitments", CREDITS, "2026-10-01")
    budget = {"name": "search", "amount": "100", "filter": {"team": ["search"]}}
    found.post("budgets", budget, "2026-10-02")
    found.calls(25, *ROUTES, now="2026-11-01T06:00")
    found.calls(4, ASKED, failed=True, now="2026-11-02T09:00")
    return found


def questions(**also: str) -> Iterator[tuple[str, dict[str, str]]]:
    for zone in ZONES:
        whose = {"timezone": zone, **also}
        yield "statements/2026-10", whose
        yield "statements/2026-10.csv", whose
        for period, grouped in product(("charge", "billing"), ("day,team", "model,service")):
            yield "spend", {**OCTOBER, "period": period, "group_by": grouped, **whose}
        yield "charges", {**OCTOBER, "period": "billing", "limit": "1000", **whose}
        yield "charges", {**OCTOBER, "model": str(ANSWERED.model), "limit": "1000", **whose}


def asked(client: TestClient, **also: str) -> dict[str, bytes]:
    found = {}
    for path, query in questions(**also):
        answer = client.get(f"/v1/{path}", params=query)
        assert answer.status_code == 200, answer.text
        found[f"{path} {query}"] = answer.content
    return found


def ten_price_edits(company: Company) -> None:
    for number in range(10):
        now = (at("2026-11-03T02:00") + timedelta(hours=number)).isoformat()
        body = {
            "provider": "openai",
            "model": ANSWERED.model,
            "meter": company.chance.choice(("input", "output")),
            "unit_price": str(company.chance.randrange(1, 20)),
            "currency": "USD",
            "valid_from": f"2026-10-{company.chance.randrange(1, 28):02}",
        }
        answer = company.client(now).post("/v1/prices", json=body)
        assert answer.status_code in {201, 409, 422}, answer.text
        asked = {"from": "2026-10-01T00:00:00Z", "to": "2026-11-01T00:00:00Z"}
        company.post("repricings", asked, now)
        later = at(now) + timedelta(minutes=5)
        reprice.run(JobContext(company.database, now=later, by_hand=True))
        settle(company.database, later)


def everything_else(company: Company) -> None:
    """What people and machines do after 3 November."""
    company.calls(5, *ROUTES, now="2026-11-04T09:00")
    company.calls(2, NEWER, now="2026-11-05T09:00")
    apply(
        company.database, rules(moved("ads", "search", from_="2026-10-01")), at("2026-11-05T10:00")
    )
    dearer = pool_of_fields(
        {**POOL, "cost_per_hour": "4"}, currency="USD", now=at("2026-11-05T11:00")
    )
    with company.database.write() as session:
        pools.apply(session, TENANT, [dearer])
    settle(company.database, at("2026-11-05T12:00"))
    client = company.client("2026-11-06")
    changed = client.patch("/v1/budgets/1", json={"amount": "50"})
    assert changed.status_code == 200, changed.text
    assert client.delete("/v1/budgets/1").status_code == 204
    settle(company.database, at("2026-11-06T12:00"))
    for month in ("2026-09", "2026-10"):
        soft_close(company.database, month, at("2026-11-07"))
    company.calls(5, *ROUTES, now="2026-11-08T09:00")
    withdrawn = company.client("2026-11-09").delete("/v1/commitments/1")
    assert withdrawn.status_code in {200, 204}, withdrawn.text
    settle(company.database, at("2026-11-09T09:00"))


def test_what_was_known_on_3_november_is_the_same_after_everything_that_came(
    company: Company,
) -> None:
    before = asked(company.client("2026-11-03T00:00"), as_known_at=KNOWN)
    unbound = asked(company.client("2026-11-03T00:00"))
    ten_price_edits(company)
    everything_else(company)
    after = asked(company.client("2026-12-24"), as_known_at=KNOWN)
    moved_on = asked(company.client("2026-12-24"))
    assert [name for name in before if before[name] != after[name]] == []
    assert all(unbound[name] != moved_on[name] for name in unbound), "or nothing was tried"


def test_what_was_known_is_what_was_told_then(company: Company) -> None:
    client = company.client("2026-11-03T00:00")
    now, known = (
        client.get("/v1/statements/2026-10", params=how).json()
        for how in ({}, {"as_known_at": KNOWN})
    )
    for body in (now, known):
        assert body.pop("as_known_at", None) in {None, KNOWN}
        body.pop("complete_until")
    assert now == known
    assert any(row["model"] == ANSWERED.model and row["errors"] for row in known["rows"])


def test_a_moment_to_come_is_refused(database: Database) -> None:
    client = asking(database, now="2026-11-03T00:00")
    for path in ("spend", "charges", "statements/2026-10", "statements/2026-10.csv"):
        for moment in (
            "2026-11-03T00:00:00.000001Z",
            "2026-11-04",
            "yesterday",
            "2026-11-03T00:00",
        ):
            answer = client.get(f"/v1/{path}", params={"as_known_at": moment})
            assert answer.status_code == 422, answer.text
            assert answer.json()["field"] == "as_known_at"


@pytest.mark.parametrize("path", ["charges", "statements/2026-10"])
def test_who_asks_waits_for_whoever_is_posting(database: Database, path: str) -> None:
    client = asking(database, now="2026-11-03T00:00")
    told: list[Any] = []
    query = {**(OCTOBER if path == "charges" else {}), "as_known_at": KNOWN}
    ask = Thread(target=lambda: told.append(client.get(f"/v1/{path}", params=query).json()))
    with database.write() as session:
        waiting.lock_ledger(session)
        put_charge(session, "2026-10-05T10:15", "7", posted="2026-11-02T23:59:59")
        ask.start()
        until = monotonic() + 20
        waits = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        while not session.scalar(waits):
            assert monotonic() < until, "nobody waits"
    ask.join()
    assert Decimal(told[0]["total"]["cost"]) == 7
    if path == "charges":
        assert told[0]["charges"][0]["posted_at"] == "2026-11-02T23:59:59Z"
