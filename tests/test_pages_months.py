"""Months are closed on a page by the rules of the API, after it has shown what that means."""

import re

import pytest
from closed_months import filled
from fastapi.testclient import TestClient
from filled_ledger import asking, at
from httpx2 import Response
from sqlalchemy import insert
from test_pages_preferences import OURS, token
from test_pages_teams import words

from store.access.keys import create_key
from store.postgres.sessions import Database
from store.tables.heard import batches
from store.tenants import TENANT

pytestmark = pytest.mark.one_server


@pytest.fixture
def client(database: Database) -> TestClient:
    filled(database)
    return asking(database, now="2026-11-20T12:00")


def send(client: TestClient, place: str, **fields: object) -> Response:
    sent = {"form_token": token(client), **fields}
    return client.post(place, data=sent, headers=OURS)


def test_a_month_is_soft_closed_opened_again_and_closed_for_good(client: TestClient) -> None:
    listed = words(client.get("/months").text)
    assert "Next: October 2026" in listed
    assert "Nothing waits to be settled" in listed
    soft = words(send(client, "/months/2026-10/soft-close", note="accrual posted").text)
    assert "Soft-closed: what comes late is booked in the next month." in soft
    assert "accrual posted" in soft
    refused = send(client, "/months/2026-10/reopen", reason=" ")
    assert refused.status_code == 422
    assert "Say why" in refused.text
    assert "Open again." in words(send(client, "/months/2026-10/reopen", reason="too early").text)
    preview = words(client.get("/months/2026-10/close").text)
    assert "Nothing is closed yet" in preview
    assert client.get("/v1/months/2026-10").json()["state"] == "open"
    closed = send(client, "/months/2026-10/close", note="reviewed")
    sha256 = client.get("/v1/months/2026-10").json()["hash"]
    assert sha256 in closed.text
    assert "too early" in closed.text, "all of its history"
    assert sha256[:12] in client.get("/months").text
    teams = words(client.get("/teams?month=2026-10").text)
    assert f"closed by anybody on this machine, 20 Nov 2026, 12:00 {sha256[:12]}" in teams
    again = send(client, "/months/2026-10/close")
    assert again.status_code == 409
    assert "2026-10 is closed already" in again.text


def test_what_has_to_be_accepted_is_named_and_nothing_typed_is_lost(
    client: TestClient, database: Database
) -> None:
    its = dict.fromkeys(("stored", "duplicate", "not_a_call"), 0) | {"heard": 3, "refused": 3}
    with database.write() as session:
        session.execute(
            insert(batches).values(
                tenant_id=TENANT,
                id=1,
                received_at=at("2026-10-05"),
                rolled_at=at("2026-10-05"),
                **its,
            )
        )
    shown = client.get("/months/2026-10/close").text
    assert re.search(r'name="accept" value="refused">', shown)
    refused = send(client, "/months/2026-10/close", note="by <ann>")
    assert refused.status_code == 422
    assert "Not accepted yet: refused" in words(refused.text)
    assert 'value="by &lt;ann&gt;"' in refused.text
    unknown = send(client, "/months/2026-10/close", accept="nonsense")
    assert unknown.status_code == 422
    assert "Closed." in send(client, "/months/2026-10/close", accept="refused").text


def test_only_an_admin_closes_and_only_months_that_are_over(
    client: TestClient, database: Database
) -> None:
    running = words(client.get("/months/2026-11").text)
    assert "It is not over" in running
    assert send(client, "/months/2026-11/soft-close").status_code == 409
    assert client.get("/months/nonsense").status_code == 404
    assert send(client, "/months/2026-10/soft-close", note="x" * 1001).status_code == 422
    forged = client.post("/months/2026-10/soft-close", data={"note": "x"}, headers=OURS)
    assert forged.status_code == 403
    with database.write() as session:
        secret = create_key(
            session,
            tenant=TENANT,
            kind="read",
            name="r",
            team=None,
            pepper=b"",
            now=at("2026-11-01"),
        )
    reader = {"Authorization": f"Bearer {secret}"}
    seen = client.get("/months/2026-10", headers=reader).text
    assert "needs the role admin or finance" in seen
    assert "<form" not in seen
    assert client.post("/months/2026-10/close", headers=reader | OURS).status_code == 403
