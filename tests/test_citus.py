"""``spanledger migrate --citus``, against functions that stand in for Citus and note what they
are asked: there is no package of it to install. What a cluster says: docs/citus.md."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner

from app.cli import cli
from migrations import citus
from store.postgres.partitions import PARTITIONED
from store.tables import METADATA

pytestmark = pytest.mark.one_server

STANDS_IN = """
CREATE SCHEMA stands_in_for_citus;
SET search_path = stands_in_for_citus, public;
CREATE TABLE pg_dist_partition
    (logicalrelid regclass, partmethod "char", partkey text, repmodel "char" DEFAULT 's');
CREATE TABLE pg_dist_node (groupid int, isactive bool, shouldhaveshards bool);
INSERT INTO pg_dist_node VALUES (0, true, false), (1, true, true);
CREATE TABLE asked (id int GENERATED ALWAYS AS IDENTITY, what text);
CREATE FUNCTION citus_version() RETURNS text LANGUAGE sql
    AS $$ SELECT 'Citus 13.0.5 on x86_64-pc-linux-gnu' $$;
CREATE FUNCTION column_to_column_name(regclass, text) RETURNS text LANGUAGE sql
    AS $$ SELECT $2 $$;
CREATE FUNCTION create_reference_table(of regclass) RETURNS void LANGUAGE sql AS $$
    INSERT INTO asked (what) VALUES ('reference ' || of);
    INSERT INTO pg_dist_partition VALUES (of, 'n', NULL, 't') $$;
CREATE FUNCTION create_distributed_table(of regclass, by text, colocate_with text)
    RETURNS void LANGUAGE sql AS $$
    INSERT INTO asked (what) VALUES (format('%s by %s beside %s', of, by, colocate_with));
    INSERT INTO pg_dist_partition VALUES (of, 'h', by) $$;
CREATE FUNCTION truncate_local_data_after_distributing_table(of regclass)
    RETURNS void LANGUAGE sql AS $$ INSERT INTO asked (what) VALUES ('old copy of ' || of) $$;
"""

OLD = """CREATE OR REPLACE FUNCTION citus_version() RETURNS text LANGUAGE sql
    AS $$ SELECT 'Citus 12.1.6 on x86_64' $$"""
TRIGGER = """CREATE TRIGGER theirs AFTER INSERT ON joined_calls
    EXECUTE FUNCTION public.refuse_to_change_the_ledger()"""

Connection = psycopg.Connection[tuple[object, ...]]


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    """To a database with functions in place of Citus's."""
    with psycopg.connect(database_url, autocommit=True) as opened:
        opened.execute(STANDS_IN)
        yield opened
        opened.execute("DROP SCHEMA IF EXISTS stands_in_for_citus CASCADE")


def test_every_table_is_of_one_kind() -> None:
    named = [*citus.DISTRIBUTED, *citus.REFERENCE, *citus.ORDINARY]
    assert sorted(named) == sorted(METADATA.tables), "migrations/citus.py has the list"


def test_what_is_partitioned_by_days_is_distributed_and_nothing_else() -> None:
    assert sorted(citus.DISTRIBUTED) == sorted(PARTITIONED)


@pytest.mark.parametrize("name", citus.DISTRIBUTED)
def test_every_unique_key_of_a_distributed_table_has_the_column_that_spreads_it(name: str) -> None:
    table = METADATA.tables[name]
    unique = [index for index in table.indexes if index.unique]
    assert unique == []
    assert citus.COLUMN in table.primary_key.columns
    assert next(iter(table.primary_key.columns)).name == "tenant_id"
    assert not table.foreign_keys


def test_tables_are_spread_once_the_copies_first(connection: Connection) -> None:
    told: list[str] = []
    citus.distribute(connection, told.append)
    assert [row[0] for row in connection.execute("SELECT what FROM asked ORDER BY id")] == [
        "reference owners",
        "reference routes",
        "reference emitters",
        "sightings by trace_id beside none",
        "old copy of sightings",
        "joined_calls by trace_id beside sightings",
        "old copy of joined_calls",
        "contents by trace_id beside sightings",
        "old copy of contents",
    ]
    assert len(told) == len(citus.REFERENCE) + len(citus.DISTRIBUTED)
    assert citus.steps(connection) == []


def test_what_a_table_of_theirs_lacks_is_made_up_for(connection: Connection) -> None:
    connection.execute("SELECT create_reference_table('owners')")
    connection.execute("SELECT create_distributed_table('sightings', 'trace_id', 'none')")
    assert [step.does.split(":")[0] for step in citus.steps(connection)] == [
        "routes",
        "emitters",
        "joined_calls",
        "contents",
    ]


@pytest.mark.parametrize(
    ("before", "why"),
    [
        ("DROP FUNCTION citus_version", "CREATE EXTENSION citus"),
        (OLD, "Citus 12.1.6 on x86_64 is too old"),
        ("DELETE FROM pg_dist_node WHERE groupid = 0", "citus_set_coordinator_host"),
        ("DELETE FROM pg_dist_node WHERE groupid = 1", "citus_add_node"),
        (
            "SELECT create_distributed_table('sightings', 'tenant_id', 'none')",
            r"otherwise than spanledger does it: sightings \(tenant_id\)",
        ),
        (
            "SELECT create_reference_table('joined_calls')",
            r"otherwise than spanledger does it: joined_calls \(reference\)",
        ),
        (
            "CREATE UNIQUE INDEX theirs ON sightings (day, span_id)",
            "sightings has the unique index theirs",
        ),
        (TRIGGER, "joined_calls has the trigger theirs"),
    ],
)
def test_what_cannot_be_distributed_is_said_and_nothing_is_done(
    connection: Connection, before: str, why: str
) -> None:
    connection.execute(before.encode())
    with pytest.raises(citus.CannotDistributeError, match=why):
        citus.steps(connection)


def test_a_table_that_takes_minutes_is_moved_only_by_who_says_so(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(citus, "AT_ONCE", 1)
    with pytest.raises(citus.CannotDistributeError, match="about 1 minutes nobody could write"):
        citus.steps(connection)
    assert len(citus.steps(connection, any_size=True)) == len(citus.REFERENCE + citus.DISTRIBUTED)


def test_the_command_says_what_it_did_and_what_it_would_do(
    connection: Connection, database_url: str, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (name,) = connection.execute("SELECT current_database()").fetchone() or ("",)
    connection.execute(
        f"ALTER DATABASE {name} SET search_path = public, stands_in_for_citus".encode()
    )
    monkeypatch.setenv("SPANLEDGER_DATABASE_URL", database_url)
    monkeypatch.setenv("SPANLEDGER_DATA_DIR", str(data_dir))

    def run(*options: str, code: int = 0) -> str:
        result = CliRunner().invoke(cli, ["migrate", *options], catch_exceptions=False)
        assert result.exit_code == code, result.output
        return result.output

    sql = run("--citus", "--dry-run")
    assert (
        "SELECT create_distributed_table('sightings', 'trace_id', colocate_with => 'none');" in sql
    )
    assert connection.execute("SELECT count(*) FROM asked").fetchone() == (0,)
    assert "sightings: spread by trace_id" in run("--citus")
    assert "every table is where it belongs" in run("--citus")
    assert "go with --citus" in run("--dry-run", code=2)
    connection.execute("DROP FUNCTION citus_version")
    assert "CREATE EXTENSION citus" in run("--citus", code=1)
    connection.execute(f"ALTER DATABASE {name} RESET search_path".encode())
