"""Budgets over REST: custom periods, parents, versions from a date, and secrets."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from filled_ledger import asking, at
from sqlalchemy import text

from store.access.keys import create_key
from store.access.secrets import Seal
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


MAKES_NO_SENSE: list[tuple[dict[str, Any], str]] = [
    ({"period": "custom"}, "own_period.starts_on"),
    ({"period": "custom", "own_period": {"days": 14}}, "own_period.starts_on"),
    ({"period": "custom", "own_period": {"starts_on": "2026-11-01"}}, "own_period.days"),
    (
        {"period": "custom", "own_period": {"starts_on": "2026-11-01", "days": 0}},
        "own_period.days",
    ),
    (
        {"period": "custom", "own_period": {"starts_on": "2026-02-30", "days": 1}},
        "own_period.starts_on",
    ),
    (
        {"period": "custom", "own_period": {"starts_on": "2026-11-02", "ends_on": "2026-11-01"}},
        "own_period.ends_on",
    ),
    ({"own_period": {"starts_on": "2026-11-02", "days": 14}}, "own_period"),
    ({"own_period": {"starts_on": "2026-11-02", "months": 1}}, "own_period.months"),
    (
        {
            "period": "custom",
            "own_period": {"starts_on": "2026-11-02", "ends_on": "2026-11-03"},
            "rollover_cap": "1",
        },
        "rollover_cap",
    ),
    ({"rollover_cap": 0.5}, "rollover_cap"),
    ({"rollover_cap": "-1"}, "rollover_cap"),
    ({"parent": "nobody"}, "parent"),
    ({"parent": 77}, "parent"),
    ({"parent": 10**30}, "parent"),
    ({"owner": ""}, "owner"),
    ({"owner": "a\nb"}, "owner"),
    ({"forecast_thresholds": [0]}, "forecast_thresholds"),
    ({"pace_thresholds": [100]}, "pace_thresholds"),
    ({"channels": ["nowhere"]}, "channels"),
    ({"channels": "nowhere"}, "channels"),
    ({"remind_hours": 0}, "remind_hours"),
    ({"remind_hours": 10**9}, "remind_hours"),
    ({"webhook_url": "…1234"}, "webhook_url"),
    ({"filter": {"rule": ["x"]}}, "filter.rule"),
    ({"filter": {"cost_centre": ["x"]}}, "filter.cost_centre"),
]


def test_what_makes_no_sense_is_refused_by_field(client: TestClient) -> None:
    client.post("/v1/budgets", json=SEARCH | {"name": "kept"})
    for change, field in MAKES_NO_SENSE:
        new = client.post("/v1/budgets", json=SEARCH | change)
        changed = client.patch("/v1/budgets/1", json=change)
        for answer in (new, changed):
            assert (answer.status_code, answer.json()["field"]) == (422, field), answer.text
    for moment in (
        "2026-11-14",
        "2026-11-15T12:00:00Z",
        "2026-12-01T00:00:00",
        "soon",
        "0001-01-01",
    ):
        late = client.patch("/v1/budgets/1", json={"amount": "7", "effective_from": moment})
        assert (late.status_code, late.json()["field"]) == (422, "effective_from"), moment
    assert client.get("/v1/budgets/1").json()["version"] == 1


def test_a_budget_says_all_it_can_and_forgets_what_is_taken_away(client: TestClient) -> None:
    client.post("/v1/budgets", json=SEARCH | {"name": "all", "filter": {}})
    said = {
        "period": "custom",
        "own_period": {"starts_on": "2026-11-02", "days": 14, "ends_on": None},
        "rollover_cap": "50.00",
        "parent": "all",
        "owner": "Ada",
        "forecast_thresholds": [90, 100],
        "pace_thresholds": [200],
        "remind_hours": 24,
    }
    made = client.post("/v1/budgets", json=SEARCH | said)
    assert made.status_code == 201, made.text
    assert said.items() <= made.json().items()
    assert client.get("/v1/budgets/1").json()["children"] == [{"id": 2, "name": "search"}]
    status = client.get("/v1/budgets/2/status").json()
    assert (status["period"], status["limit"]) == ("2026-11-02 to 2026-11-15", "1000.00")
    whole = client.get("/v1/budgets/1/status").json()
    assert (whole["allocated"], whole["unallocated"]) == ("0.00", "1000.00")
    taken = dict.fromkeys(("rollover_cap", "parent", "owner", "remind_hours"))
    changed = client.patch("/v1/budgets/2", json=taken | {"period": "month"}).json()
    assert (taken | {"own_period": None, "period": "month"}).items() <= changed.items()


def test_a_period_that_is_over_or_to_come_has_nothing_spent(client: TestClient) -> None:
    own = {"starts_on": "2026-12-24", "ends_on": "2026-12-26"}
    client.post("/v1/budgets", json=SEARCH | {"period": "custom", "own_period": own})
    status = client.get("/v1/budgets/1/status").json()
    assert {status[each] for each in ("spent", "percent", "left", "period", "period_start")} == {
        None
    }


def test_a_change_from_a_date_is_shown_before_it_holds_and_can_be_withdrawn(
    client: TestClient,
) -> None:
    client.post("/v1/budgets", json=SEARCH | {"timezone": "Asia/Kathmandu"})
    change = {"amount": "2000.00", "effective_from": "2026-12-01"}
    made = client.patch("/v1/budgets/1", json=change).json()
    assert (made["version"], made["effective_from"]) == (2, "2026-11-30T18:15:00Z")
    now = client.get("/v1/budgets/1").json()
    assert (now["version"], now["amount"]) == (1, "1000.00")
    assert now["to_come"] == {"version": 2, "effective_from": "2026-11-30T18:15:00Z"}
    assert client.patch("/v1/budgets/1", json={"amount": "5"}).status_code == 409
    versions = client.get("/v1/budgets/1/versions").json()["versions"]
    assert [(each["version"], each["state"]) for each in versions] == [
        (1, "in force"),
        (2, "to come"),
    ]
    assert client.delete("/v1/budgets/1/versions/1").status_code == 409
    assert client.delete("/v1/budgets/1/versions/9").status_code == 404
    back = client.delete("/v1/budgets/1/versions/2").json()
    assert (back["version"], back["to_come"]) == (1, None)
    states = [each["state"] for each in client.get("/v1/budgets/1/versions").json()["versions"]]
    assert states == ["in force", "withdrawn"]
    # Today is at once.
    today = {"amount": "3000", "effective_from": "2026-11-15"}
    assert client.patch("/v1/budgets/1", json=today).json()["to_come"] is None
    assert client.get("/v1/budgets/1").json()["amount"] == "3000.00"


def test_a_key_of_one_team_sees_no_budget_above_its_own(
    client: TestClient, database: Database
) -> None:
    client.post("/v1/budgets", json=SEARCH | {"name": "secret plans", "filter": {}})
    client.post("/v1/budgets", json=SEARCH | {"filter": {"team": ["secret", "search"]}})
    client.patch("/v1/budgets/2", json={"parent": "secret plans", "filter": SEARCH["filter"]})
    with database.write() as session:
        key = create_key(
            session, tenant=TENANT, kind="read", name="x", team="search", pepper=b"", now=at(NOW)
        )
    for path in ("/v1/budgets", "/v1/budgets/2", "/v1/budgets/2/status", "/v1/budgets/2/versions"):
        answer = client.get(path, headers={"Authorization": f"Bearer {key}"})
        assert answer.status_code == 200
        assert "secret" not in answer.text
        assert '"parent":null' in answer.text
    assert (
        client.get("/v1/budgets/1/versions", headers={"Authorization": f"Bearer {key}"}).status_code
        == 404
    )


def test_a_webhook_that_leads_inside_is_not_saved(database: Database) -> None:
    addresses = iter(["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", None])

    def looked_up(_host: str, _port: int) -> list[str]:
        address = next(addresses)
        if address is None:
            raise OSError
        return ["34.1.2.3", address]

    client = asking(database, now=NOW, addresses_of=looked_up)
    url = "https://rebound.example/secret/path"
    for _ in range(5):
        answer = client.post("/v1/budgets", json=SEARCH | {"webhook_url": url})
        assert (answer.status_code, answer.json()["field"]) == (422, "webhook_url")
        assert "secret" not in answer.text


def test_a_secret_is_sealed_where_it_is_kept(client: TestClient, database: Database) -> None:
    url = "https://hooks.slack.com/services/T0/B0/abcdefgh1234"
    client.post("/v1/budgets", json=SEARCH | {"webhook_url": url})
    with database.read() as session:
        kept = session.scalar(text("SELECT webhook_url FROM budgets"))
    assert "abcd" not in str(kept)
    assert Seal(b"").opened(str(kept)) == url
    for same in (url, "…1234"):
        assert client.patch("/v1/budgets/1", json={"webhook_url": same}).json()["version"] == 1
    assert client.patch("/v1/budgets/1", json={"webhook_url": f"{url}5"}).json()["version"] == 2
