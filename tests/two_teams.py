"""A ledger of two teams in which everything is there twice: one of each team, with its id.

For tests of who may see and change what.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import pytest
from budgeted import evaluate
from conftest import fresh_database
from fastapi.testclient import TestClient
from filled_ledger import GPT, SEARCH, SUPPORT, asking, at, put_cell, put_charge, put_run
from sighted import hear, sighting

from app.local_postgres import LocalPostgres
from jobs.context import JobContext, JobSettings
from jobs.timetable import run_job
from spend.calls import Owner
from store import saved_views
from store.access.keys import create_key, list_keys, revoke_key
from store.postgres.sessions import Database, open_database
from store.tenants import TENANT

PEPPER: Final = b"sixteen bytes and more"
NOW: Final = "2026-10-20T12:00"
TEAMS: Final = ("search", "support")
TOLD_OF: Final = {"search": "amber-otter", "support": "violet-heron"}
"""A word of each team that stands in the names of all that is its own: it must not be told."""
MONTH: Final = "2026-10"


@dataclass(slots=True)
class TwoTeams:
    """The ledger, and the id of what each team has: noun -> team -> id."""

    database: Database
    ids: dict[str, dict[str, Any]] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    """Who -> the text of their key."""

    def asking(self, key: str | None = None) -> TestClient:
        """Somebody with that key, or without."""
        client = asking(self.database, now=NOW, key_pepper=PEPPER, allow_private_destinations=True)
        if key is not None:
            client.headers["Authorization"] = f"Bearer {key}"
        return client


@pytest.fixture(scope="module")
def ledger_of_two(postgres: LocalPostgres) -> Iterator[TwoTeams]:
    """One for the tests of a module, which takes it as ``made = ledger_of_two``."""
    with fresh_database(postgres) as url:
        database = open_database(url, application="tests")
        yield filled(database)
        database.engine.dispose()


def filled(database: Database) -> TwoTeams:
    """Everything of both, and the keys of everybody."""
    made = TwoTeams(database)
    with database.write() as session:
        for number, owner in enumerate((SEARCH, SUPPORT), 1):
            word = TOLD_OF[owner.team or ""]
            theirs = Owner(team=owner.team, service=word, feature=word)
            put_cell(session, "2026-10-05T08:00", theirs, calls=number)
            put_charge(session, "2026-10-05T08:00", f"{number}0.00", theirs)
        for job in ("roll", "charge"):
            put_run(session, job, "2026-10-20T11:59")
    of_team = [Owner(team=team, service=TOLD_OF[team]) for team in TEAMS]
    hear(database, [sighting(n, owner=owner) for n, owner in enumerate(of_team, 1)], at(NOW))
    made.ids["trace"] = {team: f"{n:032x}" for n, team in enumerate(TEAMS, 1)}
    admin = made.asking()
    for team in TEAMS:
        for noun, (path, body) in _of_a_team(team).items():
            made.ids.setdefault(noun, {})[team] = _said(admin.post(path, json=body))["id"]
    for team in TEAMS:
        silence = {"kind": "mute", "budget_id": made.ids["budget"][team], "hours": 9}
        silence["by"] = silence["reason"] = TOLD_OF[team]
        told = _said(admin.post("/v1/silences", json=silence))
        made.ids.setdefault("silence", {})[team] = told["id"]
    _of_all(made, admin)
    evaluate(database, at(NOW))
    run_job("watch", JobContext(database, at(NOW), JobSettings(), by_hand=True))
    for alert in _said(admin.get("/v1/alerts"))["alerts"]:
        for team in TEAMS:
            if TOLD_OF[team] in str(alert):
                made.ids.setdefault("alert", {})[team] = alert["id"]
    with database.write() as session:
        view = saved_views.save(
            session, TENANT, name="a view", asked="group_by=model", by="ann", now=at(NOW)
        )
        made.ids["view"] = {"": view.id}
    _keys(made)
    return made


def _of_a_team(team: str) -> dict[str, tuple[str, dict[str, Any]]]:
    word, only = TOLD_OF[team], {"team": [team]}
    budget = {"name": word, "filter": only, "amount": "10", "period": "month", "currency": "USD"}
    return {
        "budget": ("/v1/budgets", {**budget, "thresholds": [50]}),
        "rule": (
            "/v1/alert-rules",
            {"name": word, "kind": "unpriced", "filter": only, "owner": word},
        ),
        "channel": (
            "/v1/channels",
            {"name": word, "kind": "webhook", "secret": "http://127.0.0.1:9/x", "teams": [team]},
        ),
    }


def _of_all(made: TwoTeams, admin: TestClient) -> None:
    """What is of no team."""
    said: dict[str, tuple[str, dict[str, Any], str]] = {
        "pool": (
            "/v1/pools",
            {
                "name": "gpus",
                "cost_per_hour": "10",
                "from": "2026-10-01",
                "match": {"provider": ["vllm"]},
            },
            "",
        ),
        "commitment": (
            "/v1/commitments",
            {
                "name": "credits",
                "kind": "prepaid",
                "amount": "1000",
                "currency": "USD",
                "provider": "openai",
                "valid_from": "2026-10-01",
            },
            "commitments",
        ),
        "repricing": (
            "/v1/repricings",
            {
                "from": "2026-10-01T00:00:00Z",
                "to": "2026-10-02T00:00:00Z",
                "note": "x",
                "dry_run": True,
            },
            "",
        ),
    }
    for noun, (path, body, within) in said.items():
        told = _said(admin.post(path, json=body))
        made.ids[noun] = {"": (told[within][0] if within else told)["id"]}
    columns = "period,provider,model,meter,quantity,unit,amount,currency,kind"
    bill = f"{columns}\n{MONTH},openai,{GPT.model},input,10,token,1.00,USD,usage\n"
    made.ids["bill"] = {
        "": _said(admin.post("/v1/bills", params={"month": MONTH}, content=bill))["bills"][0]["id"]
    }


def _keys(made: TwoTeams) -> None:
    """One of each kind; whoever is told last had a key once."""
    wanted = {
        "ingest": ("ingest", None),
        "read": ("read", None),
        "read search": ("read", "search"),
        "read support": ("read", "support"),
        "admin": ("admin", None),
        "revoked": ("admin", None),
    }
    with made.database.write() as session:
        for name, (kind, team) in wanted.items():
            made.keys[name] = create_key(
                session,
                tenant=TENANT,
                kind=kind,
                name=name,
                team=team,
                pepper=PEPPER,
                now=at("2026-10-01"),
            )
        gone = next(key for key in list_keys(session, tenant=TENANT) if key.name == "revoked")
        revoke_key(session, gone.id, tenant=TENANT, now=at("2026-10-02"))
        made.ids["key"] = {"": gone.id}


def _said(answer: Any) -> Any:
    assert answer.is_success, (answer.request.url, answer.text)
    return answer.json()
