"""The page of who pays: what rules would move is seen before they are in force."""

import html
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi.testclient import TestClient
from filled_ledger import SEARCH, SUPPORT, asking, put_cell, put_charge
from httpx2 import Response
from owned import apply, moved, rules
from test_pages_preferences import OURS, token

from spend.ownership.ownership_files import (
    OwnershipRefusedError,
    ownership_of_fields,
    ownership_of_file,
)
from spend.ownership.ownership_text import line_of, toml_of
from store.ownership import ownership
from store.postgres.sessions import Database
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

PLACE = "/settings/ownership"
RULES = """
[[rules]]
name = "search moved"
match = { team = "search" }
gives = { team = "discovery" }
from = 2026-10-01
"""
EVERY = {
    "timezone": "Europe/Berlin",
    "rules": [
        {
            "name": 'a "b" \\ é',
            "match": {"team": ["search", "x*"], "feature": [""]},
            "gives": {"team": "d", "project": "p"},
            "from": "2026-10-17",
            "to": "2026-11-01T08:15:00Z",
        }
    ],
    "splits": [
        {"name": "s", "match": {"team": ["t"]}, "shares": {"a b": "33.5", "c": "66.5"}},
        {"name": "u", "match": {"team": ["q"]}, "by": "tokens", "teams": ["z"]},
        {"name": "w", "match": {"team": ["v"]}, "weights": {"a": "3", "c": "1"}},
    ],
}


def sent(client: TestClient, place: str = f"{PLACE}/preview", **fields: Any) -> Response:
    """The form as the page has it, but for some fields."""
    page = client.get(f"{PLACE}/edit").text
    there = {
        "version": re.search(r'name="version" value="(\d+)"', page)[1],  # type: ignore[index]  # it is there
        "first": "2026-10-01",
        "last": "2026-10-20",
        "form_token": token(client, f"{PLACE}/edit"),
    }
    return client.post(place, data=there | fields, headers=OURS, follow_redirects=False)


def mark(answer: Response) -> str:
    found = re.search(r'name="previewed" value="([^"]*)"', answer.text)
    assert found
    return found[1]


@pytest.fixture
def client(database: Database) -> TestClient:
    with database.write() as session:
        for owner, amount in ((SEARCH, "12.5"), (SUPPORT, "10")):
            put_cell(session, "2026-10-05", owner)
            put_charge(session, "2026-10-05", amount, owner)
    return asking(database)


def test_what_would_move_is_seen_before_it_is_put_in_force(
    database: Database, client: TestClient
) -> None:
    assert "No rules yet" in client.get(PLACE).text
    seen = sent(client, text=RULES)
    cells = [html.unescape(each) for each in re.findall(r'<data value="([^"]*)"', seen.text)]
    assert seen.status_code == 200
    assert "What changes hands" in seen.text
    assert "12.50" in cells
    assert "-12.50" in cells
    with database.read() as session:
        assert ownership.in_force(session, TENANT) is None, "to look changes nothing"
    changed = sent(client, PLACE, text=RULES.replace("discovery", "sales"), previewed=mark(seen))
    assert (changed.status_code, "changed since the preview" in changed.text) == (409, True)
    done = sent(client, PLACE, text=RULES, previewed=mark(seen))
    assert done.headers["location"] == f"{PLACE}?done=saved"
    shown = client.get(PLACE).text
    for said in ("search moved", "team=search", "team=discovery", "anybody on this machine"):
        assert said in shown


def test_rules_of_somebody_else_are_not_overwritten_unseen(
    database: Database, client: TestClient
) -> None:
    seen = sent(client, text=RULES)
    apply(database, rules(moved("a", "b")))
    late = sent(client, PLACE, text=RULES, previewed=mark(seen), version="0")
    assert (late.status_code, "Meanwhile finance put version 1" in late.text) == (409, True)
    assert "a to b" in late.text, "what would end is named"
    assert sent(client, PLACE, text=RULES, previewed=mark(late)).status_code == 303
    assert "a to b" in client.get(PLACE, params={"version": 1}).text
    assert client.get(PLACE, params={"version": 3}).status_code == 404
    rows = client.get(PLACE, params={"csv": "versions"}).text.splitlines()
    assert [row[0] for row in rows] == ["v", "2", "1"]


def test_of_two_who_apply_at_once_the_second_is_told_of_the_first(
    database: Database, client: TestClient
) -> None:
    texts = (RULES, RULES.replace("discovery", "sales"))
    # Both look before either applies: FastAPI makes its routes when the first request comes, and
    # while it does it silences a warning of Pydantic's for all threads or, by chance, for none.
    clients = (client, asking(database))
    seen = [mark(sent(its, text=text)) for its, text in zip(clients, texts, strict=True)]
    with ThreadPoolExecutor(2) as both:
        done = [
            both.submit(sent, its, PLACE, version="0", text=text, previewed=previewed)
            for its, text, previewed in zip(clients, texts, seen, strict=True)
        ]
        assert sorted(each.result().status_code for each in done) == [303, 409]


def test_what_is_refused_keeps_the_text_and_points_at_the_line(client: TestClient) -> None:
    wrong = RULES.replace('team = "discovery"', 'team = "idle"')
    for place in (PLACE, f"{PLACE}/preview"):
        refused = sent(client, place, text=wrong, previewed=mark(sent(client, text=RULES)))
        assert refused.status_code == 422
        assert "Line 5." in refused.text
        assert 'data-line="5"' in refused.text
        assert html.escape(wrong, quote=True).replace("&#x27;", "&#39;").replace(
            "&quot;", "&#34;"
        ) in refused.text.replace("\r\n", "\n")
    for first, last in (("x", "2026-10-20"), ("2026-10-20", "2026-10-01"), ("1026-10-01",) * 2):
        assert sent(client, text=RULES, first=first, last=last).status_code in {200, 422}
    assert sent(client, text='{"rules": []}').status_code == 200, "JSON will do"


def test_a_text_says_what_the_rules_are() -> None:
    said = ownership_of_fields(EVERY, timezone="UTC")
    text = toml_of(said)
    assert "from = 2026-10-17\nto = 2026-11-01T08:15:00Z" in text
    assert ownership_of_file(text, toml=True, timezone="UTC") == said
    assert toml_of(rules()) == 'timezone = "UTC"\nrules = []\n'
    for change, line in ((('"p"', '" "'), 6), (("33.5", "33"), 13), (("= 2026", "x ="), 7)):
        wrong = text.replace(*change)
        with pytest.raises(OwnershipRefusedError) as refused:
            ownership_of_file(wrong, toml=True, timezone="UTC")
        assert line_of(wrong, refused.value) == line
