"""A database of a newer version: older code goes on for one version, and asks before it does."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from click.testing import CliRunner
from doors import Doors, open_doors
from faults.bodies import CALLS, body
from filled_ledger import asking
from narrowing import Catalogue, catalogue, narrowed
from priced import price_of
from released import ITS_SHAPE, released_at_work, released_code
from sighted import NOON, hear, sighting
from sqlalchemy import select, text

from app import first_look
from app.cli import cli
from app.database import bring_up_to_date
from app.errors import DatabaseTooNew
from app.settings import Settings
from jobs import roll
from jobs.charging import charge
from jobs.context import JobContext
from migrations.run import alembic_config, downgrade, upgrade
from migrations.shapes import FOLDER, Fit, Shape, shape_of
from store.postgres.sessions import Database
from store.tables.shapes import shapes

pytestmark = pytest.mark.one_server

EXPAND = """
import sqlalchemy as sa
from alembic import op

revision = "9998"
down_revision = {head!r}

def upgrade():
    op.add_column("sightings", sa.Column("mood", sa.Text))
    op.add_column("cells", sa.Column("moods", sa.BigInteger, nullable=False, server_default="0"))
    op.create_table("moods", sa.Column("mood", sa.Text, primary_key=True))
"""
CONTRACT = """
from alembic import op

revision = "9999"
down_revision = "9998"
WORKS_FROM = "9998"

def upgrade():
    op.drop_column("sightings", "ttft_us")
