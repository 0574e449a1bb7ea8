"""Channels over the API: what makes sense of one, and that what it is reached with stays secret."""

from pathlib import Path
from typing import Any

import pytest
from filled_ledger import asking, at
from sqlalchemy import select

from app.commands.api import api_settings
from app.settings import Settings
from jobs.delivery.destinations import addresses_of
from spend.channels.channels import Checks, channel_secret, channel_terms
from spend.checked_fields import TermsRefused
from store.access.keys import create_key
from store.access.secrets import MARK, Seal, SealedElsewhere, last4
from store.channels import channels
from store.channels.channels import NoSuchChannel
from store.postgres.sessions import Database
from store.tables.alerting import channels as kept
from store.tables.budgets import outbox
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

PEPPER = b"a pepper of sixteen"
SLACK = "https://hooks.slack.com/services/T0/B0/secretx7Yz"
PUBLIC = ["93.184.216.34"]


def there(_host: str, _port: int) -> list[str]:
    return PUBLIC


def said(**changes: Any) -> dict[str, Any]:
    return {"name": "search", "kind": "slack-webhook", "secret": SLACK} | changes


def made(asked: dict[str, Any], text: str | None, key: str | None = None) -> bool:
    terms = channel_terms(**asked)
    return channel_secret(terms.kind, text, key, Checks(there, has_apprise=True)) is not None


def client(database: Database, **settings: Any) -> Any:
    usual = {"key_pepper": PEPPER, "addresses_of": there, "has_apprise": True}
    return asking(database, **(usual | settings))


def test_a_channel_is_made_shown_changed_and_removed_and_its_secret_is_never_told(
    database: Database,
) -> None:
    asked = client(database)
    quiet = {"times": [{"from": "22:00", "to": "07:00"}], "zone": "Europe/Berlin"}
    made = asked.post("/v1/channels", json=said(teams=["search"], quiet=quiet))
    assert made.status_code == 201, made.text
    channel = made.json()
    assert channel["secret"] == "…x7Yz"
    assert channel["quiet"]["times"][0]["weekdays"][0] == "monday"
    place = f"/v1/channels/{channel['id']}"
    changed = asked.patch(place, json={"levels": "over", "quiet": None, "secret": SLACK + "abcd"})
    assert (changed.json()["levels"], changed.json()["quiet"]) == ("over", None)
    assert changed.json()["secret"] == "…abcd"
    assert changed.json()["teams"] == ["search"]
    told = made.text + changed.text + asked.get("/v1/channels").text + asked.get(place).text
    assert "hooks.slack.com" not in told
    with database.read() as session:
        opened = channels.opened(session, TENANT, channel["id"], Seal(PEPPER))
        rows = session.execute(select(kept)).all()
    assert opened.secret is not None
    assert opened.secret.text == SLACK + "abcd"
    assert "secret" not in repr(opened.secret).replace("ChannelSecret", "")
    assert [row.secret.startswith(MARK) for row in rows] == [True]
    assert "slack.com" not in str(rows)
    assert asked.delete(place).status_code == 204
    assert asked.get(place).status_code == 404
    with database.read() as session:
        assert session.scalars(select(kept.c.secret)).all() == [None]
        with pytest.raises(NoSuchChannel):
            channels.opened(session, TENANT, channel["id"], Seal(PEPPER))
    # The name is free again.
    assert asked.post("/v1/channels", json=said()).status_code == 201
    assert asked.post("/v1/channels", json=said()).status_code == 409


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("name", {"name": ""}),
        ("kind", {"kind": "pager"}),
        ("levels", {"levels": "warning"}),
        ("secret", {"secret": "http://hooks.slack.com/x"}),
        ("secret", {"secret": "https://hooks.slack.com.evil.example/x"}),
        ("secret", {"secret": "https://user:pw@hooks.slack.com/x"}),
        ("secret", {"kind": "webhook", "secret": "https://169.254.169.254/latest"}),
        ("secret", {"kind": "webhook", "secret": "https://[::ffff:10.0.0.1]/"}),
        ("secret", {"kind": "webhook", "secret": "https://0x7f.1/"}),
        ("secret", {"kind": "webhook", "secret": "https://localhost/"}),
        ("secret", {"kind": "webhook", "secret": None}),
        ("secret", {"kind": "slack-bot", "secret": "xoxp-1", "to": ["C024BE91L"]}),
        ("to", {"kind": "slack-bot", "secret": "xoxb-1234567890-x", "to": ["#general"]}),
        ("to", {"to": ["ann@example.com"]}),
        ("to", {"kind": "email", "secret": None, "to": []}),
        ("to", {"kind": "email", "secret": None, "to": [f"a{n}@example.com" for n in range(21)]}),
        ("to.0", {"kind": "email", "secret": None, "to": ["ann@example.com\r\nBcc: b@x.org"]}),
        ("to.0", {"kind": "email", "secret": None, "to": ["Ann <ann@example.com>"]}),
        ("to.0", {"kind": "email", "secret": None, "to": ["=?utf-8?q?=0D=0Ax?=@example.com"]}),
        ("to.1", {"kind": "email", "secret": None, "to": ["a@b.org", "b@localhost"]}),
        ("secret", {"kind": "email", "to": ["a@b.org"]}),
        ("secret", {"kind": "apprise", "secret": "json://10.0.0.1/x"}),
        ("secret", {"kind": "apprise", "secret": "xml://example.com/x"}),
        ("secret", {"kind": "apprise", "secret": "tgram://1:a/2?silent=1;template=/etc/passwd"}),
        ("secret", {"kind": "apprise", "secret": "workflows://evil.example#.logic.azure.com/"}),
        ("signing_key", {"signing_key": "0123456789abcdef"}),
        ("signing_key", {"kind": "webhook", "secret": "https://a.example/", "signing_key": "x"}),
        ("quiet.zone", {"quiet": {"times": [{"from": "22:00", "to": "07:00"}], "zone": "Mars"}}),
        ("quiet.times.0.from", {"quiet": {"times": [{"from": "24:00", "to": "07:00"}]}}),
        ("quiet.times", {"quiet": {"times": [{"from": "00:00", "to": "00:00"}]}}),
        ("teams.0", {"teams": [""]}),
    ],
)
def test_a_channel_that_makes_no_sense_is_refused_by_the_field(
    field: str, changes: dict[str, Any]
) -> None:
    asked = {"name": "search", "kind": "slack-webhook", "secret": SLACK} | changes
    text, key = asked.pop("secret"), asked.pop("signing_key", None)
    with pytest.raises(TermsRefused) as refused:
        made(asked, text, key)
    assert refused.value.field == field
    assert text is None or text not in str(refused.value)


