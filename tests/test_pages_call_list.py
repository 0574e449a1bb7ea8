"""Single calls with what each cost: one figure on the page, in the API and in the ledger."""

import csv
import re
from datetime import timedelta
from decimal import Decimal
from html import unescape
from io import StringIO

import pytest
from fastapi.testclient import TestClient
from filled_ledger import asking
from sighted import NOON, hear, sighting
from test_api_keys import PEPPER, make_key
from test_calls import set_prices, settle, total

from spend.calls import Outcome, Owner, Route
from store.postgres.sessions import Database

pytestmark = pytest.mark.one_server

CALLS = 60
OCTOBER = {"from": "2026-10-01", "to": "2026-11-01"}
EVIL = Owner("support", feature="<script>alert(1)</script>")


@pytest.fixture
def client(database: Database) -> TestClient:
    set_prices(database, input="2.5", output="9.876543")
    hear(
        database,
        [
            sighting(
                trace,
                start_at=NOON - timedelta(seconds=trace),
                usage={"input": 7 * trace, "output": trace},
                owner=EVIL if trace % 2 else Owner("search"),
            )
            for trace in range(1, CALLS + 1)
        ]
        + [
            sighting(900, outcome=Outcome.TIMEOUT, usage={}),
            sighting(901, route=Route(provider="nobody", model="unknown")),
        ],
    )
    settle(database)
    return asking(database, key_pepper=PEPPER)


def ids(text: str) -> list[str]:
    return re.findall(r'href="/calls/([0-9a-f]{32})/', text)


def older(text: str) -> str | None:
    found = re.search(r'href="([^"]+)" rel="next"', text)
    return unescape(found[1]) if found else None


def test_pages_of_calls_hold_each_of_them_once(client: TestClient) -> None:
    text = client.get("/calls", params=OCTOBER).text
    found = ids(text)
    while address := older(text):
        text = client.get(address).text
        found += ids(text)
    assert len(found) == len(set(found)) == CALLS + 2
    assert "The latest" in text, "there is a way back"
    assert "There is no price for: input" in client.get("/calls?model=unknown").text


def test_the_costs_of_listed_calls_add_up_to_what_was_spent(
    client: TestClient, database: Database
) -> None:
    answer = client.get("/calls", params={**OCTOBER, "csv": "calls"})
    rows = list(csv.DictReader(StringIO(answer.text)))
    whole = Decimal(total(database)["cost"])
    assert sum(Decimal(row["cost"] or 0) for row in rows) == whole > 0
    listed = client.get("/v1/calls", params={**OCTOBER, "limit": 500}).json()["calls"]
    assert sum(Decimal(each["cost"] or 0) for each in listed) == whole
    by_trace = {each["trace_id"]: each for each in listed}
    unpriced = by_trace[f"{901:032x}"]
    assert (unpriced["cost"], unpriced["currency"]) == (None, "USD")
    for row in rows[-5:]:
        one = client.get(f"/v1/calls/{row['trace_id']}/{1:016x}").json()
        assert Decimal(one["cost"]) == Decimal(row["cost"])


def test_a_key_of_a_team_sees_its_own_calls_and_their_names_are_inert(
    client: TestClient, database: Database
) -> None:
    key = make_key(database, "read", "support")
    page = client.get("/calls", params=OCTOBER, headers=key).text
    traces = {int(each, 16) for each in ids(page)}
    assert traces
    assert all(trace % 2 for trace in traces)
    assert client.get("/calls?team=search", headers=key).status_code == 403
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
