"""Keys end by themselves; who tries many waits; a proxy is believed where it is trusted."""

import ipaddress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from filled_ledger import asking, at
from sqlalchemy.exc import OperationalError
from test_api_keys import PEPPER, make_key
from test_pages_preferences import token

from api.app import create_app
from api.knocks import BAD_FOR, MOST, PLACES, Knocks
from api.problems import Problem
from api.settings import ApiSettings
from collector.errors import Busy, Denied
from collector.kept_senders import KeptSenders
from collector.senders import Gate
from spend.access.key_terms import expiry
from spend.checked_fields import TermsRefused
from store import audit
from store.access.keys import create_key, list_keys
from store.postgres.sessions import Database
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

NOW = at("2026-10-20T12:00")
ENDS = at("2026-10-21")
OURS = {"Sec-Fetch-Site": "same-origin"}


def ending(database: Database, kind: str) -> str:
    with database.write() as session:
        return create_key(
            session,
            tenant=TENANT,
            kind=kind,
            name="k",
            team=None,
            pepper=PEPPER,
            now=NOW,
            expires_at=ENDS,
        )


def test_a_key_that_expired_opens_nothing_and_does_not_open_the_door(database: Database) -> None:
    key = {"Authorization": f"Bearer {ending(database, 'admin')}"}
    for now, status in (("2026-10-20T23:59", 200), ("2026-10-21", 401)):
        client = asking(database, now=now, key_pepper=PEPPER)
        assert client.get("/v1/spend", headers=key).status_code == status
        assert client.get("/v1/spend").status_code == 401, "it is a key all the same"


def test_a_browser_that_signed_in_with_it_is_out_when_it_expires(database: Database) -> None:
    key = ending(database, "read")
    client = asking(database, key_pepper=PEPPER)
    sent = {"form_token": token(client, "/sign-in"), "key": key, "back": "/"}
    assert client.post("/sign-in", data=sent, headers=OURS).status_code == 200
    later = asking(database, now="2026-10-21T00:01", key_pepper=PEPPER)
    later.cookies = client.cookies
    assert client.get("/v1/spend").status_code == 200
    assert later.get("/v1/spend").status_code == 401


class Away(Database):
    """A database that goes away."""

    here = True

    def read(self) -> Any:
        if not Away.here:
            raise OperationalError("", {}, Exception())
        return super().read()


def test_a_sender_s_key_expires_at_its_moment_also_while_the_database_is_away(
    database: Database, tmp_path: Any
) -> None:
    Away.here = True
    key, now = ending(database, "ingest"), [NOW]
    going, folder = Away(database.engine), tmp_path / "senders"

    def gate() -> Gate:
        return Gate(going, PEPPER, clock=lambda: now[0], kept=KeptSenders(folder, PEPPER))

    running = gate()
    assert running.admit(key, local=False)
    with database.read() as session:
        (known,) = list_keys(session, tenant=TENANT)
    assert known.last_used_at == NOW
    Away.here = False
    started = gate()
    assert started.remembered(key, local=False, away=True)
    assert started.admit(key, local=False)
    now[0] = ENDS
    for each in (running, started, gate()):
        assert each.remembered(key, local=False, away=True) is None
        with pytest.raises((Denied, Busy)):
            each.admit(key, local=False)


def test_when_a_key_ends_is_said_in_days_or_as_a_date() -> None:
    assert expiry("90d", NOW) == NOW + timedelta(days=90)
    assert expiry(" 2027-01-31 ", NOW) == datetime(2027, 1, 31, tzinfo=UTC)
    assert expiry("", NOW) is expiry(None, NOW) is None
    for wrong in ("0d", "90", "2026-10-20", "9999d", "tomorrow", "2027-02-30", "-3d", "\uff190d"):
        with pytest.raises(TermsRefused):
            expiry(wrong, NOW)


def test_when_a_key_was_used_is_known_to_the_day_and_written_once(database: Database) -> None:
    key = make_key(database, "read")
    used = []
    for now in ("2026-10-20T12:00", "2026-10-20T23:00", "2026-10-21T01:00"):
        asking(database, now=now, key_pepper=PEPPER).get("/v1/prices", headers=key)
        with database.read() as session:
            used.append(list_keys(session, tenant=TENANT)[0].last_used_at)
    assert used == [NOW, NOW, at("2026-10-21T01:00")]


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def counted(clock: Clock) -> Knocks:
    """With a salt of which it is known that no two addresses of these tests share a place."""
    knocks = Knocks(clock)
    knocks._salt = bytes(16)
    return knocks


def test_who_shows_many_wrong_keys_waits_and_who_has_a_good_one_does_not() -> None:
    clock = Clock()
    knocks = counted(clock)
    knocks.told("192.0.2.1", "good", good=True)
    for number in range(MOST):
        assert knocks.check("192.0.2.1", f"wrong {number}")
        knocks.told("192.0.2.1", f"wrong {number}", good=False)
    with pytest.raises(Problem) as told:
        knocks.check("192.0.2.1", "another")
    assert (told.value.status, told.value.headers) == (429, {"Retry-After": "60"})
    assert knocks.check("192.0.2.1", "good"), "its holder shares an address"
    assert knocks.check("192.0.2.2", "another"), "of another address"
    clock.now = 60
    assert knocks.check("192.0.2.1", "another")
    for number in range(PLACES * 8):  # with whatever shares its place
        knocks.told("192.0.2.1", f"more {number}", good=False)
    assert knocks.check("192.0.2.1", "good"), "however many are tried"
    knocks.told("192.0.2.1", "good", good=False)
    assert not knocks.check("192.0.2.1", "good"), "it was revoked"
    assert len(knocks._counts) == len(knocks._verdicts) == PLACES


