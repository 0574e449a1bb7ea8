"""Remembers who pays for whose calls: versions of the rules, none ever overwritten."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Row, Text, cast, insert, select, update
from sqlalchemy.dialects.postgresql import insert as insert_new
from sqlalchemy.orm import Session

from spend.ownership.ownership_files import Ownership, fields_of, ownership_of_fields
from store import audit, waiting
from store.tables.ownership import ownership, splits


@dataclass(frozen=True, slots=True)
class Version:
    """Rules and splits as they were applied once."""

    version: int
    """From 1."""
    known_from: datetime
    known_to: datetime | None
    """When the next one was applied (UTC); None: it is in force."""
    source: str
    entered_by: str
    said: Ownership
    followed_at: datetime | None
    """When charges, usage and split days had followed it (UTC); None: the charge job is to."""


def in_force(session: Session, tenant: int) -> Version | None:
    """The version in force; None where none was ever applied: everybody pays for their own."""
    return _first(session, tenant, ownership.c.known_to.is_(None))


def in_force_at(session: Session, tenant: int, moments: Sequence[datetime]) -> list[Version | None]:
    """The version that was in force at each of these moments (UTC); None: there was none yet."""
    if not moments:
        return []
    known = session.execute(
        select(ownership.c.version, ownership.c.known_from)
        .where(ownership.c.tenant_id == tenant)
        .order_by(ownership.c.version)
    ).all()
    numbers = [max((row[0] for row in known if row[1] <= each), default=0) for each in moments]
    which = ownership.c.version.in_(set(numbers))
    found = {row.version: _version(row) for row in session.execute(_wanted(tenant).where(which))}
    return [found.get(number) for number in numbers]


def numbered(session: Session, tenant: int, version: int) -> Version | None:
    """One version; None: there is none of this number."""
    return _first(session, tenant, ownership.c.version == version)


def followed(session: Session, tenant: int) -> Version | None:
    """The latest version that charges have followed."""
    return _first(session, tenant, ownership.c.followed_at.is_not(None))


def versions(session: Session, tenant: int) -> list[Version]:
    """All of them, the latest first."""
    return [_version(row) for row in session.execute(_wanted(tenant))]


def apply(
    session: Session,
    tenant: int,
    said: Ownership,
    *,
    source: str,
    entered_by: str,
    now: datetime,
) -> Version:
    """Puts rules and splits in force, in place of all before; the next charge run follows them.

    What is in force already stays as it is: the version says when it was applied.
    """
    waiting.lock_ledger(session)
    before = in_force(session, tenant)
    if before is not None and before.said == said:
        return before
    if before is not None:
        now = max(now, before.known_from + timedelta(microseconds=1))
        session.execute(
            update(ownership)
            .where(ownership.c.tenant_id == tenant, ownership.c.version == before.version)
            .values(known_to=now)
        )
    for split in said.splits:
        terms = fields_of(Ownership(said.timezone, splits=(split,)))["splits"][0]
        session.execute(
            insert_new(splits)
            .values(tenant_id=tenant, id=split.id, name=split.name, terms=terms)
            .on_conflict_do_nothing()
        )
    version = 1 if before is None else before.version + 1
    session.execute(
        insert(ownership).values(
            tenant_id=tenant,
            version=version,
            known_from=now,
            source=source,
            entered_by=entered_by,
            rules=fields_of(said),
        )
    )
    audit.note(
        session,
        tenant,
        did="put in force",
        noun="ownership rules",
        noun_id=version,
        before=None if before is None else fields_of(before.said),
        after=fields_of(said),
    )
    return Version(version, now, None, source, entered_by, said, None)


def follow_again(session: Session, tenant: int) -> None:
    """Has charges follow the version in force once more: it holds for more time than before."""
    session.execute(
        update(ownership)
        .where(ownership.c.tenant_id == tenant, ownership.c.known_to.is_(None))
        .values(followed_at=None)
    )


def is_followed(session: Session, tenant: int, version: int, now: datetime) -> None:
    """Says that charges, usage and the days to be split again have followed a version."""
    session.execute(
        update(ownership)
        .where(ownership.c.tenant_id == tenant, ownership.c.version == version)
        .values(followed_at=now)
    )


def _wanted(tenant: int) -> Any:
    names = ("version", "known_from", "known_to", "source", "entered_by", "followed_at")
    return (
        select(*(ownership.c[name] for name in names), cast(ownership.c.rules, Text).label("rules"))
        .where(ownership.c.tenant_id == tenant)
        .order_by(ownership.c.version.desc())
    )


def _first(session: Session, tenant: int, which: ColumnElement[bool]) -> Version | None:
    row = session.execute(_wanted(tenant).where(which).limit(1)).first()
    return None if row is None else _version(row)


def _version(row: Row[Any]) -> Version:
    return Version(
        version=row.version,
        known_from=row.known_from,
        known_to=row.known_to,
        source=row.source,
        entered_by=row.entered_by,
        said=_read(row.rules),
        followed_at=row.followed_at,
    )


@lru_cache(maxsize=64)
def _read(rules: str) -> Ownership:
    """Read once: every transaction that posts asks for the rules in force."""
    return ownership_of_fields(json.loads(rules), timezone="UTC")
