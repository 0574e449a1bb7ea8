"""Keys are looked up once a minute, and a database that is away turns nobody away for good."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from doors import PEPPER
from sqlalchemy.exc import OperationalError

from collector.came_from import is_local, key_in
from collector.errors import Busy, Denied
from collector.kept_senders import KeptSenders
from collector.senders import Gate, Sender
from store.access.keys import create_key, list_keys, revoke_key
from store.postgres.sessions import Database, open_database
from store.tenants import TENANT

NOW = datetime(2026, 11, 22, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Going(Database):
    """A database that can go away."""

    here = True

    def read(self):  # type: ignore[no-untyped-def, override]  # as Database has it
        if not Going.here:
            raise OperationalError("connect", None, Exception("refused"))
        return super().read()


@pytest.fixture
def going(database: Database) -> Going:
    Going.here = True
    return Going(database.engine)


def make(database: Database, kind: str = "ingest") -> str:
    with database.write() as session:
        return create_key(
            session, tenant=TENANT, kind=kind, name="k", team="search", pepper=PEPPER, now=NOW
        )


def test_a_key_says_whose_spans_they_are(going: Going) -> None:
    key = make(going)
    assert Gate(going, PEPPER, clock=lambda: NOW).admit(key, local=False) == Sender(
        TENANT, "search"
    )


def test_without_any_key_only_this_machine_may_send(going: Going) -> None:
    gate = Gate(going, PEPPER, clock=lambda: NOW)
    assert gate.admit(None, local=True) == Sender(TENANT, None)
    assert gate.admit("of another system", local=True) == Sender(TENANT, None)
    with pytest.raises(Denied):
        gate.admit(None, local=False)
    make(going, "admin")
    assert Gate(going, PEPPER, clock=lambda: NOW).admit(None, local=True) == Sender(TENANT, None)


def test_a_revoked_key_ends_within_a_minute(going: Going) -> None:
    clock = Clock()
    key = make(going)
    gate = Gate(going, PEPPER, clock=lambda: NOW, monotonic=clock)
    gate.admit(key, local=True)
    with going.write() as session:
        (listed,) = list_keys(session, tenant=TENANT)
        revoke_key(session, listed.id, tenant=TENANT, now=NOW)
    clock.now = 59
    assert gate.remembered(key, local=True) is not None
    clock.now = 60
    assert gate.remembered(key, local=True) is None
    with pytest.raises(Denied):
        gate.admit(key, local=True)


def test_while_the_database_is_away_known_keys_go_on_and_others_are_told_to_come_again(
    going: Going,
) -> None:
    clock = Clock()
    key = make(going)
    gate = Gate(going, PEPPER, clock=lambda: NOW, monotonic=clock)
    gate.admit(key, local=False)
    with pytest.raises(Denied):
        gate.admit("wrong", local=False)
    Going.here = False
    clock.now = 10_000
    assert gate.admit(key, local=False) == Sender(TENANT, "search")
    for unsure in ("wrong", "never seen"):
        with pytest.raises(Busy):
            gate.admit(unsure, local=False)


@pytest.mark.one_server
def test_a_collector_that_starts_while_the_database_is_away_knows_who_was_good(
    going: Going, tmp_path: Path
) -> None:
    folder = tmp_path / "senders"
    key = make(going)
    before = Gate(going, PEPPER, clock=lambda: NOW, kept=KeptSenders(folder, PEPPER))
    before.admit(key, local=False)
    with pytest.raises(Denied):
        before.admit("wrong", local=False)
    [kept] = folder.iterdir()
    assert key not in kept.name + kept.read_text()
    assert kept.stat().st_mode & 0o077 == 0
    Going.here = False
    gate = Gate(going, PEPPER, clock=lambda: NOW, kept=KeptSenders(folder, PEPPER))
    assert gate.remembered(key, local=False) is None
    assert gate.remembered(key, local=False, away=True) == Sender(TENANT, "search")
    assert gate.admit(key, local=False) == Sender(TENANT, "search")
    with pytest.raises(Busy):
        gate.admit("wrong", local=False)


@pytest.mark.one_server
def test_a_key_that_was_revoked_is_not_good_again_when_the_database_is_away(
    going: Going, tmp_path: Path
) -> None:
    clock, kept = Clock(), KeptSenders(tmp_path / "senders", PEPPER)
    gate = Gate(going, PEPPER, clock=lambda: NOW, kept=kept, monotonic=clock)
    assert gate.admit(None, local=True), "nobody has made a key"
    revoked, key = make(going), make(going)
    for each in (revoked, key):
        gate.admit(each, local=False)
    with going.write() as session:
        revoke_key(session, revoked[10:18], tenant=TENANT, now=NOW)
    clock.now = 60
    gate.admit(key, local=False)
    Going.here = False
    clock.now = 10_000
    started = Gate(going, PEPPER, clock=lambda: NOW, kept=kept, monotonic=clock)
    for each in (gate, started):
        assert each.remembered(key, local=False, away=True) == Sender(TENANT, "search")
        for unsure in (revoked, None):
            assert each.remembered(unsure, local=True, away=True) is None
            with pytest.raises(Busy):
                each.admit(unsure, local=True)


def test_a_server_that_refuses_connections_is_no_reason_to_deny() -> None:
    nowhere = open_database("postgresql://127.0.0.1:1/none", application="tests")
    with pytest.raises(Busy):
        Gate(nowhere, PEPPER, clock=lambda: NOW).admit("a key", local=True)


@pytest.mark.parametrize(
    ("headers", "key"),
    [
        ({"authorization": "Bearer abc"}, "abc"),
        ({"authorization": "bearer  abc "}, "abc"),
        ({"authorization": "Basic abc", "x-api-key": "def"}, "def"),
        ({"authorization": "Bearer "}, None),
        ({}, None),
    ],
)
def test_where_a_key_is_found(headers: dict[str, str], key: str | None) -> None:
    assert key_in(headers) == key


def test_what_is_local() -> None:
    assert all(map(is_local, ["127.0.0.1", "127.9.9.9", "::1"]))
    assert not any(map(is_local, ["", "10.0.0.1", "localhost.example", "0.0.0.0"]))  # noqa: S104 - compared
