"""Alerts over the API and in a terminal: how each stands, whose it is, and what is silent."""

import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from budgeted import NOW, budget, change, charge, evaluate
from click.testing import CliRunner, Result
from fastapi.testclient import TestClient
from filled_ledger import asking
from rich.console import Console
from sqlalchemy import insert

from app.alert_table import alerts_table
from app.commands import alerts as commands
from spend.alerts.rule_terms import rule_of_fields
from store.access.keys import create_key
from store.alerts import alert_rules, alerts, silent_subjects
from store.postgres.sessions import Database
from store.tables.budgets import crossings
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

HOUR = timedelta(hours=1)


def three_alerts(database: Database) -> None:
    """80 % of the budget search (1) and of ads (2); a rule on both teams (3)."""
    budget(database)
    budget(database, name="ads", filter={"team": ["ads"]})
    charge(database, "85")
    charge(database, "80", team="ads")
    evaluate(database)
    fields = {"name": "errors", "kind": "error-rate", "over": "5", "filter": {}, "by": ["team"]}
    with database.write() as session:
        rule = alert_rules.create(session, TENANT, rule_of_fields(fields), NOW)
        session.execute(
            insert(crossings).values(
                tenant_id=TENANT,
                rule_id=rule.id,
                version=1,
                period_start=NOW - HOUR,
                kind="error-rate",
                threshold=0,
                subject="team=ads",
                level="over",
                crossed_at=NOW,
                detail={"value": "12.3456", "unit": "percent"},
            )
        )


def ids(client: TestClient, headers: dict[str, str] | None = None, **asked: Any) -> list[int]:
    answer = client.get("/v1/alerts", params=asked, headers=headers)
    assert answer.status_code == 200, answer.text
    return [each["id"] for each in answer.json()["alerts"]]


def test_alerts_of_budgets_and_rules_are_one_list_that_can_be_filtered(database: Database) -> None:
    three_alerts(database)
    client = asking(database, now="2026-11-15T13:00")
    known = client.post("/v1/alerts/1/acknowledge", json={"by": "ann", "note": "a known move"})
    assert (known.json()["state"], known.json()["acknowledged_note"]) == (
        *("acknowledged", "a known move"),
    )
    again = client.post("/v1/alerts/1/acknowledge", json={})
    assert again.json()["acknowledged_by"] == "ann"
    muted = client.post("/v1/silences", json={"kind": "mute", "budget_id": 2})
    assert (muted.status_code, muted.json()["ends"]) == (201, "2026-12-01T00:00:00Z")
    assert ids(client) == [3, 2, 1]
    assert ids(client, state="open") == [3]
    assert ids(client, state="acknowledged") == [1]
    assert ids(client, state="muted") == [2]
    assert ids(client, status="dropped") == [2]
    assert ids(client, kind="actual") == [2, 1]
    assert ids(client, team="ads") == [3, 2]
    assert ids(client, rule_id=1) == [*ids(client, budget_id=9), 3]
    assert ids(client, crossed_since="2026-11-15T12:30:00Z") == []
    rule = client.get("/v1/alerts/3").json()
    assert (rule["name"], rule["subject"], rule["budget"]) == ("errors", "team=ads", None)
    assert rule["detail"] == {"value": "12.3456", "unit": "percent"}
    # In December all of November has ended.
    assert ids(asking(database, now="2026-12-02T00:00"), state="ended") == [2, 1]


def test_a_key_of_a_team_sees_that_teams_alone_and_changes_nothing(database: Database) -> None:
    three_alerts(database)
    with database.write() as session:
        key = create_key(
            session, tenant=TENANT, kind="read", name="x", team="ads", pepper=b"", now=NOW
        )
        admin_key = create_key(
            session, tenant=TENANT, kind="admin", name="y", team=None, pepper=b"", now=NOW
        )
    client = asking(database, now="2026-11-15T13:00")
    headers = {"Authorization": f"Bearer {key}"}
    assert ids(client, headers) == [2]
    assert ids(client, headers, team="search") == []
    assert client.get("/v1/alerts/1", headers=headers).status_code == 404
    assert client.get("/v1/silences", headers=headers).json() == {"silences": []}
    for budget_id, hours in ((2, 2), (1, 1), (1, 3)):
        silence = {"kind": "snooze", "budget_id": budget_id, "hours": hours}
        admin = {"Authorization": f"Bearer {admin_key}"}
        assert client.post("/v1/silences", json=silence, headers=admin).status_code == 201
    for asked in ("?limit=1", "?limit=1&past=true"):
        [told] = client.get(f"/v1/silences{asked}", headers=headers).json()["silences"]
        assert told["budget_id"] == 2
    answer = client.post("/v1/alerts/2/acknowledge", json={"by": "eve"}, headers=headers)
    assert answer.status_code == 403


def test_a_budget_that_moves_to_a_team_tells_it_nothing_of_what_others_spent(
    database: Database,
) -> None:
    moved = budget(database, name="moved", filter={"team": ["ads"]})
    charge(database, "87.65", team="ads")
    evaluate(database)
    change(database, moved, name="moved", filter={"team": ["search"]})
    with database.write() as session:
        fields = {"name": "errors", "kind": "error-rate", "over": "5", "filter": {"team": ["ads"]}}
        rule = alert_rules.create(session, TENANT, rule_of_fields(fields), NOW)
        to_search = rule_of_fields(fields | {"filter": {"team": ["search"]}})
        alert_rules.change(session, TENANT, rule.id, to_search, NOW)
        session.execute(
            insert(crossings).values(
                tenant_id=TENANT,
                rule_id=rule.id,
                version=1,
                period_start=NOW - HOUR,
                kind="error-rate",
                threshold=0,
                level="over",
                crossed_at=NOW,
            )
        )
        keys = {
            team: create_key(
                session, tenant=TENANT, kind="read", name="x", team=team, pepper=b"", now=NOW
            )
            for team in (None, "ads", "search")
        }
    client = asking(database, now="2026-11-15T13:00")
    seen = {team: ids(client, {"Authorization": f"Bearer {key}"}) for team, key in keys.items()}
    assert seen == {None: [2, 1], "ads": [], "search": []}


