"""``spanledger canary`` against a real ``serve``: green where all is well, else red by name."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from certificates import Authority
from conftest import fresh_database
from relay import Change, relay
from serving import PATIENCE, Serving, environment, eventually, serving
from sqlalchemy import text

from app.canary.doors import Doors, Trust, Where
from app.canary.promises import PROMISES, TAKEN_GRPC, Proof, State
from app.canary.run import Run
from app.local_postgres import LocalPostgres
from spend.canary import TEAM
from store.access.keys import create_key
from store.postgres.sessions import Database, open_database
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

PEPPER = "a pepper of the tests"
HERE = Path(__file__).parent
ALL = [each.name for each in PROMISES]
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class System:
    """A running one, over TLS and with keys, whose jobs tick each second."""

    serve: Serving
    hurried: subprocess.Popen[bytes]
    url: str
    database: Database
    where: Where

    @contextmanager
    def without_jobs(self) -> Iterator[None]:
        jobs = [self.serve.parts()["jobs"], self.hurried.pid]
        for pid in jobs:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in jobs:
                os.kill(pid, signal.SIGCONT)

    def do(self, statement: str) -> None:
        with self.database.write() as session:
            session.execute(text(statement))

    def calls(self) -> int:
        with self.database.read() as session:
            return session.scalar(text("SELECT count(*) FROM sightings")) or 0


@pytest.fixture(scope="module")
def system(postgres: LocalPostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    folder = tmp_path_factory.mktemp("canary")
    authority = Authority(folder, "authority")
    cert, key = authority.sign("server")
    with fresh_database(postgres) as url:
        database = open_database(url, application="tests")
        settings = {
            "DATABASE_URL": url,
            "KEY_PEPPER": PEPPER,
            "TLS_CERT": str(cert),
            "TLS_KEY": str(key),
            "TLS_CLIENT_CA": str(authority.file),
            "SETTLE_SECONDS": "0",
            "COLLECTOR_WORKERS": "1",
        }
        command = [sys.executable, "-P", HERE / "hurried_jobs.py", url, "http://127.0.0.1:1"]
        keys = made_key(database, "ingest"), made_key(database, "read", TEAM)
        with (
            serving(folder / "data", **settings) as serve,
            subprocess.Popen(command) as hurried,  # noqa: S603  # ours
        ):
            where = Where(
                otlp=serve.address("OTLP/HTTP"),
                api=serve.address("Pages"),
                grpc=f"https://{serve.address('OTLP/gRPC')}",
                trust=Trust(authority.file, *authority.sign("canary")),
                sending_key=keys[0],
                reading_key=keys[1],
            )
            try:
                made = System(serve, hurried, url, database, where)
                eventually(lambda: has_price(database), "the price list is entered")
                yield made
            finally:
                hurried.terminate()
        database.engine.dispose()


def made_key(database: Database, kind: str, team: str | None = None) -> str:
    with database.write() as session:
        return create_key(
            session,
            tenant=TENANT,
            kind=kind,
            name=kind,
            team=team,
            pepper=PEPPER.encode(),
            now=datetime.now(UTC),
        )


def has_price(database: Database) -> bool:
    with database.read() as session:
        priced = text("SELECT count(*) FROM prices WHERE model = 'canary' AND known_to IS NULL")
        return session.scalar(priced) == 3


def run(
    where: Where,
    *,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    timeout: float = 30,
    still: float = 20,
) -> dict[str, tuple[State, str]]:
    """Each promise, and what was seen."""
    proof = Proof(without=frozenset() if where.grpc else frozenset({TAKEN_GRPC}))
    with Doors(where, clock) as doors:
        Run(doors, proof, clock, timeout=timeout, still=still).go()
    return {each.promise.name: (each.state, each.seen) for each in proof.found()}


def those(found: dict[str, tuple[State, str]], state: State) -> list[str]:
    return [name for name, (how, _seen) in found.items() if how is state]


def canary(system: System) -> subprocess.Popen[str]:
    """The command, begun."""
    where = system.where
    assert where.grpc
    assert where.sending_key
    assert where.reading_key
    keys = {"API_KEY": where.sending_key, "READ_KEY": where.reading_key}
    addresses = ("--otlp", where.otlp, "--grpc", urlsplit(where.grpc).netloc, "--api", where.api)
    return subprocess.Popen(  # noqa: S603  # this very program
        [sys.executable, "-P", "-m", "app", "canary", *addresses,
         "--ca", str(where.trust.ca), "--cert", str(where.trust.cert),
         "--cert-key", str(where.trust.cert_key), "--json"],
        env=environment(HERE, **keys),
        cwd="/",
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip


def test_a_system_that_works_keeps_every_promise_to_two_at_once(system: System) -> None:
    beside: dict[str, tuple[State, str]] = {}
    other = Thread(target=lambda: beside.update(run(replace(system.where, grpc=None))))
    other.start()
    with canary(system) as process:
        out, err = process.communicate(timeout=PATIENCE)
    other.join()
    assert process.returncode == 0, out + err
    told = json.loads(out)
    assert [each["name"] for each in told["promises"]] == ALL
    assert (told["kept"], told["broken"], told["not_reached"]) == (len(ALL), 0, 0)
    assert err == ""
    assert those(beside, State.KEPT) == [name for name in ALL if name != TAKEN_GRPC], beside


def test_jobs_that_are_stopped_are_named_and_ctrl_c_tells_what_was_found(system: System) -> None:
    with system.without_jobs():
        before = system.calls()
        with canary(system) as process:
            eventually(lambda: system.calls() == before + 5, "it has sent all")
            eventually(lambda: process.poll() is None, "it waits")
            process.send_signal(signal.SIGINT)
            out, _err = process.communicate(timeout=PATIENCE)
        assert process.returncode == 130
        promises = {each["name"]: each for each in json.loads(out)["promises"]}
        assert promises["taken-json"]["state"] == "kept"
        assert promises["settled"]["state"] == "not reached"
        assert promises["settled"]["seen"] == "interrupted"

        found = run(system.where, still=3)
    assert those(found, State.BROKEN) == ["settled"], found
    assert "the jobs do not run" in found["settled"][1]
    assert those(found, State.NOT_REACHED) == ["two-sightings", "reported", "clock-database"]


def test_a_price_that_is_missing_is_named(system: System) -> None:
    system.do("UPDATE prices SET known_to = known_from WHERE model = 'canary'")
    try:
        found = run(system.where)
    finally:
        system.do("UPDATE prices SET known_to = NULL WHERE model = 'canary'")
    assert those(found, State.BROKEN) == ["priced", "reported"], found
    assert found["priced"][1] == "There is no price for: input, cache_read, output."
    assert "have no price" in found["reported"][1]


def test_a_canary_whose_clock_is_off_says_so(system: System) -> None:
    found = run(system.where, clock=lambda: datetime.now(UTC) - HOUR, timeout=0.1)
    clocks = [name for name in those(found, State.BROKEN) if name.startswith("clock")]
    assert clocks == ["clock-canary"], found
    assert found["clock-canary"][1].endswith("behind the others")


def dated(_path: str, headers: dict[str, str], body: bytes) -> bytes:
    """An answer of a server whose clock is an hour ahead."""
    moment = parsedate_to_datetime(headers["date"]) + HOUR
    headers["date"] = format_datetime(moment, usegmt=True)
    return body


@pytest.mark.parametrize("whose", ["otlp", "api"])
def test_a_server_whose_clock_is_off_is_named(system: System, whose: str) -> None:
    with relay(getattr(system.where, whose), dated, system.where.trust) as url:
        where = replace(system.where, **{whose: url})
        found = run(where, timeout=0.1)
    clock = {"otlp": "clock-collector", "api": "clock-api"}[whose]
    clocks = [name for name in those(found, State.BROKEN) if name.startswith("clock")]
    assert clocks == [clock], found
    assert found[clock][1].endswith("ahead of the others")


def answering(change: Callable[[dict[str, Any]], None], path: str) -> Change:
    """Changes what is answered under a path."""

    def changed(asked: str, _headers: dict[str, str], body: bytes) -> bytes:
        if urlsplit(asked).path != path:
            return body
        told = json.loads(body)
        change(told)
        return json.dumps(told).encode()

    return changed


def later(told: dict[str, Any], name: str, by: timedelta) -> None:
    if told.get(name):
        told[name] = (datetime.fromisoformat(told[name]) + by).isoformat()


@pytest.mark.parametrize(
    ("path", "change", "broken"),
    [
        (
            "/v1/charges",
            lambda told: [later(line, "posted_at", -HOUR) for line in told["charges"]],
            "clock-database",
        ),
        ("/v1/spend", lambda told: later(told, "complete_until", HOUR), "clock-jobs"),
        (
            "/v1/spend",
            lambda told: told["total"].update(calls=2 * told["total"]["calls"]),
            "reported",
        ),
    ],
)
def test_what_is_wrong_behind_the_doors_is_named(
    system: System, path: str, change: Callable[[dict[str, Any]], None], broken: str
) -> None:
    with relay(system.where.api, answering(change, path), system.where.trust) as url:
        found = run(replace(system.where, api=url))
    assert broken in those(found, State.BROKEN), found
    if broken != "clock-jobs":  # Which say that they are done before they are.
        assert those(found, State.BROKEN) == [broken], found


def test_who_is_away_and_whose_key_is_wrong_is_named(system: System) -> None:
    nowhere = replace(system.where, otlp="https://127.0.0.1:1", grpc=None)
    found = run(nowhere)
    assert those(found, State.BROKEN) == ["collector"]
    assert found["stored"] == (State.NOT_REACHED, "the collector does not answer")
    assert "nothing answers at 127.0.0.1:1: " in found["collector"][1]

    found = run(replace(system.where, trust=Trust(system.where.trust.ca), grpc=None))
    assert those(found, State.BROKEN) == ["collector"], "it asks for a certificate"

    found = run(replace(system.where, reading_key="sl_read_nothing"))
    assert those(found, State.BROKEN) == ["api"]
    assert "401" in found["api"][1]
    assert found["stored"] == (State.NOT_REACHED, "the API does not let this key read")
    assert found["taken-grpc"][0] is State.KEPT

    found = run(replace(system.where, sending_key="sl_ingest_nothing"))
    taken = ["taken-protobuf", "taken-json", "taken-grpc"]
    assert those(found, State.BROKEN) == taken, found
    assert "this key is not known" in found["taken-protobuf"][1]
    assert found["malformed"] == (State.NOT_REACHED, "the key is refused")
    assert "UNAUTHENTICATED" in found["taken-grpc"][1]
    assert found["settled"] == (State.NOT_REACHED, "nothing was acknowledged")


def test_what_is_acknowledged_without_a_database_is_told_as_that(
    system: System, postgres: LocalPostgres
) -> None:
    name = urlsplit(system.url).path[1:]
    before = system.calls()
    with psycopg.connect(postgres.url_of("postgres"), autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
        try:
            connection.execute(ended, [name])
            run(system.where)
            found = run(system.where)
        finally:
            connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    assert those(found, State.BROKEN) == ["collector", "api"], found
    assert "waits on its disk" in found["collector"][1]
    assert found["taken-protobuf"][0] is State.KEPT
    assert found["stored"] == (State.NOT_REACHED, "the API does not answer")
    eventually(lambda: system.calls() >= before + 5, "what was acknowledged is stored")
