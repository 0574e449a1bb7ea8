"""What pg_dump takes, restored into another cluster, goes on as if nothing had been."""

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from closed_months import NOW, broken, close, filled, settle, soft_close
from doors import PEPPER, call, open_doors, request
from filled_ledger import SEARCH
from owned import use
from serving import eventually
from sighted import hear, sighting
from sqlalchemy import func, select, text

from app.local_postgres import LocalPostgres, local_postgres
from app.postgres_binaries import wheel_folder
from collector.spool.state import SPOOL, Bounds, Place
from migrations.run import differences
from migrations.shapes import Fit, shape_of
from spend.channels.channels import ChannelSecret, channel_terms
from store.access.keys import create_key, find_key
from store.access.secrets import Seal
from store.channels import channels
from store.postgres import partitions
from store.postgres.sessions import Database, open_database
from store.tables.heard import batches, sightings
from store.tables.ledger import charges, usage_lines
from store.tables.rollups import cells
from store.tenants import TENANT

WAITING = [sighting(number, start_at=NOW) for number in (1, 2, 3)]


def tools(postgres: LocalPostgres) -> Path:
    """The folder of the client programs of a server's version."""
    folders = [postgres.binaries.folder, wheel_folder()]
    for folder in folders:
        if folder and (folder / "pg_dump").exists():
            said = subprocess.run(  # noqa: S603  # Postgres's own
                [folder / "pg_dump", "--version"], capture_output=True, text=True, check=True
            )
            if f" {postgres.binaries.major}." in said.stdout:
                return folder
    pytest.skip(f"there is no pg_dump of Postgres {postgres.binaries.major} here")


@pytest.fixture(scope="module")
def another_cluster(
    postgres: LocalPostgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LocalPostgres]:
    folder = tmp_path_factory.mktemp("another") / "data"
    with local_postgres(folder, binaries=postgres.binaries.folder, durable=False) as server:
        yield server


def new_database(server: LocalPostgres, name: str) -> str:
    with psycopg.connect(server.url_of("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return server.url_of(name)


def run(program: Path, *arguments: str | Path) -> None:
    done = subprocess.run(  # noqa: S603  # Postgres's own
        [program, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def lived_in(database: Database) -> str:
    """A database with all that could be lost: a key's text."""
    filled(database)
    soft_close(database, "2026-08")
    close(database, "2026-08")
    with database.write() as session:
        key = create_key(
            session, tenant=TENANT, kind="admin", name="a", team=None, pepper=PEPPER, now=NOW
        )
        terms = channel_terms(name="ops", kind="slack-webhook")
        hook = ChannelSecret("https://hooks.slack.com/services/T/B/x")
        channels.create(session, TENANT, terms, hook, seal=Seal(PEPPER), now=NOW)
        partitions.ensure(session, NOW.date(), NOW.date())
    hear(database, WAITING)  # not rolled up when it is dumped
    return key


def sums(database: Database) -> tuple[object, ...]:
    with database.read() as session:
        return (
            session.execute(select(func.sum(cells.c.calls), func.sum(cells.c.input))).one(),
            session.execute(select(func.count(), func.sum(charges.c.amount))).one(),
            session.execute(select(func.count(), func.sum(usage_lines.c.calls))).one(),
            session.execute(select(func.count(), func.max(sightings.c.batch_id))).one(),
        )


def test_what_was_dumped_goes_on_in_another_cluster(
    postgres: LocalPostgres,
    another_cluster: LocalPostgres,
    database: Database,
    database_url: str,
    tmp_path: Path,
) -> None:
    folder, dumped = tools(postgres), tmp_path / "spanledger.dump"
    key = lived_in(database)
    run(folder / "pg_dump", "--format=custom", f"--file={dumped}", database_url)
    before = sums(database)
    settle(database)
    settled = sums(database)
    url = new_database(another_cluster, f"restored_{tmp_path.name}")
    run(folder / "pg_restore", "--no-owner", "--exit-on-error", f"--dbname={url}", dumped)
    restored = open_database(url, application="tests")
    with restored.engine.connect() as connection, database.engine.connect() as old:
        identity = text("SELECT system_identifier FROM pg_control_system()")
        assert connection.scalar(identity) != old.scalar(identity)
        assert shape_of(connection).fit is Fit.NEWEST
        assert differences(connection) == []
    assert sums(restored) == before
    with restored.read() as session:
        assert find_key(session, key, pepper=PEPPER, now=NOW)
        assert find_key(session, key, pepper=b"another", now=NOW) is None
        channels.check_pepper(session, TENANT, Seal(PEPPER))
    assert broken(restored) == []
    # What waited is counted once, and what was counted is not counted again.
    settle(restored)
    assert sums(restored) == settled
    hear(restored, [WAITING[0], replace(WAITING[0], span_id=9)])
    use(restored, "2026-11-12T08:00", SEARCH, 1)
    settle(restored)
    with restored.read() as session:
        numbered = session.scalars(select(batches.c.id).order_by(batches.c.id)).all()
        calls, stored = session.execute(
            select(select(func.sum(cells.c.calls)).scalar_subquery(), func.count()).select_from(
                sightings
            )
        ).one()
    assert len(set(numbered)) == len(numbered)
    assert (stored, calls) == (4, settled[0][0] + 2)  # type: ignore[index]  # a row
    assert broken(restored) == []
    restored.engine.dispose()


@pytest.mark.one_server
def test_what_is_in_the_spool_comes_into_what_was_restored_once(
    postgres: LocalPostgres, another_cluster: LocalPostgres, database: Database, database_url: str,
    tmp_path: Path,
) -> None:  # fmt: skip
    folder, dumped = tools(postgres), tmp_path / "spanledger.sql"
    place = Place(tmp_path / SPOOL, Bounds())
    sent = [request(call(number), call(number, trace=2)) for number in (1, 2, 3)]
    with open_doors(database, spool=place) as doors:
        assert [doors.post(each).status for each in sent[:2]] == [200, 200]
    # The second comes again, and a third, while there is no database: both are in the spool.
    run(folder / "pg_dump", f"--file={dumped}", database_url)
    away = open_database("postgresql://nobody@127.0.0.1:1/nothing", application="tests")
    with open_doors(away, spool=place) as doors:
        assert [doors.post(each).status for each in sent[1:]] == [200, 200]
    url = new_database(another_cluster, "from_plain")
    run(folder / "psql", "--quiet", "--set=ON_ERROR_STOP=1", f"--file={dumped}", url)
    restored = open_database(url, application="tests")
    with open_doors(restored, spool=place) as doors:
        eventually(lambda: not list(place.root.glob("[0-9]*/*.segment")), "the spool is empty")
        assert (doors.stored(), doors.accounted()["duplicate"]) == (6, 2)
    restored.engine.dispose()
    away.engine.dispose()
