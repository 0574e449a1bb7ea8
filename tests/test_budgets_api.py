"""Budgets over REST: what is set is kept exactly, what makes no sense is refused by field."""

import json
from typing import Any

import pytest
from budgeted import charge, evaluate, send
from fastapi.testclient import TestClient
from filled_ledger import asking, at, put_run

from spend.fiscal import FiscalYear
from store.access.keys import create_key
from store.postgres.sessions import Database
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

NOW = "2026-11-15T12:00"
SEARCH: dict[str, Any] = {
    "name": "search",
    "filter": {"team": ["search"]},
    "amount": "1000.00",
    "currency": "USD",
    "period": "month",
    "thresholds": [80, 100],
}


@pytest.fixture
def client(database: Database) -> TestClient:
    return asking(database, now=NOW)


def test_a_budget_is_set_shown_changed_and_closed(client: TestClient) -> None:
    made = client.post("/v1/budgets", json=SEARCH)
    assert made.status_code == 201
    budget = made.json()
    assert budget == SEARCH | {
        "id": 1,
        "version": 1,
        "timezone": "UTC",
        "fiscal": None,
        "own_period": None,
        "forecast_thresholds": [],
        "pace_thresholds": [],
        "rollover_cap": None,
        "parent": None,
        "children": [],
        "owner": None,
        "channels": [],
        "remind_hours": None,
        "webhook_url": None,
        "created_at": "2026-11-15T12:00:00Z",
        "effective_from": "2026-11-15T12:00:00Z",
        "to_come": None,
    }
    assert client.get("/v1/budgets").json() == {"budgets": [budget]}
    changed = client.patch("/v1/budgets/1", json={"amount": 2000, "thresholds": [100, 50]}).json()
    assert (changed["version"], changed["amount"]) == (2, "2000.00")
    assert changed["thresholds"] == [50, 100]
    assert client.get("/v1/budgets/1").json() == changed
    assert client.delete("/v1/budgets/1").status_code == 204
    assert client.get("/v1/budgets").json() == {"budgets": []}
    for answer in (
        client.get("/v1/budgets/1"),
        client.get("/v1/budgets/1/status"),
        client.patch("/v1/budgets/1", json={"amount": "1"}),
        client.delete("/v1/budgets/1"),
    ):
        assert answer.status_code == 404
    assert client.post("/v1/budgets", json=SEARCH).json()["id"] == 2, "its name is free again"


def test_what_is_left_out_has_a_default(client: TestClient) -> None:
    made = client.post(
        "/v1/budgets", json={"name": "all", "filter": {}, "amount": "0.000000000001"}
    )
    assert made.status_code == 201
    expected = {"currency": "USD", "period": "month", "timezone": "UTC", "thresholds": [80, 100]}
    assert expected.items() <= made.json().items()
    assert made.json()["amount"] == "0.000000000001"


def test_the_same_terms_again_are_no_new_version(client: TestClient) -> None:
    client.post("/v1/budgets", json=SEARCH)
    for change in ({}, {"amount": "1000"}, SEARCH):
        assert client.patch("/v1/budgets/1", json=change).json()["version"] == 1


def test_a_webhook_is_a_secret(client: TestClient) -> None:
    url = "https://hooks.slack.com/services/T0/B0/abcdefgh1234"
    made = client.post("/v1/budgets", json=SEARCH | {"webhook_url": url})
    assert made.json()["webhook_url"] == "…1234"
    for path in ("/v1/budgets", "/v1/budgets/1", "/v1/budgets/1/status", "/v1/alerts"):
        assert "abcdefgh" not in client.get(path).text
    refused = client.patch("/v1/budgets/1", json={"webhook_url": "http://10.0.0.1/abcdefgh"})
    assert refused.status_code == 422
    assert "abcdefgh" not in refused.text
    assert client.patch("/v1/budgets/1", json={"webhook_url": None}).json()["webhook_url"] is None


