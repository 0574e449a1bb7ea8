"""Whoever changes something stands in the record, with how it was and how it is."""

import ast
from pathlib import Path

import pytest
from filled_ledger import asking, at
from test_api_keys import PEPPER, make_key

from spend.access.actors import ANYBODY, JOB, Actor
from spend.told_apart import plain, told_apart
from store import audit, saved_views
from store.postgres.sessions import Database
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

BUDGET = {
    "name": "search monthly",
    "amount": "100",
    "filter": {"team": ["search"]},
    "webhook_url": "https://hooks.slack.com/services/T0/B0/hiddenhidden",
}


# What people decide, over the API, on pages and by commands.
DECIDED = {
    "alert_rules",
    "bills",
    "budgets",
    "channels",
    "commitments",
    "content_policies",
    "discounts",
    "keys",
    "month_acts",
    "ownership",
    "people",
    "pools",
    "prices",
    "rates",
    "repricings",
    "roles",
    "saved_views",
    "silences",
}
WRITTEN_DOWN_ELSEWHERE = {
    "store/budgets/budget_rows.py": "by budgets.py and alerts/budget_import.py, which decide",
    "store/channels/message_places.py": "nobody decides it: how long a channel that refuses rests",
}


def changes(database: Database, **asked: str) -> list[audit.Change]:
    with database.read() as session:
        return audit.page(session, TENANT, audit.Asked(**asked), at_most=100)


def test_a_change_says_who_what_before_and_after(database: Database) -> None:
    admin = make_key(database, "admin")
    client = asking(database, key_pepper=PEPPER)
    made = client.post("/v1/budgets", json=BUDGET, headers=admin).json()
    changed = client.patch(f"/v1/budgets/{made['id']}", json={"amount": "250"}, headers=admin)
    assert changed.status_code == 200
    latest, first = changes(database, noun="budget")
    assert (first.did, first.name, latest.did) == ("created", "search monthly", "changed")
    assert (latest.actor.kind, latest.actor.name) == ("key", "test")
    assert latest.actor.id is not None
    assert latest.actor.id in admin["Authorization"]
    assert latest.actor.address == "testclient"
    assert latest.before == {"amount": "100"}
    assert latest.after == {"amount": "250"}


def test_no_secret_stands_in_the_record(database: Database) -> None:
    client = asking(database, key_pepper=PEPPER)
    assert client.post("/v1/budgets", json=BUDGET).status_code == 201
    (made,) = changes(database, noun="budget")
    assert made.after is not None
    assert made.after["webhook_url"] == "(set)"
    assert "hiddenhidden" not in str(made)
    assert made.actor.name == ANYBODY.name


def test_what_was_not_changed_leaves_no_line_and_what_was_undone_none(database: Database) -> None:
    client = asking(database, key_pepper=PEPPER)
    made = client.post("/v1/budgets", json=BUDGET).json()
    there = len(changes(database))
    assert client.patch(f"/v1/budgets/{made['id']}", json={"amount": "100"}).status_code == 200
    assert client.post("/v1/budgets", json=BUDGET).status_code == 409
    assert len(changes(database)) == there


def test_a_transaction_says_who_changes_something_and_otherwise_it_is_spanledger(
    database: Database,
) -> None:
    ann = Actor("person", "Ann", "7", "192.0.2.1")
    for by, expected in ((None, JOB), (lambda: ann, ann)):
        with database.write(by) as session:
            name = f"of {expected.name}"
            saved_views.save(session, TENANT, name=name, asked="", by="ann", now=at("2026-10-01"))
        assert changes(database)[0].actor == expected


def test_what_is_told_is_json_and_no_longer_than_it_must_be() -> None:
    assert plain({"a": [1, 2], "b": at("2026-10-01")}) == {
        "a": [1, 2],
        "b": "2026-10-01T00:00:00+00:00",
    }
    many = plain(list(range(1000)))
    assert (len(many), many[-1]) == (51, "… 950 more")
    before, after = told_apart({"a": 1, "secret": "x"}, {"a": 1, "secret": "y", "c": 2})
    assert before == {"secret": "(set)"}
    assert after == {"secret": "(another)", "c": 2}


def test_what_was_changed_is_told_however_far_behind_it_stands() -> None:
    teams = [f"team {number}" for number in range(60)]
    rules = [{"team": team, "secret": "x"} for team in teams]
    before, after = told_apart(
        {"filter": {"team": teams}, "rules": rules, "pattern": "x" * 600},
        {
            "filter": {"team": [*teams[:55], "other", *teams[56:]]},
            "rules": [*rules[:55], *rules[56:]],
            "pattern": "x" * 599 + "y",
        },
    )
    gone = [{"team": "team 55", "secret": "(set)"}]
    assert before == {"filter": {"team": ["team 55"]}, "rules": gone, "pattern": "…x"}
    assert after == {"filter": {"team": ["other"]}, "rules": [], "pattern": "…y"}
    before, _ = told_apart({"rules": rules}, {"rules": rules[::-1]})
    assert before is not None
    assert before["rules"][-1] == "… 10 more", "the order alone"


def test_whatever_writes_what_people_decide_writes_it_down() -> None:
    silent = []
    for path in Path("store").rglob("*.py"):
        calls = [
            node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)
        ]
        writes = {
            argument.id
            for call in calls
            if isinstance(call.func, ast.Name)
            and call.func.id in {"insert", "insert_new", "update", "delete"}
            for argument in call.args[:1]
            if isinstance(argument, ast.Name)
        }
        notes = any(ast.unparse(call.func) in {"audit.note", "note"} for call in calls)
        if writes & DECIDED and not notes:
            silent.append(path.as_posix())
    assert sorted(silent) == sorted(WRITTEN_DOWN_ELSEWHERE)
