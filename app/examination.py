"""What ``doctor`` looks at: each check is a question that somebody forgot to ask once."""

import os
import shutil
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from textwrap import shorten
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session

from app.database import opened, postgres_version, server_for
from app.doors import addresses
from app.errors import DatabaseUnavailable, PostgresUnavailable
from app.pepper import has_pepper, pepper_for
from app.settings import Settings, unknown_settings
from collector.spool.folders import QUARANTINE
from collector.spool.state import NEARLY, SPOOL, look
from jobs.timetable import JOBS
from migrations.run import missing
from store import runs
from store.budgets import all_in_force
from store.channels import all_channels, check_pepper
from store.keys import has_keys
from store.partitions import PARTITIONED, name_of
from store.secrets import Seal, SealedElsewhere
from store.sessions import Database
from store.tables.budgets import outbox
from store.tables.heard import batches
from store.tables.rollups import cells
from store.tenants import TENANT

_CLOCKS_APART: Final = timedelta(seconds=5)
_DAYS_AHEAD: Final = 2
_LAG: Final = timedelta(minutes=10)
_LOOKS_BACK: Final = timedelta(days=31)
_LEAST_FREE: Final = 2 * 1024**3


class State(Enum):
    """How it is."""

    WELL = "ok"
    LOOK = "look"
    """Nothing is broken, but somebody should know."""
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the examination."""

    what: str
    state: State
    said: str


def examine(settings: Settings, now: datetime) -> Iterator[Finding]:
    """Looks at everything, in the order of what rests on what. Changes nothing."""
    yield from _settings()
    yield from _doors(settings)
    yield _disk(settings)
    yield spool_finding(settings, now)
    if settings.database_url is None and not (settings.data_dir / "postgres").exists():
        said = f"nothing in {settings.data_dir} yet: spanledger serve begins"
        yield Finding("database", State.WRONG, said)
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


def _settings() -> Iterator[Finding]:
    unknown = unknown_settings(os.environ)
    for line in unknown:
        yield Finding("settings", State.LOOK, line)
    if not unknown:
        yield Finding("settings", State.WELL, "all known")


def _doors(settings: Settings) -> Iterator[Finding]:
    for name, address in addresses(settings).items():
        if not address.port:
            continue
        try:
            with socket.create_connection((address.host, address.port), timeout=2):
                yield Finding(name, State.WELL, f"somebody listens at {address}")
        except OSError:
            yield Finding(name, State.LOOK, f"nobody listens at {address}: is serve running?")


def _disk(settings: Settings) -> Finding:
    folder = settings.data_dir
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    state = State.WELL if free > _LEAST_FREE else State.WRONG
    return Finding("disk", state, f"{free / 1024**3:.1f} GiB free for {settings.data_dir}")


def spool_finding(settings: Settings, now: datetime) -> Finding:
    """What waits for Postgres on this machine's disk."""
    root = settings.data_dir / SPOOL
    try:
        there = look(root)
    except OSError as error:
        return Finding("spool", State.WRONG, f"cannot be read: {error}")
    if there.quarantined:
        said = f"{there.quarantined} records could not be stored: {root / QUARANTINE}"
        return Finding("spool", State.WRONG, said)
    if not there.oldest_at:
        on = "nothing waits" if settings.spool else "off: spans are lost while Postgres is away"
        return Finding("spool", State.WELL if settings.spool else State.LOOK, on)
    said = f"{there.waiting:,} bytes wait for Postgres, since {there.oldest_at:%Y-%m-%d %H:%M} UTC"
    hours = (now - there.oldest_at) / timedelta(hours=1)
    if max(there.size / settings.spool_bytes, hours / settings.spool_hours) > NEARLY:
        return Finding("spool", State.WRONG, f"{said}: it takes little more")
    return Finding("spool", State.LOOK, said)


def _database(settings: Settings, database: Database, now: datetime) -> Iterator[Finding]:
    with database.engine.connect() as connection:
        if missing(connection):
            yield Finding("shape", State.WRONG, "migrations wait: spanledger migrate")
            return
    yield Finding("shape", State.WELL, "the newest")
    with database.read() as session:
        yield _clock(session)
        yield _partitions(session, now)
        yield _waiting(session, now)
        yield _unpriced(session, now)
        yield _letters(session)
        yield _channels(session, settings, now)
        yield _keys(session, settings)
    yield from _jobs(database, now)


def _clock(session: Session) -> Finding:
    theirs: datetime = session.execute(select(func.clock_timestamp())).scalar_one()
    apart = abs(theirs - datetime.now(UTC))
    state = State.WELL if apart < _CLOCKS_APART else State.WRONG
    return Finding("clock", state, f"{apart.total_seconds():.1f} s from the database's")


