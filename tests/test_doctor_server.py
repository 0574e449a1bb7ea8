"""The doctor: the server and the machine, each thing shown wrong once and well once."""

import ctypes
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import psycopg
import pytest
from doctored import DAY, NOW, found, only
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.examination import connections, durability, machine, telling
from app.examination.findings import State
from app.examination.shape import shape_finding
from app.settings import Settings
from collector.spool.state import SPOOL
from migrations.shapes import Fit, Shape
from store import runs
from store.postgres.sessions import Database

pytestmark = pytest.mark.one_server


@pytest.mark.parametrize("version", [15, 18])
def test_a_postgres_without_corrections_is_told_ahead(version: int) -> None:
    ends = datetime.combine(durability.ENDS[version], datetime.min.time(), UTC)

    def at_time(now: datetime) -> State:
        return only(found(durability.release, answering(f"{version}0004"), now)).state

    assert at_time(ends) is State.WRONG
    assert at_time(ends - 100 * DAY) is State.LOOK
    assert at_time(ends - 200 * DAY) is State.WELL


def answering(answer: object) -> Session:
    """A session to a server that cannot be had here, which answers so."""
    asked = SimpleNamespace(
        scalar=lambda _sql: answer, execute=lambda *_asked: answer, one=lambda: answer
    )
    return cast("Session", asked)


def test_a_server_that_forgets_is_told(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    with database.read() as session:
        # As the servers of tests are.
        assert {it.what for it in found(durability.writes, session)} == {
            "fsync", "full_page_writes", "synchronous_commit"
        }  # fmt: skip
        said = {"synchronous_commit": "a crash loses calls"}
        monkeypatch.setattr(durability, "_MUST_BE_ON", said)
        assert only(found(durability.writes, session)).state is State.WRONG
        session.execute(text("SET LOCAL synchronous_commit = on"))
        assert only(found(durability.writes, session)).state is State.WELL
    assert only(found(durability.checksums, answering("off"))).state is State.LOOK
    assert only(found(durability.checksums, answering("on"))).state is State.WELL


def test_a_replica_is_told_and_a_vacuum_that_does_not_keep_up(database: Database) -> None:
    assert only(found(durability.primary, answering(answer=True))).state is State.WRONG
    assert only(found(durability.transaction_ids, answering(1_500_000_000))).state is State.WRONG
    with database.read() as session:
        assert found(durability.primary, session) == []
        assert only(found(durability.transaction_ids, session)).state is State.WELL


def test_who_holds_on_to_postgres_is_told(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.read() as session:
        assert only(found(connections.places, session)).state is State.WELL
        monkeypatch.setattr(connections, "_CROWDED", 0)
        assert only(found(connections.places, session)).state is State.LOOK
        monkeypatch.setattr(connections, "_FULL", 0)
        assert only(found(connections.places, session)).state is State.WRONG
        with psycopg.connect(database_url, application_name="a forgotten psql") as forgotten:
            forgotten.execute("SELECT 1")
            assert found(connections.long_transactions, session) == []
            monkeypatch.setattr(connections, "_MINUTES", 0)
            with database.read() as later:  # it sees who is there once in a transaction
                told = [it.said for it in found(connections.long_transactions, later)]
            assert any("a forgotten psql (pid" in each for each in told), told
        assert found(connections.prepared, session) == []
    of_before = found(connections.prepared, answering([("moved", NOW)]))
    assert of_before[0].do == "ROLLBACK PREPARED 'moved'"


def test_a_slot_that_nobody_reads_is_told(database: Database) -> None:
    name = f"forgotten_{os.getpid()}"
    with database.write() as session:
        session.execute(text(f"SELECT pg_create_physical_replication_slot('{name}', true)"))
    try:
        with database.read() as session:
            told = only(found(connections.slots, session))
    finally:
        with database.write() as session:
            session.execute(text(f"SELECT pg_drop_replication_slot('{name}')"))
    assert (told.state, name in told.said) == (State.LOOK, True)
    gib = 2**30
    for row, state in (
        (("a", False, "reserved", 2 * gib), State.WRONG),
        (("a", True, "lost", None), State.WRONG),
        (("a", True, "extended", 2 * gib), State.LOOK),
        (("a", True, "reserved", 0), State.WELL),
    ):
        assert only(found(connections.slots, answering([row]))).state is state, row


def test_what_could_not_be_delivered_is_told(database: Database) -> None:
    assert only(found(telling.letters, answering(3))).state is State.WRONG
    with database.read() as session:
        assert only(found(telling.letters, session)).state is State.WELL


def test_clocks_apart_are_told(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    with database.read() as session:
        assert only(found(machine.clocks, session)).state is State.WELL
    behind = datetime.now(UTC) - timedelta(seconds=9)
    monkeypatch.setattr(runs, "server_time", lambda _session: behind)
    assert only(found(machine.clocks, answering(None))).state is State.WRONG
    for answer, state in ((5, State.LOOK), (0, State.WELL)):
        libc = SimpleNamespace(adjtimex=lambda _asked, answer=answer: answer)
        monkeypatch.setattr(ctypes, "CDLL", lambda _name, libc=libc: libc)
        if sys.platform == "linux":
            assert only(list(machine.kept_clock())).state is state


def test_a_disk_that_will_be_full_is_told(data_dir: Path) -> None:
    settings = Settings(data_dir=data_dir, spool_bytes=2**30)
    gib = 2**30
    for free, state in ((gib, State.WRONG), (2.5 * gib, State.LOOK), (4 * gib, State.WELL)):
        assert machine.disk_finding(settings, data_dir, int(free)).state is state
    assert only(list(machine.disks(settings))).said.endswith(f"free for {data_dir}")


def test_a_folder_that_lost_its_postgres_is_no_new_one(data_dir: Path) -> None:
    settings = Settings(data_dir=data_dir)
    assert "nothing in" in machine.no_database(settings).said
    (data_dir / SPOOL).mkdir(parents=True)
    (data_dir / "key.pepper").write_text("a pepper")
    told = machine.no_database(settings)
    assert "has key.pepper and spool of a database that is not there" in told.said
    assert "SPANLEDGER_DATABASE_URL" in told.do


def test_how_this_version_stands_to_the_shape_is_told() -> None:
    told = {fit: shape_finding(Shape("0099", fit)) for fit in Fit}
    assert {fit: it.state for fit, it in told.items()} == {
        Fit.NEWEST: State.WELL,
        Fit.BEHIND: State.WRONG,
        Fit.AHEAD: State.LOOK,
        Fit.BEYOND: State.WRONG,
    }
    assert told[Fit.BEHIND].do == "spanledger migrate"
    assert "a newer version made it 0099" in told[Fit.AHEAD].said
    assert "migrate" not in told[Fit.BEYOND].do
