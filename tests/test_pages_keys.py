"""Keys are made and revoked on a page; nobody locks themselves out."""

import re

import pytest
from fastapi.testclient import TestClient
from filled_ledger import asking, at
from httpx2 import Response
from test_pages_preferences import OURS, token

from store.access.keys import find_key, list_keys
from store.postgres.sessions import Database
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

PLACE = "/settings/keys"
PEPPER = b"sixteen bytes and more"


def make(client: TestClient, kind: str, name: str = "ann", team: str = "") -> Response:
    sent = {"form_token": token(client, PLACE), "kind": kind, "name": name, "team": team}
    return client.post(PLACE, data=sent, headers=OURS)


def text_of(answer: Response) -> str:
    found = re.search(r"sl_[a-z]+_[a-z2-7]{60}", answer.text)
    assert found, answer.text
    return found[0]


def ids(database: Database) -> list[str]:
    """Of the keys in force, by kind."""
    with database.read() as session:
        found = list_keys(session, tenant=TENANT)
    return [key.id for key in sorted(found, key=lambda key: key.kind) if not key.revoked_at]


def test_the_first_key_is_an_admin_s_and_signs_this_browser_in(database: Database) -> None:
    client = asking(database, key_pepper=PEPPER)
    assert "No key is in force" in client.get(PLACE).text
    refused = make(client, "read")
    assert (refused.status_code, "Make an admin key first" in refused.text) == (422, True)
    assert 'value="ann"' in refused.text, "what was typed stays"
    made = make(client, "admin")
    assert made.headers["cache-control"] == "no-store"
    text = text_of(made)
    assert "signed in with it" in made.text
    with database.read() as session:
        assert find_key(session, text, pepper=PEPPER, now=at("2026-10-20"))
    listed = client.get(PLACE)
    assert "this browser" in listed.text
    assert text not in listed.text, "it is shown once"
    assert asking(database, key_pepper=PEPPER).get(PLACE).status_code == 401


def test_a_key_to_send_is_ready_to_paste(database: Database) -> None:
    client = asking(database, key_pepper=PEPPER)
    make(client, "admin")
    made = make(client, "ingest", "search-api", "search")
    text = text_of(made)
    assert f'OTEL_EXPORTER_OTLP_HEADERS="authorization=Bearer%20{text}"' in made.text
    assert "this browser" not in made.text
    rows = client.get(PLACE, params={"csv": "keys"}).text.splitlines()
    assert rows[0] == "name,kind,team,id,made,expires,used"
    assert {tuple(row.split(",")[:3]) for row in rows[1:]} == {
        ("search-api", "ingest", "search"),
        ("ann", "admin", ""),
    }
    for kind, name, team in (("ingest", "x", "idle"), ("admin", "x", "a"), ("read", "", "")):
        assert make(client, kind, name, team).status_code == 422
    assert len(ids(database)) == 2


def test_revoking_asks_and_says_what_follows(database: Database) -> None:
    client = asking(database, key_pepper=PEPPER)
    make(client, "admin")
    make(client, "read", "board")
    admin, read = ids(database)
    place = f"{PLACE}/{read}/revoke"
    assert "board" in client.get(place).text
    assert ids(database) == [admin, read], "to look changes nothing"
    done = client.post(place, data={"form_token": token(client, place)}, headers=OURS)
    assert "Revoked: whoever used that key" in done.text
    again = client.post(place, data={"form_token": token(client, PLACE)}, headers=OURS)
    assert (again.status_code, ids(database)) == (404, [admin])
    place = f"{PLACE}/{admin}/revoke"
    assert "last key in force" in client.get(place).text
    client.post(place, data={"form_token": token(client, place)}, headers=OURS)
    assert "No key is in force" in client.get(PLACE).text


def test_a_read_key_looks_and_changes_nothing(database: Database) -> None:
    client = asking(database, key_pepper=PEPPER)
    make(client, "admin")
    read = text_of(make(client, "read", "board"))
    one_team = text_of(make(client, "read", "theirs", "search"))
    before = ids(database)
    for text, seen in ((read, 200), (one_team, 403)):
        other = asking(database, key_pepper=PEPPER)
        headers = {"Authorization": f"Bearer {text}"}
        assert other.get(PLACE, headers=headers).status_code == seen
        sent = {"form_token": token(other, "/sign-in"), "kind": "admin", "name": "x"}
        assert other.post(PLACE, data=sent, headers=OURS | headers).status_code == 403
    assert ids(database) == before
