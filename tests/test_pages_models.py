"""Models on pages: what each cost and every price it had; names are inert, teams see their own."""

import csv
from io import StringIO

import pytest
from fastapi.testclient import TestClient
from filled_ledger import CLAUDE, GPT, SEARCH, SUPPORT, asking, at, put_cell, put_charge
from test_api_keys import PEPPER, make_key

from spend.calls import Route
from spend.prices.price_files import price_lines
from spend.written_rows import Row
from store.postgres.sessions import Database
from store.prices.books import enter_contract
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

EVIL = Route(
    provider="javascript:alert(1)",
    model="<script>alert('\u202e')</script>/" + "x" * 900,
    deployment="api",
)
OF_GPT = {"provider": "openai", "model": "gpt-4o"}


def enter(database: Database, price: str, since: str, now: str) -> None:
    said = {**OF_GPT, "meter": "input", "currency": "USD", "reference": "MSA 7"}
    rows = [Row(1, said | {"unit_price": price, "valid_from": since})]
    lines = price_lines(rows, source="contract.csv", entered_by="Ada")
    with database.write() as session:
        enter_contract(session, TENANT, lines, now=at(now))


@pytest.fixture
def client(database: Database) -> TestClient:
    with database.write() as session:
        for owner, route, amount in ((SEARCH, GPT, "3.123456789012"), (SUPPORT, CLAUDE, "10")):
            put_cell(session, "2026-10-05", owner, route, calls=5, input=1000, output=7)
            put_charge(session, "2026-10-05", amount, owner, route, quantity=1000)
        put_cell(session, "2026-10-06", SEARCH, GPT, calls=2, unpriced=2, input=10)
        put_cell(session, "2026-10-07", SEARCH, EVIL, calls=1)
        put_charge(session, "2026-10-07", "1", SEARCH, EVIL)
    return asking(database, now="2026-10-20T12:00", key_pepper=PEPPER)


def table(client: TestClient, place: str, name: str, **asked: str) -> list[dict[str, str]]:
    answer = client.get(place, params={**asked, "csv": name})
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(StringIO(answer.text)))


def test_models_are_listed_dearest_first_with_exact_money_in_csv(client: TestClient) -> None:
    text = client.get("/models").text
    assert text.index("claude-sonnet-4-5") < text.index(">gpt-4o<")
    assert "2 unpriced" in text
    # 14.123456789012 USD for 2,014 tokens: those without a price are not among them.
    assert "$7,012.64" in text
    rows = {row["model"]: row for row in table(client, "/models", "called")}
    assert rows["gpt-4o"]["cost"] == "3.123456789012"
    assert (rows["gpt-4o"]["calls"], rows["gpt-4o"]["provider"]) == ("7", "openai")
    assert client.get("/models?month=2026-13").status_code == 422
    assert client.get("/models?month=2026-09").text.count("No model was called") == 1


def test_any_name_of_a_model_is_inert_and_has_a_page(client: TestClient) -> None:
    for place in ("/models", "/prices/unpriced"):
        assert "<script>alert" not in client.get(place).text
    answer = client.get(
        "/models/one", params={"provider": str(EVIL.provider), "model": str(EVIL.model)}
    )
    assert answer.status_code == 200
    assert "<script>alert" not in answer.text
    assert 'href="javascript:' not in answer.text
    assert client.get("/models/one?provider=acme&model=none").status_code == 404
    assert client.get("/models/one?provider=acme").status_code == 422


def test_a_model_tells_what_it_cost_and_every_price_it_had(
    client: TestClient, database: Database
) -> None:
    enter(database, "2.5", "2026-10-01", "2026-10-02")
    enter(database, "2.125", "2026-10-10", "2026-10-09")
    teams = table(client, "/models/one", "teams", **OF_GPT)
    assert [(row["team"], row["cost"]) for row in teams] == [("search", "3.123456789012")]
    (meter,) = table(client, "/models/one", "meters", **OF_GPT)
    assert (meter["meter"], meter["cost"], meter["quantity"]) == (
        "input",
        "3.123456789012",
        "1000",
    )
    history = table(client, "/models/one", "history", **OF_GPT)
    told = {(row["unit_price"], row["valid_from"][:10], row["state"]) for row in history}
    assert told == {
        ("2.125", "2026-10-10", "charged"),
        ("2.50", "2026-10-01", "ended"),
        ("2.50", "2026-10-01", "superseded"),
    }
    assert {row["entered_by"] for row in history} == {"Ada"}
    shown = client.get("/models/one", params=OF_GPT).text
    assert "$2.125" in shown
    assert "What a million units of gpt-4o cost" in shown
    assert "/prices/unpriced/price?" in shown, "what has no price can be priced from here"


def test_a_team_sees_its_own_models_and_no_prices(client: TestClient, database: Database) -> None:
    key = make_key(database, "read", team="support")
    rows = client.get("/models?csv=called", headers=key).text
    assert "claude" in rows
    assert "gpt-4o" not in rows
    assert client.get("/models/one", params=OF_GPT, headers=key).status_code == 404
    own = {"provider": "anthropic", "model": "claude-sonnet-4-5"}
    shown = client.get("/models/one", params=own, headers=key)
    assert "Prices are shown to keys that see the whole ledger" in shown.text
    assert (
        client.get("/models/one", params=own | {"csv": "history"}, headers=key).status_code == 422
    )
    for place in ("", "/unpriced", "/discrepancies", "/discounts", "/repricings", "/rates"):
        assert client.get(f"/prices{place}", headers=key).status_code == 403
