"""What was warned of can be seen, with what became of each message and what was heard."""

from datetime import timedelta
from typing import Any

import pytest
from budgeted import NOW, budget, change, charge, evaluate, send
from fastapi.testclient import TestClient
from filled_ledger import asking
from slack_stand_in import answer, slack_stand_in
from sqlalchemy import insert

from store.postgres.sessions import Database
from store.tables.heard import batches
from store.tenants import TENANT

pytestmark = pytest.mark.one_server


@pytest.fixture
def client(database: Database) -> TestClient:
    return asking(database, now="2026-11-15T12:00")


def put_batch(database: Database, number: int, hours_ago: float, **counts: Any) -> None:
    zero = dict.fromkeys(("heard", "stored", "duplicate", "not_a_call", "refused"), 0)
    with database.write() as session:
        session.execute(
            insert(batches).values(
                tenant_id=TENANT,
                id=number,
                received_at=NOW - timedelta(hours=hours_ago),
                **(zero | counts),
            )
        )


def test_an_alert_shows_its_way(database: Database, client: TestClient) -> None:
    first = budget(database)
    charge(database, "80.5")
    evaluate(database)
    change(database, first, name="renamed", amount="200")
    alert = {
        "id": 1,
        "kind": "actual",
        "level": "warning",
        # Of an amount that holds no more.
        "state": "ended",
        "name": "renamed",
        "budget_id": first.id,
        "budget": "renamed",
        "rule_id": None,
        "version": 1,
        "threshold": 80,
        "period_start": "2026-11-01T00:00:00Z",
        "period_end": "2026-12-01T00:00:00Z",
        "crossed_at": "2026-11-15T12:00:00Z",
        "spent": "80.50",
        "amount": "100.00",
        "currency": "USD",
        "recovered_at": None,
        "acknowledged_by": None,
    }
    waits = {
        "status": "pending",
        "attempts": 0,
        "last_error": None,
        "next_at": "2026-11-15T12:00:00Z",
        "sent_at": None,
    }
    [shown] = client.get("/v1/alerts").json()["alerts"]
    assert alert | {"delivery": waits} == {name: shown[name] for name in (*alert, "delivery")}
    message = {"kind": "actual", "channel_id": None}
    [told] = shown["messages"]
    assert told == waits | message | {"channel": "webhook of the budget or the settings"}
    send(database)
    [shown] = client.get("/v1/alerts").json()["alerts"]
    assert shown["delivery"]["last_error"] == "no channel takes it, and no Slack webhook is set"
    with slack_stand_in() as slack:
        slack.script = [answer(404, b"channel_not_found")]
        send(database, slack.url)
    [shown] = client.get("/v1/alerts?status=dead").json()["alerts"]
    assert shown["delivery"]["attempts"] == 1
    assert shown["delivery"]["last_error"] == "answered 404 channel_not_found"
    assert shown["delivery"]["next_at"] is None
    assert client.get("/v1/alerts?status=sent").json()["alerts"] == []


def test_pages_hold_every_alert_once_newest_first(database: Database, client: TestClient) -> None:
    budget(database, thresholds=list(range(1, 8)))
    charge(database, "100")
    evaluate(database)
    seen: list[int] = []
    query: dict[str, Any] = {"limit": 3}
    while query:
        page = client.get("/v1/alerts", params=query).json()
        seen += [alert["threshold"] for alert in page["alerts"]]
        query = {"limit": 3, "before": page["next"]} if page["next"] else {}
    assert seen == [7, 6, 5, 4, 3, 2, 1]


def test_counters_add_up_the_last_day(database: Database, client: TestClient) -> None:
    put_batch(database, 1, 1, heard=10, stored=4, duplicate=3, not_a_call=2, refused=1)
    put_batch(database, 2, 2, heard=5, stored=3, refused=2, refused_for={"no id": 2})
    put_batch(
        database,
        3,
        23,
        heard=4,
        stored=3,
        refused=1,
        refused_for={"no id": 1, "too old": 1},
        usage_refused_for={"negative": 1},
        usage_conflicts_for={"openlit.instrumentation.anthropic 2.0": 1},
    )
    put_batch(database, 4, 25, heard=1000, stored=1000, refused_for={"too old": 7})
    assert client.get("/v1/alerts").json()["counters"] == {
        "since": "2026-11-14T12:00:00Z",
        "heard": 19,
        "stored": 10,
        "duplicate": 3,
        "not_a_call": 2,
        "refused": 4,
        "refused_for": {"no id": 3, "too old": 1},
        "usage_refused_for": {"negative": 1},
        "usage_conflicts_for": {"openlit.instrumentation.anthropic 2.0": 1},
    }
    asked = client.get("/v1/alerts", params={"since": "2026-11-15T15:30:00+05:00"}).json()
    assert asked["counters"]["since"] == "2026-11-15T10:30:00Z"
    assert asked["counters"]["heard"] == 10
    long_ago = client.get("/v1/alerts", params={"since": "2026-11-14T00:00:00Z"}).json()
    assert long_ago["counters"]["heard"] == 1019


def test_nothing_heard_is_nothing_counted(client: TestClient) -> None:
    answer = client.get("/v1/alerts").json()
    assert (answer["alerts"], answer["next"]) == ([], None)
    assert answer["counters"]["heard"] == 0
    assert answer["counters"]["refused_for"] == {}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"since": "yesterday"}, "since"),
        ({"since": "2026-11-15T00:00:00"}, "since"),
        ({"since": "2020-01-01T00:00:00Z"}, "since"),
        ({"since": "0001-01-01T00:00:00+14:00"}, "since"),
        ({"since": "9999-12-31T23:59:59-12:00"}, "since"),
        ({"limit": "0"}, "limit"),
        ({"limit": "1001"}, "limit"),
        ({"before": str(2**63)}, "before"),
        ({"status": "lost"}, "status"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_wrong_parameter_is_named(client: TestClient, query: dict[str, str], field: str) -> None:
    answer = client.get("/v1/alerts", params=query)
    assert answer.status_code == 422
    assert answer.json()["field"] == field
