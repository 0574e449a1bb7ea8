"""Pages of channels: made, changed, tried, removed; what each is reached with stays unseen."""

import re
from typing import Any

import pytest
from fastapi.testclient import TestClient
from filled_ledger import asking, at
from httpx2 import Response
from sqlalchemy import select
from test_pages_preferences import OURS, token

from spend.channels.channels import ChannelSecret, channel_terms
from store.access.secrets import Seal
from store.channels import channels
from store.postgres.sessions import Database
from store.tables.budgets import outbox
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

PLACE = "/settings/channels"
NEW = {"name": "ops", "kind": "webhook", "secret": "https://alerts.example.com/secretx7Yz"}


def channel(database: Database, name: str) -> int:
    terms = channel_terms(name=name, kind="webhook", teams=["search"])
    secret = ChannelSecret("https://alerts.example.com/secretx7Yz", "a key to sign with")
    with database.write() as session:
        now = at("2026-10-01")
        return channels.create(session, TENANT, terms, secret, seal=Seal(b""), now=now).id


def sent(database: Database) -> list[Any]:
    with database.read() as session:
        return list(session.scalars(select(outbox.c.channel_id)))


def post(client: TestClient, place: str, **fields: Any) -> Response:
    fields["form_token"] = token(client, f"{PLACE}/new")
    return client.post(place, data={"levels": "all"} | fields, headers=OURS)


def test_where_the_page_was_leads_here(database: Database) -> None:
    client = asking(database)
    moved = client.get("/channels", params={"timezone": "Asia/Tokyo"})
    assert moved.url.path == PLACE
    assert moved.url.params["timezone"] == "Asia/Tokyo"
    assert "No channels yet" in moved.text


def test_a_button_sends_a_sample_to_its_channel(database: Database) -> None:
    client = asking(database)
    first, second = channel(database, "<b>ops</b>"), channel(database, "shop")
    listed = client.get(PLACE).text
    assert "&lt;b&gt;ops&lt;/b&gt;" in listed
    assert "<b>ops" not in listed
    assert f'href="{PLACE}/{first}"' in listed
    shown = client.get(f"{PLACE}/{second}").text
    assert "…x7Yz" in shown
    assert "example.com" not in listed + shown
    pressed = post(client, f"{PLACE}/{second}/test")
    assert "A sample" in pressed.text or "sample is sent" in pressed.text
    assert "on its way" in pressed.text
    assert sent(database) == [second]
    assert "on its way" in client.get(PLACE).text
    rows = client.get(PLACE, params={"csv": "channels"}).text.splitlines()
    assert [row.split(",")[3] for row in rows] == ["outcome", "", "pending"]
    assert post(client, f"{PLACE}/99/test").status_code == 404


def test_a_webhook_gets_a_key_that_is_shown_once(database: Database) -> None:
    client = asking(database)
    made = post(client, PLACE, **NEW, teams="search\r\nshop, north\r\n", digest="yes", to="x")
    key = re.search(r"whsec_[^<]+", made.text)
    assert key
    assert made.headers["cache-control"] == "no-store"
    with database.read() as session:
        (found,) = channels.all_channels(session, TENANT)
        assert (found.teams, found.digest, found.to) == (("search", "shop, north"), True, ())
        opened = channels.opened(session, TENANT, found.id, Seal(b"")).secret
    assert opened == ChannelSecret(NEW["secret"], key[0])
    shown = client.get(f"{PLACE}/{found.id}").text
    assert key[0] not in shown
    assert "example.com" not in shown


def test_what_is_refused_is_said_beside_its_field_and_nothing_typed_is_lost(
    database: Database,
) -> None:
    client = asking(database)
    channel(database, "ops")
    typed = {"teams": "search", "from-0": "22:00", "to-0": "25:00", "days-0": ["monday"]}
    refused = post(client, PLACE, **NEW, **typed)
    assert refused.status_code == 422
    assert "Line 1, to: a minute of the day" in refused.text
    for kept in (
        'value="ops"',
        ">search</textarea>",
        'value="22:00"',
        '<details class="more" open',
    ):
        assert kept in refused.text
    assert NEW["secret"] not in refused.text, "a secret is written only"
    taken = post(client, PLACE, **NEW)
    assert "There is a channel named" in taken.text
    mail = post(client, PLACE, name="mail", kind="email", to="ann@example.com\nnobody")
    assert "Line 2: this is no address" in mail.text


def test_a_change_keeps_the_secret_and_quiet_hours_are_by_a_zone(database: Database) -> None:
    client = asking(database)
    its = channel(database, "ops")
    quiet = {"from-1": "20:00", "to-1": "08:00", "days-1": ["monday", "friday"]}
    saved = post(
        client,
        f"{PLACE}/{its}",
        **{"name": "night", "zone": "Asia/Tokyo", "over_waits": "yes", "kind": "email"} | quiet,
    )
    assert "Saved." in saved.text
    with database.read() as session:
        found = channels.one(session, TENANT, its)
        opened = channels.opened(session, TENANT, its, Seal(b"")).secret
    assert (found.name, found.kind, found.teams) == ("night", "webhook", ())
    assert opened == ChannelSecret(NEW["secret"], "a key to sign with")
    assert found.quiet
    assert (found.quiet.zone.key, found.quiet.over_waits) == ("Asia/Tokyo", True)
    assert [each.weekdays for each in found.quiet.times] == [("monday", "friday")]
    assert "Removed." in post(client, f"{PLACE}/{its}/remove").text
    assert client.get(f"{PLACE}/{its}").status_code == 404
