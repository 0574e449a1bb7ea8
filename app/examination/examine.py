"""All checks, in the order of what rests on what.

A new check is a function in the module of its kind, added to ``CHECKS``: it is given what it may
look at, and yields what it found, also where all is well. docs/doctor.md lists them.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from app.database import opened, postgres_version, server_for
from app.errors import DatabaseUnavailable, PostgresUnavailable
from app.examination import (
    accounts,
    connections,
    durability,
    hearing,
    keeping,
    machine,
    settling,
    spending,
    standby,
)
from app.examination import telling as tell
from app.examination.certificates import certificates
from app.examination.findings import Check, Finding, Looking, State
from app.examination.shape import shape_finding
from app.examination.spooled import spool_finding
from app.settings import Settings
from migrations.shapes import shape_of
from store.postgres.sessions import Database

CHECKS: Final[tuple[Check, ...]] = (
    durability.release,
    durability.writes,
    durability.checksums,
    durability.primary,
    standby.replica,
    durability.transaction_ids,
    connections.places,
    connections.long_transactions,
    connections.prepared,
    connections.slots,
    machine.clocks,
    hearing.partitions,
    hearing.lag,
    hearing.refused,
    keeping.archive,
    spending.unpriced,
    spending.price_list,
    spending.rates,
    spending.pools,
    settling.months,
    tell.letters,
    tell.channels,
    accounts.keys,
    settling.jobs,
)


def examine(settings: Settings, now: datetime) -> Iterator[Finding]:
    """Looks at everything, at ``now`` (UTC). Changes nothing."""
    yield from machine.variables()
    yield from machine.doors(settings)
    yield from machine.in_plain_text(settings)
    yield from certificates(settings, now)
    yield from machine.disks(settings)
    yield spool_finding(settings, now)
    yield from machine.kept_clock()
    if settings.database_url is None and not (settings.data_dir / "postgres").exists():
        yield machine.no_database(settings)
        return
    try:
        with server_for(settings) as (url, _server):
            yield Finding("database", State.WELL, f"Postgres {postgres_version(url)}")
            with opened(url, application="doctor") as database:
                yield from _database(settings, database, now)
    except (DatabaseUnavailable, PostgresUnavailable) as error:
        yield Finding("database", State.WRONG, str(error))
    except SQLAlchemyError as error:
        reason = str(error.orig) if isinstance(error, OperationalError) else str(error)
        yield Finding("database", State.WRONG, reason.splitlines()[0])


def _database(settings: Settings, database: Database, now: datetime) -> Iterator[Finding]:
    with database.engine.connect() as connection:
        shape = shape_of(connection)
    yield shape_finding(shape)
    if not shape.works:
        return
    with database.read() as session:
        looking = Looking(session, settings, now)
        for check in CHECKS:
            yield from _found(check, looking)


def _found(check: Check, looking: Looking) -> Iterator[Finding]:
    """What one check finds; one that fails says so, and harms no other."""
    looking.session.execute(text("SAVEPOINT checked"))
    try:
        yield from list(check(looking))
    except SQLAlchemyError as error:
        looking.session.execute(text("ROLLBACK TO checked"))
        name = check.__name__.replace("_", " ")
        yield Finding(name, State.LOOK, f"cannot be told: {str(error).splitlines()[0]}")
