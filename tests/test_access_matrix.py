"""Every route as every kind of caller: let in or kept out as docs/routes.md says, and no other way.

What is expected stands in that document alone, so that a permission which is wrong in the code is
wrong here; a route that nobody put into it fails.
"""

import re
from pathlib import Path
from typing import Any, Final

import pytest
from callers import Browser, Caller, browser, everybody
from doors import PEPPER as COLLECTORS
from doors import call, open_doors
from doors import request as sent_spans
from fastapi.routing import iter_route_contexts
from filled_ledger import at
from two_teams import MONTH, TOLD_OF, TwoTeams, ledger_of_two

from collector import health
from collector.otlp_http import SIGNALS
from jobs import door
from store.access.keys import create_key
from store.postgres.sessions import Database
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

DOCUMENT: Final = (Path(__file__).parent.parent / "docs" / "routes.md").read_text("utf-8")
OUT: Final = {401, 403}
WORDS: Final = {
    "anyone",
    "reader",
    "team",
    "whole",
    "money",
    "budgets",
    "views",
    "settings",
    "audit",
    "content",
}
NOUNS: Final = {
    f"{noun}_id": noun
    for noun in (
        *("budget", "rule", "alert", "channel", "silence", "trace", "view", "pool", "commitment"),
        *("bill", "repricing", "key"),
    )
}
PARTS: Final = {
    "span_id": f"{1:016x}",
    "month": MONTH,
    "name": MONTH,
    "dataset": "cost-and-usage",
    "version": "1",
    # Of nobody: to bar somebody would keep them out of what is asked next.
    "person_id": "999",
    "role_id": "999",
}
ASKED_WITH: Final = {
    "/models/one": "?provider=openai&model=gpt-4o",
    "/prices/unpriced/price": "?provider=openai&model=gpt-4o",
}
# The slowest of five that are one function.
SLOW: Final = "/v1/statements/{month}.pdf"
# All of the caller's.
ENDS_SESSIONS: Final = ("/sign-out", "/sign-out/everywhere")


def rows(heading: str, columns: int) -> dict[str, list[str]]:
    """The table beneath a heading: route -> its other cells."""
    section = DOCUMENT.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    lines = [line.split("|")[1:-1] for line in section.splitlines() if line.startswith("| `")]
    assert all(len(line) == columns for line in lines)
    return {line[0].strip().strip("`"): [cell.strip() for cell in line[1:]] for line in lines}


ALLOWED: Final = rows("Route by route", 3)


made = ledger_of_two


def routes(made: TwoTeams) -> dict[str, set[str]]:
    """The application's, with the methods of each."""
    found: dict[str, set[str]] = {}
    for route in iter_route_contexts(made.asking().app.routes):  # type: ignore[attr-defined]  # FastAPI's
        found.setdefault(route.path or "", set()).update((route.methods or set()) - {"HEAD"})
    return found


def address(made: TwoTeams, path: str, team: str) -> str:
    """Where a route is asked: with what there is of a team."""

    def part(found: re.Match[str]) -> str:
        name = found[1].partition(":")[0]
        if name == "team":
            return team
        of_them = made.ids.get(NOUNS.get(name, ""), {})
        return str(PARTS.get(name) or of_them.get(team) or of_them.get("") or 1)

    return re.sub(r"{(.*?)}", part, path) + ASKED_WITH.get(path, "")


def sent(made: TwoTeams, method: str, path: str, team: str) -> Any:
    """What a request holds that would be taken: all of it is the team's."""
    only = {"team": [team]}
    rule = {"name": "another", "kind": "unpriced", "filter": only}
    money = {"amount": "10", "period": "month", "currency": "USD", "thresholds": [50]}
    bodies: dict[str, Any] = {
        "/v1/budgets": {"name": TOLD_OF[team], "filter": only, **money},
        "/v1/alert-rules": {**rule, "name": TOLD_OF[team]},
        "/v1/alert-rules/test": rule,
        "/v1/silences": {"kind": "mute", "budget_id": made.ids["budget"][team], "hours": 1},
        "/v1/ownership/preview": {"rules": [], "splits": []},
        "/v1/months/{name}/reopen": {"reason": "x"},
    }
    return bodies.get(path, {}) if method == "POST" else {}