def test_what_makes_sense_passes() -> None:
    for kind, text in (
        ("slack-webhook", SLACK),
        ("webhook", "https://alerts.example.com/in?key=1"),
        ("apprise", "opsgenie://key/?region=eu&priority=p1"),
        ("apprise", "https://prod-1.westeurope.logic.azure.com:443/workflows/a?sig=b&sp=c"),
    ):
        assert made({"name": "a", "kind": kind}, text)
    bot = {"name": "a", "kind": "slack-bot", "to": ["C024BE91L"]}
    assert made(bot, "xoxb-123456789012-abcdefghijkl")
    assert not made({"name": "a", "kind": "email", "to": ["ann+x@mail.example.com"]}, None)


def test_a_name_that_leads_inside_or_nowhere_is_refused_when_it_is_saved(
    database: Database,
) -> None:
    def inside(_host: str, _port: int) -> list[str]:
        return [*PUBLIC, "10.0.0.7"]

    def nowhere(_host: str, _port: int) -> list[str]:
        raise OSError("no such host")

    for found, reason in ((inside, "not of the public internet"), (nowhere, "is not found")):
        asked = client(database, addresses_of=found)
        refused = asked.post(
            "/v1/channels", json=said(kind="webhook", secret="https://alerts.example.com/secret")
        )
        assert (refused.status_code, refused.json()["field"]) == (422, "secret")
        assert reason in refused.json()["detail"]
        assert "/secret" not in refused.text


def test_the_api_that_is_run_looks_hosts_up(tmp_path: Path) -> None:
    assert api_settings(Settings(data_dir=tmp_path)).checks == Checks(
        addresses_of, has_apprise=True
    )