def test_what_is_silent_is_listed_and_can_be_ended(database: Database) -> None:
    three_alerts(database)
    client = asking(database, now="2026-11-15T13:00")
    said = {"kind": "snooze", "rule_id": 1, "hours": 4, "by": "ann", "reason": "deploy"}
    made = client.post("/v1/silences", json=said).json()
    assert (made["name"], made["ends"]) == ("errors", "2026-11-15T17:00:00Z")
    assert client.get("/v1/silences").json() == {"silences": [made]}
    assert client.get("/v1/alerts/3").json()["silent_until"] == made["ends"]
    assert client.delete(f"/v1/silences/{made['id']}").status_code == 204
    assert client.get("/v1/silences").json() == {"silences": []}
    [past] = client.get("/v1/silences?past=true").json()["silences"]
    assert (past["ended_at"], past["in_force"]) == ("2026-11-15T13:00:00Z", False)
    for wrong, status, field in (
        ({"kind": "mute"}, 422, "budget_id"),
        ({"kind": "mute", "budget_id": 1, "rule_id": 1}, 422, "budget_id"),
        ({"kind": "mute", "budget_id": 99}, 404, "budget_id"),
        ({"kind": "mute", "rule_id": 99, "hours": 1}, 404, "rule_id"),
        ({"kind": "mute", "rule_id": 1}, 422, "until"),
        ({"kind": "snooze", "budget_id": 1}, 422, "until"),
        ({"kind": "mute", "budget_id": True}, 422, "budget_id"),
        ({"kind": "mute", "budget_id": 1, "hours": True}, 422, "hours"),
        ({"kind": "snooze", "budget_id": 1, "until": "2026-11-15T13:00:00Z"}, 422, "until"),
        ({"kind": "snooze", "budget_id": 1, "until": "2028-01-01"}, 422, "until"),
        ({"kind": "snooze", "budget_id": 1, "hours": 1, "by": " "}, 422, "by"),
        ({"kind": "nap", "budget_id": 1, "hours": 1}, 422, "kind"),
    ):
        answer = client.post("/v1/silences", json=wrong)
        assert (answer.status_code, answer.json()["field"]) == (status, field), wrong
    for path, field in (("/v1/alerts/99/acknowledge", "alert_id"),):
        assert client.post(path, json={}).json()["field"] == field
    assert client.delete("/v1/silences/99").status_code == 404


@pytest.fixture
def run(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Result]:
    monkeypatch.setenv("SPANLEDGER_DATABASE_URL", database_url)
    monkeypatch.setattr(commands, "_now", lambda: NOW + HOUR)
    del database
    return lambda *arguments: CliRunner().invoke(commands.command, arguments)


def test_in_a_terminal_alerts_are_listed_known_and_silenced(
    database: Database, run: Callable[..., Result]
) -> None:
    three_alerts(database)
    known = run("acknowledge", "1", "1", "--by", "ann").output
    assert known == "alert 1 is acknowledged\nalert 1 was acknowledged\n"
    muted = run("mute", "--budget", "ads", "--by", "ann", "--reason", "a move").output
    assert muted == "ads is muted until 2026-12-01 00:00 UTC: silence 1\n"
    listed = run("list").output
    assert "ann knows" in listed
    assert "muted to 12-01" in listed
    assert "errors (team=ads): error-rate 12.35 percent" in listed
    assert "2: actual to webhook of the budget or the settings, dropped: muted until" in listed
    assert [line.split()[0] for line in run("list", "--state", "open").output.splitlines()] == [
        *("id", "3"),
    ]
    assert "a move" in run("silences").output
    assert run("unmute", "--budget", "2").output == "ads is no longer silent\n"
    snoozed = run("snooze", "--rule", "errors", "--hours", "2", "--by", "ann").output
    assert snoozed == "errors is snoozed until 2026-11-15 15:00 UTC: silence 2\n"
    unknown = run("mute", "--budget", "none of ours", "--by", "ann")
    assert (unknown.exit_code, "none of ours" in unknown.output) == (1, True)
    for option in ("--kind", "--team"):
        assert run("list", option, "\udcff").exit_code == 2


def test_the_list_fits_80_columns(database: Database) -> None:
    three_alerts(database)
    with database.read() as session:
        found = alerts.alerts(session, TENANT, now=NOW, at_most=9)
    page = io.StringIO()
    Console(width=80, file=page, color_system=None).print(alerts_table(found))
    lines = page.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].split() == ["id", "UTC", "level", "what", "state", "told"]
    assert " ".join(lines[-1].split()) == (
        "1 11-15 12:00 warning search: 80 % of 100.00 USD in 2026-11 open waits"
    )


def test_what_has_a_number_as_its_name_is_what_is_silenced_by_it(database: Database) -> None:
    budget(database, name="search")
    budget(database, name="1")
    with database.read() as session:
        by_name, by_id, other = (
            silent_subjects.named(session, TENANT, budget=said, rule=None, now=NOW)
            for said in ("1", "2", "search")
        )
    assert (by_name.budget_id, by_id.budget_id, other.budget_id) == (2, 2, 1)
