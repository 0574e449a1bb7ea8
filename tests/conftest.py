"""What every test stands on: real Postgres servers, and a network that ends at loopback.

A test that takes ``database`` runs once on each server of ``--postgres``: the embedded one, and the
oldest that we support where the system has it. Servers live in a temporary folder, start when the
first test asks, and each test has its own freshly migrated database. With ``--database-url`` it is
that one, as new for each test; who needs more databases, or a server to kill, has them as before.
"""

import gathering  # isort: skip  # before what takes long to load

import ipaddress
import itertools
import logging
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import psycopg
import pytest
import structlog
from compiled_once import CompiledOnce
from given_database import GivenDatabase, NotForTestsError
from hypothesis import settings
from in_memory import folder_in_memory
from looking import CHROMIUM, WITHOUT
from pooling import PGBOUNCER, WITHOUT_POOLER
from shown_company import MORE, WISHES, fill

from app.errors import PostgresUnavailable
from app.local_postgres import LocalPostgres, local_postgres
from app.postgres_binaries import (
    Binaries,
    find_binaries,
    system_folders,
    wheel_folder,
)
from migrations.run import upgrade
from store.postgres.sessions import Database, open_database

# A test that passed passes again: the same examples each time, however busy the machine is. Others
# are tried with --hypothesis-profile=default.
settings.register_profile("suite", derandomize=True, deadline=None)
settings.load_profile("suite")

TEMPLATE = "template_migrated"
NUMBERS = itertools.count(1)
GIVEN = pytest.StashKey[GivenDatabase]()


# A process that is started while gRPC is at work in this one could die before it is anything: as
# the user of Postgres it is forked, and gRPC's threads go on in the fork (grpc/grpc#43055).
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "false"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--postgres",
        default="all",
        help="run tests of the database on this major version only, such as 18; default: "
        "the embedded one, and the oldest that the system has",
    )
    parser.addoption(
        "--database-url",
        default=None,
        help="an empty database, or one that tests had before, as postgresql://…: tests use it in"
        " place of one of their own (make test DATABASE_URL=…), and empty it",
    )
    parser.addoption(
        "--every-cell",
        action="store_true",
        help="ask every route as every caller, not those that are let in by turns (make hostile)",
    )
    parser.addoption(
        "--bare-machine",
        action="store_true",
        help="follow the tutorial without lending its clone our packages (make tutorial)",
    )
    parser.addoption(
        "--screenshots",
        default=None,
        help="a folder for pictures of every page (make screenshots); default: none are kept",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "one_server: on the first of the Postgres servers only")
    config.addinivalue_line("markers", "oldest_server: on the last of them only")
    sys.addaudithook(stay_on_loopback)
    write_plain_logs()
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # As whatever a shell starts in the background: what tests start would ignore Ctrl-C, too.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    given = config.getoption("--database-url")
    if given and getattr(config.option, "numprocesses", None):
        raise pytest.UsageError("--database-url: one database is for one worker; leave out -n")
    if given:
        try:
            config.stash[GIVEN] = GivenDatabase(given)
        except (NotForTestsError, psycopg.Error) as error:
            raise pytest.UsageError(f"--database-url: {error}") from None


def pytest_collection_finish() -> None:
    gathering.is_over()


def stay_on_loopback(event: str, arguments: tuple[object, ...]) -> None:
    """Refuses Python's connections and look-ups beyond this machine (libpq and gRPC are C)."""
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        host = str(arguments[1][0])
        beyond = not is_loopback(host)
    elif event == "socket.getaddrinfo" and arguments[0]:
        host = arguments[0].decode() if isinstance(arguments[0], bytes) else str(arguments[0])
        beyond = not is_loopback(host) and not is_literal(host)
    else:
        return
    if beyond:
        raise AssertionError(f"a test wanted to reach {host}: tests stay on loopback")


def is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    return host == "localhost" or (is_literal(host) and ipaddress.ip_address(host).is_loopback)


@cache
def installed_servers() -> list[Binaries]:
    """All of them. Each was started to be asked for its version: once is enough for all tests."""
    wheel = wheel_folder()
    found: list[Binaries] = []
    for folder in [*([wheel] if wheel else []), *system_folders()]:
        try:
            found.append(find_binaries(folder, None))
        except PostgresUnavailable:
            continue
    return found