def test_apprise_takes_its_extra(database: Database) -> None:
    asked = client(database, has_apprise=False)
    refused = asked.post("/v1/channels", json=said(kind="apprise", secret="discord://1/2"))
    assert refused.status_code == 422
    assert "pip install 'spanledger[apprise]'" in refused.json()["detail"]


def test_a_webhook_without_a_key_to_sign_with_gets_one_that_is_shown_once(
    database: Database,
) -> None:
    asked = client(database)
    webhook = said(kind="webhook", secret="https://alerts.example.com/in")
    made = asked.post("/v1/channels", json=webhook).json()
    key = made["signing_key"]
    assert key.startswith("whsec_")
    assert key not in asked.get("/v1/channels").text
    place = f"/v1/channels/{made['id']}"
    asked.patch(place, json={"secret": "https://other.example.com/in"})
    with database.read() as session:
        opened = channels.opened(session, TENANT, made["id"], Seal(PEPPER))
    assert opened.secret is not None
    assert (opened.secret.text, opened.secret.signing_key) == ("https://other.example.com/in", key)


def test_another_pepper_opens_nothing_and_says_which_setting_differs(database: Database) -> None:
    made = client(database).post("/v1/channels", json=said()).json()
    with database.read() as session, pytest.raises(SealedElsewhere, match="KEY_PEPPER"):
        channels.opened(session, TENANT, made["id"], Seal(b"another"))
    # Nor does it seal more, which those who send could not open.
    other = client(database, key_pepper=b"another")
    assert other.post("/v1/channels", json=said(name="second")).status_code == 409
    # Entered again, it is sealed with the one that is in force.
    place = f"/v1/channels/{made['id']}"
    assert other.patch(place, json={"secret": SLACK}).status_code == 200
    assert other.post("/v1/channels", json=said(name="second")).status_code == 201


def test_what_is_sealed_opens_and_shows_its_end() -> None:
    seal = Seal(PEPPER)
    sealed = seal.sealed(SLACK)
    assert sealed.startswith(MARK)
    assert "slack" not in sealed
    assert (seal.opened(sealed), last4(sealed)) == (SLACK, "x7Yz")
    assert (seal.opened(SLACK), last4(SLACK)) == (SLACK, "x7Yz"), "of before there were seals"
    assert seal.sealed(SLACK) != sealed


def test_only_an_admin_key_changes_channels_and_one_team_s_key_sees_none(
    database: Database,
) -> None:
    with database.write() as session:
        keys = {
            (kind, team): create_key(
                session,
                tenant=TENANT,
                kind=kind,
                name="n",
                team=team,
                pepper=PEPPER,
                now=at("2026-10-01"),
            )
            for kind, team in (("read", None), ("read", "search"), ("admin", None))
        }
    asked = client(database)

    def status(who: tuple[str, str | None], method: str, path: str, **more: Any) -> int:
        headers = {"Authorization": f"Bearer {keys[who]}"}
        return int(asked.request(method, path, headers=headers, **more).status_code)

    reader, of_a_team, admin = keys
    assert status(admin, "POST", "/v1/channels", json=said()) == 201
    assert status(reader, "POST", "/v1/channels", json=said(name="b")) == 403
    assert status(reader, "GET", "/v1/channels") == 200
    assert status(of_a_team, "GET", "/v1/channels") == 403
    assert status(reader, "POST", "/v1/channels/1/test") == 403
    assert status(admin, "POST", "/v1/channels/1/test") == 202


def test_a_sample_is_a_message_of_its_channel_whatever_its_levels_and_hours(
    database: Database,
) -> None:
    asked = client(database, now="2026-10-20T23:00")
    quiet = {"times": [{"from": "22:00", "to": "07:00"}]}
    made = asked.post("/v1/channels", json=said(levels="over", quiet=quiet)).json()
    for _ in range(2):
        sent = asked.post(f"/v1/channels/{made['id']}/test")
        assert sent.status_code == 202
    with database.read() as session:
        rows = session.execute(select(outbox).order_by(outbox.c.id)).all()
    assert [(row.channel_id, row.next_at) for row in rows] == 2 * [
        (made["id"], at("2026-10-20T23:00"))
    ]
    shown = asked.get(f"/v1/channels/{made['id']}").json()["last_delivery"]
    assert (shown["message"], shown["status"]) == (sent.json()["message"], "pending")
