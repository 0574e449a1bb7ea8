"""A ledger of names that nobody would choose: of teams, services, models, budgets, pools, rules."""

from typing import Any, Final

from budgeted import evaluate
from filled_ledger import LLAMA, asking, at, put_cell, put_charge, put_run
from sighted import hear, sighting

from spend.calls import Owner, Route
from store.access.keys import create_key
from store.postgres.sessions import Database
from store.tenants import TENANT

PEPPER: Final = b"sixteen bytes and more"
LONG: Final = "long" + "x" * 10_000
ODD: Final = (
    "<script>alert(1)</script>",
    "javascript:alert(1)",
    '"><img src=x onerror=alert(1)>',
    "{{7*7}}",
    "</script>]]>",
    "' onfocus=alert(1) autofocus='",
    "\u202eright to left",
    "\u2066isolated",
    "שלום",
    "Z\u0351\u0346\u034aalgo 👩‍👩‍👧",
    LONG,
)
"""Names that a ledger could hold. The doors clean some; here they are put in as they are."""
KEYS: Final = ("admin", "read", "read team", "ingest")
SHORT: Final = (ODD[0], ODD[2])
"""Names that people may say over the API, too."""


def fill(database: Database) -> dict[str, str]:
    """Puts them everywhere. Answers the keys of KEYS; that of a team is of ``ODD[0]``."""
    with database.write() as session:
        for number, name in enumerate(ODD):
            owner = Owner(**dict.fromkeys(("team", "project", "service", "feature"), name))
            route = Route(provider=name, model=name, operation="chat", deployment="api")
            slot = f"2026-10-{number + 1:02}T08:00"
            put_cell(session, slot, owner, route, calls=5, input=1000, unpriced=number % 2)
            put_charge(session, slot, "12.5", owner, route)
        put_cell(session, "2026-10-02T09:00", Owner(team=ODD[0]), LLAMA, input=1000)
        for job in ("roll", "charge"):
            put_run(session, job, "2026-10-20T11:59")
    hear(database, [_sighted(number, name) for number, name in enumerate(ODD)])
    client = asking(database, key_pepper=PEPPER, allow_private_destinations=True)
    for number, name in enumerate(SHORT):
        for path, body in _said(name, number).items():
            answer = client.post(path, json=body)
            assert answer.is_success, (path, answer.text)
    evaluate(database, at("2026-10-20T12:00"))
    return {kind: _key(database, *kind.split()) for kind in KEYS}


def _sighted(number: int, name: str) -> Any:
    route = Route(provider=name, model=name, operation="chat", deployment="api")
    return sighting(number + 1, owner=Owner(team=name, service=name), route=route)


def _said(name: str, number: int) -> dict[str, Any]:
    return {
        "/v1/budgets": {
            "name": name,
            "filter": {"team": [name]},
            "amount": "10",
            "currency": "USD",
            "period": "month",
            "thresholds": [50],
        },
        "/v1/pools": {
            "name": name,
            "cost_per_hour": "10",
            "from": "2026-10-01",
            "match": {"provider": [f"vllm{number}"]},
        },
        "/v1/channels": {
            "name": name,
            "kind": "webhook",
            "secret": "http://127.0.0.1:9/nobody-listens",
            "teams": [name],
        },
        "/v1/alert-rules": {"name": name, "kind": "error-rate", "by": ["team"], "over": 10},
        "/v1/silences": {"kind": "mute", "budget_id": number + 1, "by": name, "reason": name},
    }


def _key(database: Database, kind: str, team: str | None = None) -> str:
    with database.write() as session:
        return create_key(
            session,
            tenant=TENANT,
            kind=kind,
            name=f"{kind} <b>",
            team=ODD[0] if team else None,
            pepper=PEPPER,
            now=at("2026-10-01"),
        )
