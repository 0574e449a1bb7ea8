"""Alert rules over the API: set, changed, tried, looked at; a mistake is told by field."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from filled_ledger import GPT, SEARCH, SUPPORT, asking, put_cell
from sqlalchemy import func, select
from watching import NOW, complete, go_round

from spend.calls import Outcome
from store.access.keys import create_key
from store.postgres.sessions import Database
from store.tables.budgets import outbox
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

RULE = {"name": "errors", "kind": "error-rate", "by": ["team"], "warning": "2.5", "over": 10}


@pytest.fixture
def client(database: Database) -> TestClient:
    return asking(database)


def errors(database: Database) -> None:
    with database.write() as session:
        put_cell(session, "2026-10-20T11:45", SEARCH, GPT, calls=50, outcome=Outcome.TIMEOUT)
        put_cell(session, "2026-10-20T11:45", SUPPORT, GPT, calls=50)
    complete(database)


def test_a_rule_is_set_read_changed_and_closed(client: TestClient) -> None:
    made = client.post("/v1/alert-rules", json=RULE)
    assert made.status_code == 201
    assert made.json() == {
        "id": 1,
        "version": 1,
        "name": "errors",
        "kind": "error-rate",
        "filter": {},
        "by": ["team"],
        "window_minutes": 60,
        "unit": "percent",
        "warning": "2.5",
        "over": "10",
        "minimum": "20",
        "recover_minutes": 2,
        "owner": None,
        "channels": [],
        "remind_hours": None,
        "created_at": "2026-10-20T12:00:00Z",
    }
    changed = client.patch("/v1/alert-rules/1", json={"over": "20", "owner": "Ops"}).json()
    assert (changed["version"], changed["warning"], changed["over"]) == (2, "2.5", "20")
    assert client.get("/v1/alert-rules").json() == {"rules": [changed]}
    assert client.get("/v1/alert-rules/1").json() == changed
    taken = client.post("/v1/alert-rules", json=RULE)
    assert (taken.status_code, taken.json()["field"]) == (409, "name")
    assert client.delete("/v1/alert-rules/1").status_code == 204
    assert client.get("/v1/alert-rules/1").status_code == 404
    slow = {"name": "slow", "kind": "latency", "over": "2000", "percentile": "p99"}
    assert client.post("/v1/alert-rules", json=slow).json()["percentile"] == "p99"
    (kept,) = client.get("/v1/alert-rules").json()["rules"]
    assert kept["percentile"] == "p99"


def test_a_mistake_is_told_by_field(client: TestClient) -> None:
    mistakes: list[tuple[dict[str, Any], str]] = [
        ({"over": 2.5}, "over"),
        ({"window_minutes": 5}, "window_minutes"),
        ({"by": "team"}, "by"),
        ({"channels": ["nowhere"]}, "channels"),
        ({"percentile": "p95"}, "percentile"),
        ({"filter": {"team": ["\0"]}}, "filter.team"),
    ]
    for changes, field in mistakes:
        for path in ("/v1/alert-rules", "/v1/alert-rules/test"):
            answer = client.post(path, json=RULE | changes)
            assert (answer.status_code, answer.json()["field"]) == (422, field), answer.text
    assert client.get("/v1/alert-rules").json() == {"rules": []}


def test_a_kind_is_not_changed_into_another(client: TestClient) -> None:
    client.post("/v1/alert-rules", json=RULE)
    answer = client.patch("/v1/alert-rules/1", json={"kind": "latency"})
    assert (answer.status_code, answer.json()["field"]) == (422, "kind")


def test_a_trial_says_what_would_be_told_and_tells_nobody(
    database: Database, client: TestClient
) -> None:
    errors(database)
    tried = client.post("/v1/alert-rules/test", json=RULE).json()
    assert tried["error"] is None
    assert [(each["subject"], each["level"], each["says"]) for each in tried["found"]] == [
        ("team=search", "over", "100 % of calls of team search fail"),
        ("team=support", "ok", "0 % of calls of team support fail"),
    ]
    assert tried["found"][0]["facts"][0] == {"label": "Calls", "text": "50 of 50 failed"}
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(outbox)) == 0


def test_states_tell_what_was_found_and_what_is_open(
    database: Database, client: TestClient
) -> None:
    errors(database)
    client.post("/v1/alert-rules", json=RULE)
    assert client.get("/v1/alert-rules/1/states").json()["states"] == []
    go_round(database, NOW)
    search, support = client.get("/v1/alert-rules/1/states").json()["states"]
    assert (search["state"], search["found"]["value"]) == ("over", "100.000000")
    assert search["open"] == [
        {
            "alert_id": 1,
            "level": "over",
            "crossed_at": "2026-10-20T12:00:00Z",
            "acknowledged": False,
        }
    ]
    assert (support["state"], support["open"]) == ("ok", [])
    assert search["evaluated_at"] == search["since"] == "2026-10-20T12:00:00Z"


def test_a_key_of_one_team_sees_rules_on_that_team_alone(
    database: Database, client: TestClient
) -> None:
    of_search = RULE | {"name": "of search", "filter": {"team": ["search"]}}
    for rule in (RULE, of_search):
        client.post("/v1/alert-rules", json=rule)
    with database.write() as session:
        secret = create_key(
            session,
            kind="read",
            name="search",
            team="search",
            tenant=TENANT,
            pepper=b"pepper",
            now=NOW,
        )
    keyed = asking(database, key_pepper=b"pepper")
    keyed.headers["authorization"] = f"Bearer {secret}"
    assert [each["id"] for each in keyed.get("/v1/alert-rules").json()["rules"]] == [2]
    assert keyed.get("/v1/alert-rules/1").status_code == 404
    assert keyed.get("/v1/alert-rules/1/states").status_code == 404
    assert keyed.get("/v1/alert-rules/2/states").status_code == 200
    assert keyed.post("/v1/alert-rules", json=RULE).status_code == 403
    assert keyed.post("/v1/alert-rules/test", json=RULE).status_code == 403
    assert keyed.post("/v1/alert-rules/test", json=of_search).status_code == 200


def test_half_a_letter_is_refused_and_breaks_no_answer(client: TestClient) -> None:
    for body in (
        r'{"name": "a", "kind": "error-rate", "\ud800": 1}',
        r'{"name": "a\ud800", "kind": "error-rate"}',
        r'{"name": "a", "kind": "\ud800"}',
        r'{"name": "a", "kind": "error-rate", "filter": {"\ud800": ["a"]}}',
        r'{"name": "a", "kind": "error-rate", "filter": {"team": ["\ud800"]}}',
        r'{"name": "a", "kind": "error-rate", "by": ["\ud800"]}',
        r'{"name": "a", "kind": "idle-capacity", "pool": "\ud800"}',
    ):
        headers = {"content-type": "application/json"}
        answer = client.post("/v1/alert-rules", content=body, headers=headers)
        assert answer.status_code == 422, body