def _partitions(session: Session, now: datetime) -> Finding:
    today = now.astimezone(UTC).date()
    wanted = [
        name_of(table, today + timedelta(days=ahead))
        for table in PARTITIONED
        for ahead in range(_DAYS_AHEAD + 1)
    ]
    absent = [name for name in wanted if session.scalar(select(func.to_regclass(name))) is None]
    if absent:
        return Finding("partitions", State.WRONG, f"missing: {', '.join(absent)}")
    return Finding("partitions", State.WELL, f"made for {_DAYS_AHEAD} days ahead at least")


def _waiting(session: Session, now: datetime) -> Finding:
    oldest: datetime | None = session.scalar(
        select(func.min(batches.c.received_at)).where(batches.c.rolled_at.is_(None))
    )
    if oldest is None or now - oldest < _LAG:
        return Finding("lag", State.WELL, "what was heard is in the reports, or will be soon")
    return Finding("lag", State.WRONG, f"calls heard at {oldest:%Y-%m-%d %H:%M} UTC still wait")


def _unpriced(session: Session, now: datetime) -> Finding:
    calls, unpriced, tokens = session.execute(
        select(
            func.coalesce(func.sum(cells.c.calls), 0),
            func.coalesce(func.sum(cells.c.unpriced_calls), 0),
            func.coalesce(func.sum(cells.c.unpriced_tokens), 0),
        ).where(cells.c.tenant_id == TENANT, cells.c.slot >= now - _LOOKS_BACK)
    ).one()
    if not unpriced and not tokens:
        return Finding("prices", State.WELL, f"all {calls:,} calls of the last month have one")
    if not unpriced:
        share = f"{tokens:,} tokens of the last month have no price"
        return Finding("prices", State.LOOK, f"{share}: GET /v1/prices/unpriced")
    share = f"{unpriced:,} of {calls:,} calls of the last month have no price"
    return Finding("prices", State.LOOK, f"{share}: GET /v1/prices/unpriced")


def _letters(session: Session) -> Finding:
    dead = session.scalar(
        select(func.count()).where(outbox.c.tenant_id == TENANT, outbox.c.status == "dead")
    )
    if dead:
        return Finding("alerts", State.WRONG, f"{dead} could not be delivered: GET /v1/alerts")
    return Finding("alerts", State.WELL, "none undelivered")


def _channels(session: Session, settings: Settings, now: datetime) -> Finding:
    if has_pepper(settings):
        try:
            check_pepper(session, TENANT, Seal(pepper_for(settings)))
        except SealedElsewhere as sealed:
            return Finding("channels", State.WRONG, str(sealed))
    there = all_channels(session, TENANT)
    known = {each.id for each in there}
    teams = {team for each in there for team in each.teams}
    nowhere = 0
    for each in all_in_force(session, TENANT, now):
        said = each.terms
        its = said.filter.get("team", ())
        of_its_team = len(its) == 1 and its[0] in teams
        if not (known & set(said.channel_ids) or said.webhook_url or of_its_team):
            nowhere += 1
    if nowhere and not settings.slack_webhook_url and not any(each.default for each in there):
        told = f"{nowhere} budgets have no channel, and there is no default one"
        return Finding("channels", State.LOOK, told)
    return Finding("channels", State.WELL, "every budget has somewhere to warn")


def _keys(session: Session, settings: Settings) -> Finding:
    if has_keys(session):
        return Finding("keys", State.WELL, "asked for")
    beyond = [str(a) for a in addresses(settings).values() if not a.is_loopback]
    if beyond:
        return Finding("keys", State.WRONG, f"none, and {', '.join(beyond)} is open to strangers")
    return Finding("keys", State.WELL, "none, and none needed: only this machine can come in")


def _jobs(database: Database, now: datetime) -> Iterator[Finding]:
    with database.read() as session:
        latest = runs.latest(session)
    for name, job in JOBS.items():
        last = latest.get(name)
        if last is None:
            yield Finding(f"job {name}", State.WRONG, "never ran: is spanledger jobs running?")
            continue
        ago = now - last.finished_at
        late = ago > timedelta(seconds=3 * job.every + 60)
        did = f"failed: {last.note}" if last.failed else last.note
        said = shorten(f"{int(ago.total_seconds())} s ago: {did}", 90, placeholder=" …")
        yield Finding(f"job {name}", State.WRONG if late or last.failed else State.WELL, said)
