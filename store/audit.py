"""The record of who changed what: a line in the transaction of each change, so neither is alone.

Who changes something stands with the session (``store/postgres/sessions.py``); what is done, the
function that does it says. Lines are only ever added.
"""

from dataclasses import dataclass
from datetime import datetime
from operator import eq, ge, lt
from typing import Any, Final, TypedDict, cast

from sqlalchemy import ColumnElement, func, insert, select
from sqlalchemy.orm import Session

from spend.access.actors import JOB, Actor
from spend.told_apart import told_apart
from store.tables.access import audit_log

BY: Final = "by"
"""In ``session.info``: gives whoever changes something in it."""


@dataclass(frozen=True, slots=True)
class Change:
    """A line of the record."""

    id: int
    at: datetime
    actor: Actor
    did: str
    """A verb in the past: created, changed, closed …"""
    noun: str
    noun_id: str | None
    name: str | None
    """What people call it."""
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class Subject(TypedDict):
    """What a change is of, as ``note`` takes it."""

    noun: str
    noun_id: object
    name: str | None


@dataclass(frozen=True, slots=True)
class Asked:
    """Which lines: all that is not None must hold."""

    since: datetime | None = None
    """From then on (UTC), and before ``until``."""
    until: datetime | None = None
    actor_id: str | None = None
    noun: str | None = None
    noun_id: str | None = None
    before_id: int | None = None
    """Older than this line: where the page before ended."""


def by(session: Session) -> Actor:
    """Whoever changes something in a session; spanledger itself where nobody was named."""
    named = session.info.get(BY)
    return JOB if named is None else cast("Actor", named())


def note(
    session: Session,
    tenant: int,
    *,
    did: str,
    noun: str,
    noun_id: object = None,
    name: str | None = None,
    before: Any | None = None,
    after: Any | None = None,
) -> None:
    """Writes down a change: ``did`` to the ``noun`` of this id, now by the database's clock.

    ``before`` and ``after`` are records or mappings of the thing as it was and is; of two, what
    differs is kept. Secrets are told as that, never as they are (``spend/told_apart.py``).
    """
    actor = by(session)
    was, now = told_apart(before, after)
    session.execute(
        insert(audit_log).values(
            tenant_id=tenant,
            at=func.now(),
            actor_kind=actor.kind,
            actor_id=actor.id,
            actor_name=actor.name,
            address=actor.address,
            did=did,
            noun=noun,
            noun_id=None if noun_id is None else str(noun_id),
            name=name,
            before=was,
            after=now,
        )
    )


def page(session: Session, tenant: int, asked: Asked, *, at_most: int) -> list[Change]:
    """The latest lines that were asked for, the newest first."""
    found = session.execute(
        select(audit_log)
        .where(audit_log.c.tenant_id == tenant, *_which(asked))
        .order_by(audit_log.c.id.desc())
        .limit(at_most)
    )
    return [
        Change(
            id=row.id,
            at=row.at,
            actor=Actor(row.actor_kind, row.actor_name, row.actor_id, row.address),
            did=row.did,
            noun=row.noun,
            noun_id=row.noun_id,
            name=row.name,
            before=row.before,
            after=row.after,
        )
        for row in found
    ]


def nouns(session: Session, tenant: int) -> list[str]:
    """What was ever changed, by name."""
    found = session.scalars(
        select(audit_log.c.noun).where(audit_log.c.tenant_id == tenant).distinct()
    )
    return sorted(found)


def _which(asked: Asked) -> list[ColumnElement[bool]]:
    columns = audit_log.c
    wanted = (
        (columns.at, ge, asked.since),
        (columns.at, lt, asked.until),
        (columns.actor_id, eq, asked.actor_id),
        (columns.noun, eq, asked.noun),
        (columns.noun_id, eq, asked.noun_id),
        (columns.id, lt, asked.before_id),
    )
    return [compares(column, value) for column, compares, value in wanted if value is not None]
