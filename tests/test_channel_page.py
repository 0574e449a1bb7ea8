"""The page of channels: a button sends a sample, and no page of somebody else's can press it."""

import re
from typing import Any

import pytest
from filled_ledger import asking, at
from sqlalchemy import select

from spend.channels import ChannelSecret, channel_terms
from store import channels
from store.keys import create_key
from store.secrets import Seal
from store.sessions import Database
from store.tables.budgets import outbox
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

OURS = {"Sec-Fetch-Site": "same-origin", "Origin": "http://testserver"}


def channel(database: Database, name: str) -> int:
    terms = channel_terms(name=name, kind="webhook", teams=["search"])
    secret = ChannelSecret("https://alerts.example.com/secretx7Yz")
    with database.write() as session:
        now = at("2026-10-01")
        return channels.create(session, TENANT, terms, secret, seal=Seal(b""), now=now).id


def sent(database: Database) -> list[Any]:
    with database.read() as session:
        return list(session.scalars(select(outbox.c.channel_id)))


def test_a_button_sends_a_sample_to_its_channel(database: Database) -> None:
    client = asking(database)
    assert "None: alerts go to" in client.get("/channels").text
    first, second = channel(database, "<b>ops</b>"), channel(database, "shop")
    page = client.get("/channels")
    assert "form-action 'self'" in page.headers["content-security-policy"]
    assert "&lt;b&gt;ops&lt;/b&gt;" in page.text
    assert "<b>" not in page.text
    assert "…x7Yz" in page.text
    assert "example.com" not in page.text
    forms = re.findall(r'method="post" action="([^"]+)"', page.text)
    assert forms == [f"/channels/{first}/test", f"/channels/{second}/test"]
    pressed = client.post(forms[1], headers=OURS, follow_redirects=False)
    assert (pressed.status_code, pressed.headers["location"]) == (
        303,
        f"/channels#channel-{second}",
    )
    assert sent(database) == [second]
    assert "pending" in client.get("/channels").text
    assert client.post("/channels/99/test", headers=OURS).status_code == 404


def test_somebody_else_s_page_presses_no_button(database: Database) -> None:
    client = asking(database)
    place = f"/channels/{channel(database, 'ops')}/test"
    elsewhere = (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://testserver"},
        {"Sec-Fetch-Site": "same-site"},
    )
    assert client.post(place).status_code == 403, "no browser says whose page it is"
    for headers in elsewhere:
        assert client.post(place, headers=headers).status_code == 403
        # Nor does it change anything else while there are no keys, with a form that has no body.
        assert client.post(f"/v1{place}", headers=headers).status_code == 403
    assert sent(database) == []
    assert client.post(place, headers={"Origin": "http://testserver"}).status_code == 200


def test_with_keys_the_page_says_how_else(database: Database) -> None:
    client = asking(database)
    place = f"/channels/{channel(database, 'ops')}/test"
    with database.write() as session:
        create_key(
            session,
            tenant=TENANT,
            kind="admin",
            name="n",
            team=None,
            pepper=b"",
            now=at("2026-10-01"),
        )
    page = client.get("/channels")
    assert page.status_code == 401
    assert "http://testserver/v1/channels/ID/test" in page.text
    assert "ops" not in page.text
    assert client.post(place, headers=OURS).status_code == 401