MAKES_NO_SENSE: list[tuple[dict[str, Any], str]] = [
    ({"currency": "EURO"}, "currency"),
    ({"amount": 1000.5}, "amount"),
    ({"amount": 1000.0}, "amount"),
    ({"amount": "1e3"}, "amount"),
    ({"amount": "-1"}, "amount"),
    ({"amount": -1}, "amount"),
    ({"amount": "NaN"}, "amount"),
    ({"amount": "Infinity"}, "amount"),
    ({"amount": "1,000"}, "amount"),
    ({"amount": "\u0661\u0660"}, "amount"),
    ({"amount": ""}, "amount"),
    ({"amount": True}, "amount"),
    ({"amount": None}, "amount"),
    ({"amount": ["1"]}, "amount"),
    ({"amount": "0.0000000000001"}, "amount"),
    ({"amount": 10**400}, "amount"),
    ({"filter": {"mood": ["good"]}}, "filter.mood"),
    ({"filter": {"team": []}}, "filter.team"),
    ({"filter": {"team": "search"}}, "filter.team"),
    ({"filter": {"team": [1]}}, "filter.team.0"),
    ({"filter": {"team": ["a\0b"]}}, "filter.team"),
    ({"filter": {"deployment": ["cloud"]}}, "filter.deployment"),
    ({"filter": ["team"]}, "filter"),
    ({"period": "fortnight"}, "period"),
    ({"timezone": "Mars/Olympus"}, "timezone"),
    ({"timezone": "../../etc/passwd"}, "timezone"),
    ({"timezone": "/etc/localtime"}, "timezone"),
    ({"timezone": "America"}, "timezone"),
    ({"timezone": "a\0"}, "timezone"),
    ({"timezone": ""}, "timezone"),
    ({"timezone": "localtime"}, "timezone"),
    ({"timezone": "posix/Europe/Berlin"}, "timezone"),
    ({"currency": ""}, "currency"),
    ({"thresholds": [0]}, "thresholds"),
    ({"thresholds": [-80]}, "thresholds"),
    ({"thresholds": [80.5]}, "thresholds.0"),
    ({"thresholds": ["80"]}, "thresholds.0"),
    ({"thresholds": [80, 80]}, "thresholds"),
    ({"thresholds": [10**30]}, "thresholds"),
    ({"thresholds": list(range(1, 100))}, "thresholds"),
    ({"name": "  "}, "name"),
    ({"name": "a\nb"}, "name"),
    ({"name": "a" * 101}, "name"),
    ({"webhook_url": "https://169.254.169.254/"}, "webhook_url"),
    ({"webhook_url": ""}, "webhook_url"),
    ({"parent": "9" * 5000}, "parent"),
    ({"parent": "\u0661"}, "parent"),
    ({"colour": "red"}, "colour"),
]


def test_what_makes_no_sense_is_refused_by_field(client: TestClient) -> None:
    client.post("/v1/budgets", json=SEARCH | {"name": "kept"})
    for change, field in MAKES_NO_SENSE:
        new = client.post("/v1/budgets", json=SEARCH | change)
        changed = client.patch("/v1/budgets/1", json=change)
        for answer in (new, changed):
            assert answer.status_code == 422, answer.text
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["field"] == field
    assert client.get("/v1/budgets/1").json()["version"] == 1


def test_half_a_character_is_refused_by_field(client: TestClient) -> None:
    body = json.dumps(SEARCH | {"filter": {"team": ["\ud800"]}})
    answer = client.post("/v1/budgets", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["field"]) == (422, "filter.team")
    body = json.dumps(SEARCH | {"filter": {"\ud800": ["a"]}})
    answer = client.post("/v1/budgets", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["field"]) == (422, "filter.\\ud800")


def test_a_body_that_cannot_be_read_is_told_and_no_answer_is_larger_than_it_need_be(
    client: TestClient,
) -> None:
    for body in ("[" * 3000, '{"amount": ' + "9" * 5000 + "}", '{"name": "\udcff"}'):
        answer = client.post(
            "/v1/budgets",
            content=body.encode(errors="surrogateescape"),
            headers={"Content-Type": "application/json"},
        )
        assert answer.status_code in {400, 422}
        assert answer.json()["field"] == "body", body[:20]
    answer = client.post("/v1/budgets", json=SEARCH | {"thresholds": ["a"] * 10_000})
    assert answer.status_code == 422
    assert len(answer.json()["errors"]) == 20


def test_an_inexact_amount_is_refused_with_the_way_to_write_it(client: TestClient) -> None:
    answer = client.post("/v1/budgets", json=SEARCH | {"amount": 0.1})
    assert "is not exact: write it as" in answer.json()["detail"]


def test_a_name_is_there_once(client: TestClient) -> None:
    client.post("/v1/budgets", json=SEARCH)
    client.post("/v1/budgets", json=SEARCH | {"name": "ads"})
    for answer in (
        client.post("/v1/budgets", json=SEARCH),
        client.patch("/v1/budgets/2", json={"name": "search"}),
    ):
        assert (answer.status_code, answer.json()["field"]) == (409, "name")
    assert client.get("/v1/budgets/2").json()["version"] == 1