def test_the_same_wrong_key_again_is_refused_without_a_look_and_not_counted() -> None:
    clock = Clock()
    knocks = counted(clock)
    knocks.told("192.0.2.1", "wrong", good=False)
    for _ in range(MOST * 2):
        assert not knocks.check("192.0.2.1", "wrong")
    clock.now = BAD_FOR
    assert knocks.check("192.0.2.1", "wrong"), "it may have been made since"


def test_addresses_of_ipv4_that_are_written_as_ipv6_are_not_one_household() -> None:
    knocks = counted(Clock())
    for number in range(MOST):
        knocks.told("::ffff:192.0.2.1", f"wrong {number}", good=False)
    knocks.check("::ffff:192.0.2.2", "x")
    with pytest.raises(Problem):
        knocks.check("192.0.2.1", "x")


def test_a_household_of_ipv6_is_one_address() -> None:
    knocks = counted(Clock())
    for number in range(MOST):
        knocks.told(f"2001:db8::{number:x}", f"wrong {number}", good=False)
    with pytest.raises(Problem):
        knocks.check("2001:db8::ffff", "x")
    knocks.check("2001:db8:0:1::1", "x")


def test_keys_are_counted_at_the_api_and_at_signing_in(database: Database) -> None:
    make_key(database, "admin")
    client = asking(database, key_pepper=PEPPER)
    # No minute ends meanwhile.
    client.app.state.knocks._monotonic = Clock()  # type: ignore[attr-defined]  # Starlette's
    statuses = [
        client.get("/v1/spend", headers={"Authorization": f"Bearer {number}"}).status_code
        for number in range(MOST)
    ]
    assert set(statuses) == {401}
    refused = client.get("/v1/spend", headers={"Authorization": "Bearer more"})
    assert (refused.status_code, "Retry-After" in refused.headers) == (429, True)
    sent = {"form_token": token(client, "/sign-in"), "key": "another"}
    signing = client.post("/sign-in", data=sent, headers=OURS)
    assert (signing.status_code, "Too many" in signing.text) == (429, True)


def client_behind(database: Database, trusted: str, peer: str) -> TestClient:
    settings = ApiSettings(
        key_pepper=PEPPER,
        trusted_proxies=tuple(ipaddress.ip_network(each) for each in trusted.split(",") if each),
    )
    app = create_app(database, settings, lambda: NOW)
    return TestClient(app, client=(peer, 1), raise_server_exceptions=False)


def test_only_a_trusted_proxy_says_where_a_request_comes_from(database: Database) -> None:
    admin = make_key(database, "admin")
    hops = "203.0.113.9, 198.51.100.7, 10.0.0.2"
    for trusted, peer, expected in (
        ("", "10.0.0.1", "10.0.0.1"),
        ("10.0.0.0/8", "192.0.2.1", "192.0.2.1"),
        ("10.0.0.0/8", "10.0.0.1", "198.51.100.7"),
        ("10.0.0.0/8", "::ffff:10.0.0.1", "198.51.100.7"),
        ("10.0.0.0/8", "10.0.0.3", "192.0.2.5"),
        ("10.0.0.0/8,198.51.100.0/24", "10.0.0.1", "203.0.113.9"),
    ):
        client = client_behind(database, trusted, peer)
        body = {"name": f"{trusted} {peer}", "amount": "1", "filter": {"team": ["search"]}}
        came = "::ffff:192.0.2.5" if peer == "10.0.0.3" else hops
        said = admin | {"X-Forwarded-For": came}
        assert client.post("/v1/budgets", json=body, headers=said).status_code == 201
        with database.read() as session:
            (line, *_) = audit.page(session, TENANT, audit.Asked(noun="budget"), at_most=1)
        assert line.actor.address == expected, (trusted, peer)


def test_only_a_trusted_proxy_says_that_it_is_https(database: Database) -> None:
    make_key(database, "admin")
    for peer, secure in (("10.0.0.1", True), ("192.0.2.1", False)):
        client = client_behind(database, "10.0.0.0/8", peer)
        said = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "spend.example"}
        cookie = client.get("/sign-in", headers=said).headers["set-cookie"]
        assert ("Secure" in cookie) is secure
        assert cookie.startswith("__Host-") is secure


def test_without_keys_nothing_is_answered_through_a_proxy(database: Database) -> None:
    client = asking(database)
    assert client.get("/v1/spend").status_code == 200
    for header in ("X-Forwarded-For", "Forwarded", "X-Forwarded-Host", "X-Real-IP"):
        assert client.get("/v1/spend", headers={header: "203.0.113.9"}).status_code == 403