def servers(config: pytest.Config) -> list[Binaries]:
    """The servers to test with: the wheel's, and the oldest of the system's."""
    found = installed_servers()
    if GIVEN in config.stash:
        return found[:1]
    wanted = config.getoption("--postgres")
    if wanted != "all":
        chosen = [binaries for binaries in found if str(binaries.major) == wanted]
        if not chosen:
            raise pytest.UsageError(f"--postgres={wanted}: there is no such server here")
        return chosen[:1]
    return [found[0], *(found[-1:] if found[-1].major != found[0].major else [])]


def pytest_report_header(config: pytest.Config) -> list[str]:
    return [
        "postgres: " + ", ".join(binaries.version for binaries in servers(config)),
        f"chromium: {CHROMIUM or WITHOUT}",
        f"pgbouncer: {PGBOUNCER or WITHOUT_POOLER}",
    ]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "postgres" in metafunc.fixturenames:
        found = servers(metafunc.config)
        if metafunc.definition.get_closest_marker("one_server"):
            found = found[:1]
        if metafunc.definition.get_closest_marker("oldest_server"):
            found = found[-1:]
        metafunc.parametrize(
            "postgres",
            found,
            indirect=True,
            scope="session",
            ids=[f"pg{binaries.major}" for binaries in found],
        )


@pytest.fixture(scope="session")
def postgres(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LocalPostgres]:
    """A running server with a migrated template database. A worker of xdist has its own."""
    with (
        folder_in_memory(otherwise=tmp_path_factory.mktemp("postgres")) as folder,
        local_postgres(folder / "data", binaries=request.param.folder, durable=False) as server,
    ):
        with psycopg.connect(server.url_of("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {TEMPLATE}")
            upgrade(server.url_of(TEMPLATE))
            connection.execute(f"ALTER DATABASE {TEMPLATE} ALLOW_CONNECTIONS false")
        yield server


@pytest.fixture
def database_url(request: pytest.FixtureRequest, postgres: LocalPostgres) -> Iterator[str]:
    """The URL of a freshly migrated database that is this test's alone."""
    given = request.config.stash.get(GIVEN, None)
    if given is not None:
        given.put_back()
        yield given.url
        return
    with fresh_database(postgres) as url:
        yield url


@contextmanager
def fresh_database(postgres: LocalPostgres) -> Iterator[str]:
    name = f"test_{next(NUMBERS)}"
    with psycopg.connect(postgres.url_of("postgres"), autocommit=True) as connection:
        # A fifth of the time that writing every page of the template to the log takes.
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY file_copy")
    yield postgres.url_of(name)
    with psycopg.connect(postgres.url_of("postgres"), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def compiled(postgres: LocalPostgres) -> CompiledOnce:  # noqa: ARG001  # one for each server
    """The statements of tests before."""
    return CompiledOnce()


@pytest.fixture
def database(database_url: str, compiled: CompiledOnce) -> Iterator[Database]:
    """The same database, as the code under test sees it."""
    opened = open_database(database_url, application="tests")
    compiled.shared_with(opened.engine)
    yield opened
    opened.engine.dispose()


@pytest.fixture(scope="session")
def company(request: pytest.FixtureRequest, postgres: LocalPostgres) -> Iterator[Database]:
    """The ledger of the simulated company, made once a worker. Whoever takes it changes nothing
    that another test looks at."""
    with fresh_database(postgres) as url:
        opened = open_database(url, application="tests")
        fill(opened, url, MORE if request.config.getoption("--screenshots") else WISHES)
        yield opened
        opened.engine.dispose()


@pytest.fixture
def another_database(postgres: LocalPostgres) -> Iterator[Database]:
    """One more of them, to compare with."""
    with fresh_database(postgres) as url:
        opened = open_database(url, application="tests")
        yield opened
        opened.engine.dispose()


@pytest.fixture(autouse=True)
def logs_are_left_as_they_were() -> Iterator[None]:
    """A command configures the logs of its process; here that is the process of all tests."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    write_plain_logs()


def write_plain_logs() -> None:
    """As structlog does by default, but for tracebacks: its own write out every local variable of
    every frame, which takes seconds."""
    structlog.reset_defaults()
    *before, _ = structlog.get_config()["processors"]
    plain = structlog.dev.ConsoleRenderer(
        colors=False, exception_formatter=structlog.dev.plain_traceback
    )
    structlog.configure(processors=[*before, plain])


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A folder for what a server keeps."""
    return tmp_path / "data"