def test_an_id_that_is_none_is_no_failure_of_ours(client: TestClient) -> None:
    assert client.get("/v1/budgets/1").status_code == 404
    for wrong in ("0", "-1", "x", str(2**63), "1.5"):
        assert client.get(f"/v1/budgets/{wrong}").status_code == 422


def test_the_status_says_what_is_spent_left_and_crossed(
    client: TestClient, database: Database
) -> None:
    client.post("/v1/budgets", json=SEARCH | {"amount": "100", "timezone": "Europe/Berlin"})
    with database.write() as session:
        put_run(session, "roll", "2026-11-15T11:58")
        put_run(session, "charge", "2026-11-15T11:57")
    charge(database, "50", slot="2026-10-31T22:45")  # October in Berlin
    charge(database, "85.123456789012", slot="2026-10-31T23:00")
    charge(database, "5", team="ads")
    evaluate(database)
    status = client.get("/v1/budgets/1/status").json()
    assert status.pop("budget") == client.get("/v1/budgets/1").json()
    assert status == {
        "spent": "85.123456789012",
        "without_rate": [],
        "amount": "100.00",
        "rolled_in": "0.00",
        "limit": "100.00",
        "currency": "USD",
        "percent": "85.12",
        "left": "14.876543210988",
        "period": "2026-11",
        "period_start": "2026-10-31T23:00:00Z",
        "period_end": "2026-11-30T23:00:00Z",
        "thresholds": [
            {"percent": 80, "crossed_at": "2026-11-15T12:00:00Z"},
            {"percent": 100, "crossed_at": None},
        ],
        "pace": None,
        "forecast": None,
        "allocated": None,
        "unallocated": None,
        "complete_until": "2026-11-15T11:57:00Z",
        "state": "warning",
        "trouble": None,
    }
    charge(database, "20")
    status = client.get("/v1/budgets/1/status").json()
    assert (status["state"], status["left"]) == ("over", "-5.123456789012")


def test_a_new_budget_is_ok_and_nothing_is_promised(client: TestClient) -> None:
    client.post("/v1/budgets", json=SEARCH)
    status = client.get("/v1/budgets/1/status").json()
    assert (status["spent"], status["percent"], status["state"]) == ("0.00", "0.00", "ok")
    assert status["complete_until"] is None


def test_a_key_of_one_team_sees_that_teams_budgets_and_changes_none(
    client: TestClient, database: Database
) -> None:
    for team in ("search", "ads"):
        body = SEARCH | {"name": team, "filter": {"team": [team]}, "amount": 1}
        client.post("/v1/budgets", json=body)
    client.post("/v1/budgets", json=SEARCH | {"name": "both", "filter": {}, "amount": 1})
    charge(database, "1")
    charge(database, "1", team="ads")
    evaluate(database)
    send(database)
    with database.write() as session:
        key = create_key(
            session, tenant=TENANT, kind="read", name="x", team="ads", pepper=b"", now=at(NOW)
        )
    mine = {"Authorization": f"Bearer {key}"}
    seen = client.get("/v1/budgets", headers=mine).json()["budgets"]
    assert [each["name"] for each in seen] == ["ads"]
    assert client.get("/v1/budgets/1/status", headers=mine).status_code == 404
    assert client.get("/v1/budgets/2/status", headers=mine).status_code == 200
    alerts = client.get("/v1/alerts", headers=mine).json()
    assert {each["budget"] for each in alerts["alerts"]} == {"ads"}
    assert alerts["counters"] is None
    assert client.patch("/v1/budgets/2", json={"amount": 9}, headers=mine).status_code == 403
    assert client.get("/v1/budgets").status_code == 401


def test_a_budget_of_a_fiscal_period_says_how_its_year_is_cut(database: Database) -> None:
    retail = FiscalYear("4-5-4", 2, "sunday", "nearest")
    client = asking(database, now=NOW, fiscal_year=retail)
    made = client.post("/v1/budgets", json=SEARCH | {"period": "fiscal-quarter"}).json()
    cut = {"kind": "4-5-4", "starts_in": 2, "week_starts_on": "sunday", "ends": "nearest"}
    assert made["fiscal"] == cut
    # 15 November 2026 is in the quarter of 1 November to 30 January.
    status = client.get(f"/v1/budgets/{made['id']}/status").json()
    assert (status["period_start"], status["period_end"]) == (
        "2026-11-01T00:00:00Z",
        "2027-01-31T00:00:00Z",
    )
    assert client.post("/v1/budgets", json=SEARCH | {"name": "m"}).json()["fiscal"] is None