"""

TAKEN_AWAY = {
    "DROP TABLE saved_views": "saved_views is gone",
    "ALTER TABLE saved_views RENAME TO views": "saved_views is gone",
    "ALTER TABLE batches DROP COLUMN heard": "batches.heard is gone",
    "ALTER TABLE batches RENAME heard TO told": "batches.heard is gone",
    "ALTER TABLE keys ALTER name TYPE varchar(9)": "keys.name is character varying(9)",
    "ALTER TABLE keys ALTER team SET NOT NULL": "keys.team may no longer be NULL",
    "ALTER TABLE keys ADD mood text NOT NULL": "keys.mood is new, and needed",
    "ALTER TABLE outbox ALTER id DROP IDENTITY": "outbox.id is no longer filled",
    "ALTER TABLE keys ADD CHECK (name <> 'a')": "keys has a new rule: c CHECK",
    "CREATE UNIQUE INDEX ON keys (name)": "keys has a new rule: unique",
    "ALTER TABLE batches ADD FOREIGN KEY (id) REFERENCES job_runs": "batches has a new rule: f",
    "ALTER TABLE job_runs DROP CONSTRAINT uq_job_runs_job_period": "job_runs has no longer",
    "DROP SEQUENCE batch_ids": "sequence batch_ids is gone",
    "DROP VIEW reporting.months": "reporting.months is gone",
    "ALTER VIEW reporting.months RENAME hash TO sha": "reporting.months.hash is gone",
}


def shape(database: Database) -> Shape:
    with database.engine.connect() as connection:
        return shape_of(connection)


def migrate_further(url: str, folder: Path, *migrations: str) -> None:
    """As a later version of this code would."""
    config = alembic_config(url)
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", f"{FOLDER / 'versions'}\n{folder}")
    for number, migration in enumerate(migrations):
        (folder / f"later_{number}.py").write_text(migration)
    command.upgrade(config, "head")


def test_code_goes_on_with_a_newer_shape_that_only_adds(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    head = shape(database).revision
    migrate_further(database_url, tmp_path, EXPAND.format(head=head))
    bring_up_to_date(database_url)
    assert shape(database) == Shape("9998", Fit.AHEAD)
    hear(database, [sighting(1), sighting(2)])
    hear(database, [sighting(2), sighting(3)])
    for job in (roll, charge):
        job.run(JobContext(database, NOON, by_hand=True))
    client = asking(database)
    assert client.get("/readyz").status_code == 200
    asked = {"from": "2026-10-14", "to": "2026-10-15", "group_by": "team"}
    assert [row["calls"] for row in client.get("/v1/spend", params=asked).json()["rows"]] == [3]


def test_code_refuses_a_shape_that_says_it_does_not_work_with_it(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    head = shape(database).revision
    migrate_further(database_url, tmp_path, EXPAND.format(head=head), CONTRACT)
    assert shape(database) == Shape("9999", Fit.BEYOND)
    with pytest.raises(DatabaseTooNew, match=r"newer shape \(9999\) than this version"):
        bring_up_to_date(database_url)
    answer = asking(database).get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["title"] == "The database is of a newer version"
    # A collector that knows the database opens its doors at once, and looks at it later: not here.
    settings = Settings(data_dir=tmp_path, key_pepper="a pepper of the tests")
    first_look._note(settings, database_url)
    with pytest.raises(DatabaseTooNew):
        first_look.look_after_database(settings, database_url, {}, Event())


def test_a_command_leaves_an_older_shape_as_it_is_and_says_what_to_do(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    with database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = :at"), {"at": ITS_SHAPE})
    settings = {"SPANLEDGER_DATABASE_URL": database_url, "SPANLEDGER_DATA_DIR": str(tmp_path)}
    for asked in (["report"], ["keys", "list"], ["jobs", "run", "charge"]):
        ended = CliRunner(env=settings).invoke(cli, asked)
        assert ended.exit_code == 1, ended.output
        assert f"an older version ({ITS_SHAPE})" in ended.output
        assert "run spanledger migrate" in ended.output
    assert shape(database) == Shape(ITS_SHAPE, Fit.BEHIND)


def test_each_migration_that_stands_says_which_code_works_with_it(
    database: Database, database_url: str
) -> None:
    def written() -> dict[str, str]:
        with database.read() as session:
            found = session.execute(select(shapes.c.revision, shapes.c.works_from))
            return {row.revision: row.works_from for row in found}

    head = shape(database).revision
    all_of_them = written()
    assert all_of_them["0027"] == ITS_SHAPE
    # The promise of this version: whoever upgrades from the one before may do so without a stop.
    assert str(all_of_them[str(head)]) <= ITS_SHAPE
    downgrade(database_url, "0027")
    assert written() == {"0027": ITS_SHAPE}
    upgrade(database_url)
    assert written() == all_of_them
    with database.write() as session:
        session.execute(shapes.delete())
        session.execute(text("UPDATE alembic_version SET version_num = 'strange'"))
    assert shape(database).fit is Fit.BEYOND, "what nobody wrote down does not work"


@contextmanager
def seen(database: Database) -> Iterator[Catalogue]:
    with database.engine.connect() as connection:
        yield catalogue(connection)


def test_a_migration_takes_nothing_from_the_version_before_unless_it_says_so(
    database: Database, database_url: str
) -> None:
    script = ScriptDirectory(str(FOLDER))
    downgrade(database_url, ITS_SHAPE)
    later = reversed(list(script.iterate_revisions("head", ITS_SHAPE)))
    with seen(database) as before:
        last = before
    for each in later:
        upgrade(database_url, each.revision)
        with seen(database) as after:
            taken = narrowed(last, after)
            # To say so is to have looked: what it takes away, the version before does not use.
            assert not taken or hasattr(each.module, "WORKS_FROM"), f"{each.revision}: {taken}"
            last = after


def test_what_is_taken_away_is_seen(database: Database) -> None:
    for change, told in TAKEN_AWAY.items():
        with database.engine.connect() as connection:  # rolled back
            before = catalogue(connection)
            connection.execute(text(change))
            found = narrowed(before, catalogue(connection))
        assert any(told in each for each in found), (change, found)


def test_what_is_only_added_is_let_through(database: Database) -> None:
    with database.engine.connect() as connection:
        before = catalogue(connection)
        for change in (
            "CREATE TABLE moods (mood text PRIMARY KEY CHECK (mood <> ''))",
            "ALTER TABLE keys ADD mood text CHECK (mood <> '')",
            "ALTER TABLE batches ADD moods bigint NOT NULL DEFAULT 0",
            "CREATE INDEX ON keys (name)",
            "ALTER TABLE saved_views ALTER name DROP NOT NULL",
        ):
            connection.execute(text(change))
        assert narrowed(before, catalogue(connection)) == []


def test_the_version_before_goes_on_while_its_database_is_migrated(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    code = released_code(tmp_path / "released")
    price_of(database, "gpt-5", ("input", "cache_read", "output"))
    downgrade(database_url, ITS_SHAPE)
    question = "/v1/spend?group_by=team,model"
    batches = [body(7, 0, range(at, at + 10), CALLS) for at in range(0, 40, 10)]
    with released_at_work(code, database_url) as before:
        assert before.code
        assert [path for path in before.code if not Path(path).is_relative_to(code)] == []
        old = Doors(before.http, "", database, Event())
        assert old.post(batches[0]).status == 200
        before.works()
        assert [row["calls"] for row in before.asked(question)["rows"]] == [10]
        upgrade(database_url)
        # Side by side, as while one after the other is replaced: the same calls, to both.
        with open_doors(database) as new:
            for sent in batches:
                assert [old.post(sent).status, new.post(sent).status] == [200, 200]
        assert (new.stored(), new.accounted()["duplicate"]) == (40, 50)
        before.works()
        told = before.asked(question)
    assert [(row["calls"], row["unpriced_calls"]) for row in told["rows"]] == [(40, 0)]

    def now_told() -> Any:
        return asking(database, now=f"{datetime.now(UTC):%Y-%m-%dT%H:%M}").get(question).json()

    assert now_told()["rows"] == told["rows"]
    for job in (roll, charge):
        job.run(JobContext(database, datetime.now(UTC), by_hand=True))
    assert now_told()["rows"] == told["rows"], "the jobs of both make the same of it"
