"""Budgets over REST: what is set is kept exactly, what makes no sense is refused by field."""

import json
from typing import Any

import pytest
from budgeted import charge, evaluate, send
from fastapi.testclient import TestClient
from filled_ledger import asking, at, put_run
from sqlalchemy import text

from spend.fiscal import FiscalYear
from store.keys import create_key
from store.secrets import Seal
from store.sessions import Database
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


@pytest.mark.parametrize(
    ("change", "field"),
    [
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
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_makes_no_sense_is_refused_by_field(
    client: TestClient, change: dict[str, Any], field: str
) -> None:
    client.post("/v1/budgets", json=SEARCH | {"name": "kept"})
    new = client.post("/v1/budgets", json=SEARCH | change)
    changed = client.patch("/v1/budgets/1", json=change)
    for answer in (new, changed):
        assert answer.status_code == 422, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["field"] == field
    assert client.get("/v1/budgets/1").json()["version"] == 1


MORE_THAT_MAKES_NO_SENSE: list[tuple[dict[str, Any], str]] = [
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


def test_what_more_makes_no_sense_is_refused_by_field(client: TestClient) -> None:
    client.post("/v1/budgets", json=SEARCH | {"name": "kept"})
    for change, field in MORE_THAT_MAKES_NO_SENSE:
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
    client.post("/v1/budgets", json=SEARCH | {"parent": "secret plans"})
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


def test_half_a_character_is_refused_by_field(client: TestClient) -> None:
    body = json.dumps(SEARCH | {"filter": {"team": ["\ud800"]}})
    answer = client.post("/v1/budgets", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["field"]) == (422, "filter.team")


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