def wrong_answers(
    made: TwoTeams, opened: Browser, caller: Caller, method: str, path: str
) -> list[str]:
    """What is not as the document has it, if one caller asks one route."""
    word = ALLOWED[path][method != "GET"]
    of_themselves = caller.team or "search"
    place, body = address(made, path, of_themselves), sent(made, method, path, of_themselves)
    answered = caller.ask(opened, method, place, body)
    let_in = answered not in OUT
    if path.startswith("/sign-in"):  # says 401 to whoever shows it no key
        let_in = True
    expected = caller.let_in_by(word, of_themselves)
    told = f"{caller.name}: {method} {path} ({word}): {answered}"
    return [told] if let_in != expected or answered >= 500 else []


def test_every_route_is_in_the_document_with_each_of_its_methods(made: TwoTeams) -> None:
    there = routes(made)
    assert there.keys() - ALLOWED.keys() == set(), "say in docs/routes.md who is let in"
    assert ALLOWED.keys() - there.keys() == set(), "docs/routes.md has routes that are gone"
    for path, methods in there.items():
        look, change = ALLOWED[path]
        assert bool(look) == ("GET" in methods), path
        assert bool(change) == bool(methods - {"GET"}), path
        assert {look, change} - {""} <= WORDS, path


def test_every_path_of_the_collector_and_of_the_jobs_is_in_the_document() -> None:
    assert rows("The collector", 2).keys() == SIGNALS.keys() | health.PATHS
    assert rows("The jobs", 2).keys() == door.PATHS


def wrong_cells(made: TwoTeams, every: int) -> tuple[int, list[str]]:
    """How many were asked, and what is wrong.

    Each route is asked by whoever shows nothing, and by all that are known and must be kept out;
    of those that are let in, which takes a page's time, and of strangers, which all end at one
    place, by every so manieth in turn.
    """
    everyone, asked = everybody(made), 0
    wrong: list[str] = []
    there = routes(made)
    with browser(made) as opened:
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            for turn, path in enumerate(there):
                if method not in there[path] or path in (SLOW, *ENDS_SESSIONS):
                    continue
                word = ALLOWED[path][method != "GET"]
                for number, caller in enumerate(everyone):
                    let_in = caller.let_in_by(word, caller.team or "search")
                    in_turn = let_in or (number and not caller.reads)
                    if in_turn and (turn + number) % every:
                        continue
                    asked += 1
                    wrong += wrong_answers(made, opened, caller, method, path)
    return asked, wrong


def test_every_caller_is_let_in_or_kept_out_as_the_document_says(
    made: TwoTeams, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    # All come from one address.
    monkeypatch.setattr("api.knocks.MOST", 10**9)
    # What is drawn is nobody's secret, and takes longest.
    monkeypatch.setattr("api.pages.charts._drawn", lambda _spec: "<svg></svg>")
    asked, wrong = wrong_cells(made, every=1 if request.config.getoption("--every-cell") else 20)
    assert wrong == []
    assert asked > 600


def test_the_collector_hears_from_ingest_keys_alone(database: Database) -> None:
    allowed = rows("The collector", 2)
    keys: dict[str, str | None] = {"none": None, "garbage": "sl_ingest_x"}
    with database.write() as session:
        for kind in ("ingest", "read", "admin"):
            keys[kind] = create_key(
                session,
                tenant=TENANT,
                kind=kind,
                name=kind,
                team=None,
                pepper=COLLECTORS,
                now=at("2026-10-01"),
            )
    with open_doors(database) as doors:
        for path, (word,) in allowed.items():
            for who, key in keys.items():
                headers = {} if key is None else {"authorization": f"Bearer {key}"}
                method = "POST" if path.startswith("/v1/") else "GET"
                body = sent_spans(call(1)) if path == "/v1/traces" else b""
                answer = doors.post(body, path=path, method=method, **headers)
                let_in = answer.status not in OUT
                assert let_in == (word in {"anyone", who}), (path, who, answer.status)
