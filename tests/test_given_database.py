"""A database that is given to tests is somebody's until it is shown to be theirs."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from given_database import MARK, GivenDatabase, NotForTestsError
from sighted import NOON, hear, sighting

from app.local_postgres import LocalPostgres
from store.postgres.partitions import ensure
from store.postgres.sessions import open_database

pytestmark = pytest.mark.one_server

NAME = "given_to_tests"


@pytest.fixture
def url(postgres: LocalPostgres) -> Iterator[str]:
    """Of a database with nothing in it."""
    with psycopg.connect(postgres.url_of("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {NAME}")
        yield postgres.url_of(NAME)
        connection.execute(f"DROP DATABASE {NAME} WITH (FORCE)")


def said(url: str, *statements: str) -> list[object]:
    with psycopg.connect(url, autocommit=True) as connection:
        answers = [connection.execute(each.encode()) for each in statements]
        return [row[0] for row in answers[-1].fetchall()] if answers[-1].description else []


def test_somebodys_database_is_refused_and_not_touched(url: str) -> None:
    said(url, "CREATE TABLE letters (words text)", "INSERT INTO letters VALUES ('mine')")
    with pytest.raises(NotForTestsError, match="letters is there"):
        GivenDatabase(url)
    assert said(url, "SELECT words FROM letters") == ["mine"]
    assert MARK not in said(url, "SELECT nspname FROM pg_namespace")


@contextmanager
def looked_at(url: str) -> Iterator[None]:
    shape = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
    before = said(url, shape)
    yield
    assert said(url, shape) == before
    assert said(url, "SELECT count(*) FROM sightings") == [0]
    assert said(url, "SELECT count(*) FROM usage_lines") == [0]
    assert said(url, "SELECT nextval('batch_ids')") == [1]


def test_between_tests_it_is_as_it_was_whatever_they_did(url: str) -> None:
    given = GivenDatabase(url)
    with looked_at(url):
        database = open_database(url, application="tests")
        with database.write() as session:
            ensure(session, NOON.date(), NOON.date())
        hear(database, [sighting(1)])
        given.put_back()
    with looked_at(url):
        said(url, "DROP TABLE joined_calls", "CREATE TABLE left_behind (number int)")
        given.put_back()
    database.engine.dispose()
