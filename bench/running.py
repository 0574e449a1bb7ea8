"""What is measured, running: a Postgres, databases in it, and the product's own processes.

The processes are those that ``spanledger serve`` starts, started in the same way (app/children.py).
"""

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Final

import psycopg

from app.children import Child
from app.database import opened
from app.local_postgres import LocalPostgres, local_postgres
from app.settings import PREFIX, Settings
from bench.processes import tree
from migrations.run import upgrade
from store.postgres.partitions import ensure

_EMPTY: Final = "empty"
_PATIENCE: Final = 60.0
_NUMBERS: Final = count(1)


@contextmanager
def postgres(folder: Path) -> Iterator[LocalPostgres]:
    """A server of our own, prepared."""
    with local_postgres(folder / "postgres") as server:
        prepare(server)
        yield server


def prepare(server: LocalPostgres) -> None:
    """Makes the migrated database that all others begin as copies of."""
    _by_hand(server, f"CREATE DATABASE {_EMPTY}")
    url = server.url_of(_EMPTY)
    upgrade(url)
    today = datetime.now(UTC).date()
    with opened(url, application="bench") as database, database.write() as session:
        ensure(session, today - timedelta(days=1), today + timedelta(days=1))


@contextmanager
def empty_database(server: LocalPostgres) -> Iterator[str]:
    """The URL of a migrated database with the partitions of these days; gone afterwards."""
    name = f"bench_{next(_NUMBERS)}"
    # All that was written before is on disk: what follows does not pay for it.
    _by_hand(server, f"CREATE DATABASE {name} TEMPLATE {_EMPTY}", "CHECKPOINT")
    try:
        yield server.url_of(name)
    finally:
        _by_hand(server, f"DROP DATABASE {name} WITH (FORCE)")


@dataclass(frozen=True, slots=True)
class Collector:
    """A running collector."""

    address: str
    """host:port of OTLP/HTTP."""
    pid: int
    """Of the parent of its workers."""

    @property
    def pids(self) -> list[int]:
        """Of all its processes."""
        return tree(self.pid)


@contextmanager
def collector(url: str, *, workers: int) -> Iterator[Collector]:
    """The collector with so many workers, over the database at a URL."""
    with (
        tempfile.TemporaryDirectory(prefix="spanledger-bench-") as folder,
        _part("collector", _environment(url, Path(folder), COLLECTOR_WORKERS=workers)) as child,
    ):
        yield Collector((child.where or {})["otlp_http"], child.pid or 0)


def default_workers() -> int:
    """How many workers the product has on this machine when nobody says."""
    field = Settings.model_fields["collector_workers"]
    return int(field.get_default(call_default_factory=True, validated_data={}))


@contextmanager
def jobs(url: str) -> Iterator[int]:
    """The jobs by the clock; the process id."""
    with (
        tempfile.TemporaryDirectory(prefix="spanledger-bench-") as folder,
        _part("jobs", _environment(url, Path(folder))) as child,
    ):
        yield child.pid or 0


@contextmanager
def api(url: str) -> Iterator[str]:
    """The API over the database at a URL; host:port."""
    with (
        tempfile.TemporaryDirectory(prefix="spanledger-bench-") as folder,
        _part("api", _environment(url, Path(folder))) as child,
    ):
        yield (child.where or {})["api"]


@contextmanager
def _part(name: str, environment: dict[str, str]) -> Iterator[Child]:
    child = Child(name)
    child.start(environment)
    try:
        deadline = time.monotonic() + _PATIENCE
        while child.where is None:
            child.tend(lambda: environment)
            if time.monotonic() > deadline:
                raise TimeoutError(f"{name} does not serve after {_PATIENCE:.0f} s")
            time.sleep(0.02)
        yield child
    finally:
        child.stop(hurried=lambda: False)


def _environment(url: str, folder: Path, **settings: object) -> dict[str, str]:
    """That of this process, with no setting but ours."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    ours: dict[str, object] = {"DATABASE_URL": url, "DATA_DIR": str(folder)}
    ours |= dict.fromkeys(("OTLP_HTTP_ADDR", "OTLP_GRPC_ADDR", "API_ADDR"), "127.0.0.1:0")
    return inherited | {f"{PREFIX}{name}": str(value) for name, value in (ours | settings).items()}


def _by_hand(server: LocalPostgres, *statements: str) -> None:
    with psycopg.connect(server.url_of("postgres"), autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)
