"""Opens the database that the settings mean: somebody's Postgres, or our own beside us."""

import getpass
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import structlog
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from app.errors import DatabaseTooNew, DatabaseUnavailable
from app.local_postgres import LocalPostgres, local_postgres
from app.postgres_binaries import OLDEST
from app.settings import PREFIX, Settings
from collector.spool.state import SPOOL
from migrations.run import upgrade
from migrations.shapes import Fit, shape_of
from spend.access.actors import Actor
from store.postgres.sessions import Database, open_database

log = structlog.get_logger(__name__)

COMMAND: Final = "command"
ENCODING: Final = "UTF8"
"""Of the database: what people and models write is in every script."""
_PAUSE: Final = 0.5


@contextmanager
def database_for(
    settings: Settings,
    *,
    application: str = COMMAND,
    migrates: bool = False,
    wait: float = 0,
    pool_size: int = 5,
) -> Iterator[Database]:
    """The database of these settings in the newest shape, for as long as the block lasts.

    Without DATABASE_URL it is the embedded server: the one that runs, or one started for the
    moment. An empty one gets its tables; of an older shape it is refused, unless who asks
    ``migrates``. ``wait`` is for how many seconds a Postgres that is away is waited for. Raises
    DatabaseUnavailable, PostgresUnavailable (app/errors.py).
    """
    with server_for(settings) as (url, _server):
        bring_up_to_date(url, wait=wait, only_if_empty=not migrates)
        by = _whoever_types if application == COMMAND else None
        with opened(url, application=application, pool_size=pool_size, by=by) as database:
            yield database


def left_behind(settings: Settings) -> str:
    """What DATA_DIR has of a database that is not in it: 'key.pepper and spool'; else empty."""
    if (settings.data_dir / "postgres").exists():
        return ""
    return " and ".join(
        each for each in ("key.pepper", SPOOL) if (settings.data_dir / each).exists()
    )


@contextmanager
def server_for(settings: Settings) -> Iterator[tuple[str, LocalPostgres | None]]:
    """The URL of the database, and the server where it is our own."""
    if settings.database_url:
        yield settings.database_url, None
        return
    with local_postgres(settings.data_dir) as server:
        yield server.url, server


@contextmanager
def opened(
    url: str,
    *,
    application: str,
    pool_size: int = 5,
    by: Callable[[], Actor] | None = None,
) -> Iterator[Database]:
    """The database at a URL, its connections closed at the end."""
    database = open_database(url, application=application, pool_size=pool_size, by=by)
    try:
        yield database
    finally:
        database.engine.dispose()


def bring_up_to_date(url: str, *, wait: float = 0, only_if_empty: bool = False) -> str:
    """Migrates the database if need be, and tells the version of its server: '18.6'.

    Raises DatabaseUnavailable where it is away for ``wait`` seconds, too old, of a newer version
    of ours, new and not in UTF-8, or of an older shape that is not to be changed
    (``only_if_empty``): a look must change nothing beneath processes that run.
    """
    version = _version_in_time(url, wait)
    if int(version.split(".")[0]) < OLDEST:
        raise DatabaseUnavailable(
            f"{_shown(url)} is Postgres {version}, and {OLDEST} is the oldest that will do"
        )
    with opened(url, application="start") as database, database.engine.connect() as connection:
        shape = shape_of(connection)
        encoding = connection.scalar(text("SHOW server_encoding"))
    if shape.revision is None and encoding != ENCODING:
        raise DatabaseUnavailable(
            f"{_shown(url)}: its database is in {encoding}, and has to be in {ENCODING}:"
            f" CREATE DATABASE … ENCODING '{ENCODING}' TEMPLATE template0"
        )
    if shape.fit is Fit.BEYOND:
        raise DatabaseTooNew(
            f"{_shown(url)} has a newer shape ({shape.revision}) than this version of spanledger"
            " can work with: use the version that migrated it, or a later one"
        )
    if shape.fit is Fit.AHEAD:
        log.warning("the database is of a newer version; this one works", shape=shape.revision)
    if shape.fit is Fit.BEHIND:
        if only_if_empty and shape.revision is not None:
            raise DatabaseUnavailable(
                f"{_shown(url)} has the shape of an older version ({shape.revision}), and commands"
                " do not change it: run spanledger migrate, or start spanledger serve"
            )
        upgrade(url)
        log.info("database migrated")
    return version


def _version_in_time(url: str, wait: float) -> str:
    """What the server says it is, once it answers."""
    deadline = time.monotonic() + wait
    told = ""
    while True:
        try:
            return postgres_version(url)
        except DatabaseUnavailable as error:
            if time.monotonic() > deadline:
                raise
            if str(error) != told:
                told = str(error)
                log.warning("waiting for the database", why=told, seconds=wait)
            time.sleep(_PAUSE)


def postgres_version(url: str) -> str:
    """What the server says it is: '18.6'. Raises DatabaseUnavailable."""
    with opened(url, application="start") as database:
        try:
            with database.engine.connect() as connection:
                return str(connection.scalar(text("SHOW server_version"))).split()[0]
        except OperationalError as error:
            raise DatabaseUnavailable(f"{_shown(url)} is away: {_reason(error)}") from None


def _whoever_types() -> Actor:
    """The account that a command runs under."""
    try:
        return Actor("command", getpass.getuser())
    except (OSError, KeyError):  # an id without a name, as containers have
        return Actor("command", "the command line")


def _shown(url: str) -> str:
    """What a person knows the database by. Never the password."""
    parts = make_url(url)
    return f"{PREFIX}DATABASE_URL: the Postgres at {parts.host or 'localhost'}:{parts.port or 5432}"


def _reason(error: OperationalError) -> str:
    """What the driver says, without what is added around it."""
    lines = [line.strip() for line in str(error.orig).splitlines() if line.strip()]
    # connection to server at "127.0.0.1", port 1 failed: Connection refused
    told = [line.rpartition("failed: ")[2] for line in lines if "failed: " in line] or lines
    return told[0] if told else "no reason given"
