"""Browsers that signed in, as a person or with a key.

The cookie holds a random text, the table its HMAC with the pepper, so a stolen copy of the table
signs nobody in. Found by one query with whoever it is of: a key that is revoked or expired, a
person who is barred, a session that ended or ran out open nothing at the next request.
"""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, delete, insert, or_, select, update
from sqlalchemy.orm import Session

from spend.access.roles import Role
from store.tables.access import keys, people, roles, sessions

_BYTES: Final = 32
TO_THE: Final = timedelta(minutes=1)
"""How precisely it is kept when a session was used last."""
KEPT: Final = timedelta(days=30)
"""How long a session stays in the table that nobody can use any more."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """A session in force. Times are UTC."""

    tenant: int
    digest: bytes
    began_at: datetime
    last_used_at: datetime
    expires_at: datetime
    name: str
    """Of the person or the key."""
    person_id: int | None = None
    """None: a key's."""
    email: str | None = None
    roles: tuple[tuple[int, Role], ...] = ()
    """All that the person has, with their ids."""
    role_id: int | None = None
    """Which of them was chosen; None, or one that is gone: none."""
    key_id: str | None = None
    key_kind: str | None = None
    key_team: str | None = None


def begin(
    session: Session,
    tenant: int,
    *,
    person_id: int | None = None,
    key_id: str | None = None,
    pepper: bytes,
    lasts: timedelta,
    now: datetime,
) -> str:
    """Signs a browser in, as a person or with a key, and gives what it is to keep.

    Forgets sessions that are long over: there are never more than of so many days.
    """
    session.execute(
        delete(sessions).where(
            sessions.c.tenant_id == tenant,
            or_(sessions.c.expires_at < now - KEPT, sessions.c.ended_at < now - KEPT),
        )
    )
    token = secrets.token_urlsafe(_BYTES)
    session.execute(
        insert(sessions).values(
            tenant_id=tenant,
            digest=digest_of(token, pepper),
            person_id=person_id,
            key_id=key_id,
            began_at=now,
            last_used_at=now,
            expires_at=now + lasts,
        )
    )
    return token


def find(
    session: Session, tenant: int, token: str, *, pepper: bytes, now: datetime
) -> SignIn | None:
    """Whoever signed in with this token, if that is still in force."""
    found = session.execute(
        select(
            *_SESSION,
            keys.c.name.label("key_name"),
            keys.c.kind,
            keys.c.team.label("key_team"),
            people.c.name.label("person_name"),
            people.c.email,
            roles.c.id.label("held_id"),
            roles.c.role,
            roles.c.team,
        )
        .select_from(
            sessions.outerjoin(
                keys,
                and_(
                    keys.c.tenant_id == sessions.c.tenant_id,
                    keys.c.id == sessions.c.key_id,
                    keys.c.revoked_at.is_(None),
                    or_(keys.c.expires_at.is_(None), keys.c.expires_at > now),
                ),
            )
            .outerjoin(
                people,
                and_(
                    people.c.tenant_id == sessions.c.tenant_id,
                    people.c.id == sessions.c.person_id,
                    people.c.barred_at.is_(None),
                ),
            )
            .outerjoin(
                roles,
                and_(
                    roles.c.tenant_id == people.c.tenant_id,
                    roles.c.person_id == people.c.id,
                ),
            )
        )
        .where(
            sessions.c.tenant_id == tenant,
            sessions.c.digest == digest_of(token, pepper),
            *_in_force(now),
        )
        .order_by(roles.c.id)
    ).all()
    return _signed_in(found)


def _signed_in(found: Sequence[Any]) -> SignIn | None:
    # A key that is no more, and a person who is barred, leave their names empty.
    if not found or (found[0].key_name is None and found[0].person_name is None):
        return None
    first = found[0]
    return SignIn(
        tenant=first.tenant_id,
        digest=bytes(first.digest),
        began_at=first.began_at,
        last_used_at=first.last_used_at,
        expires_at=first.expires_at,
        name=first.person_name or first.key_name,
        person_id=first.person_id,
        email=first.email,
        roles=tuple(
            (row.held_id, Role(row.role, row.team)) for row in found if row.held_id is not None
        ),
        role_id=first.role_id,
        key_id=first.key_id,
        key_kind=first.kind,
        key_team=first.key_team,
    )


def used(session: Session, signed_in: SignIn, now: datetime) -> None:
    """Notes that a session was used."""
    session.execute(
        update(sessions)
        .where(sessions.c.tenant_id == signed_in.tenant, sessions.c.digest == signed_in.digest)
        .values(last_used_at=now)
    )


def act_as(session: Session, signed_in: SignIn, role_id: int) -> bool:
    """Chooses one of a person's roles for a session. False: they have it not."""
    if role_id not in dict(signed_in.roles):
        return False
    session.execute(
        update(sessions)
        .where(sessions.c.tenant_id == signed_in.tenant, sessions.c.digest == signed_in.digest)
        .values(role_id=role_id)
    )
    return True


def end(session: Session, tenant: int, token: str, *, pepper: bytes, now: datetime) -> None:
    """Signs a browser out: what it kept opens nothing any more, whoever has a copy."""
    session.execute(
        update(sessions)
        .where(
            sessions.c.tenant_id == tenant,
            sessions.c.digest == digest_of(token, pepper),
            sessions.c.ended_at.is_(None),
        )
        .values(ended_at=now)
    )


def end_all(
    session: Session,
    tenant: int,
    *,
    person_id: int | None = None,
    key_id: str | None = None,
    now: datetime,
) -> int:
    """Signs out every browser of a person, or of a key. How many that were."""
    theirs = sessions.c.key_id == key_id if key_id else sessions.c.person_id == person_id
    ended = session.execute(
        update(sessions)
        .where(sessions.c.tenant_id == tenant, theirs, *_in_force(now))
        .values(ended_at=now)
        .returning(sessions.c.digest)
    )
    return len(ended.all())


def in_force_of(
    session: Session, tenant: int, person_id: int, now: datetime
) -> list[tuple[datetime, datetime, datetime]]:
    """A person's sessions, the latest first: began, last used, runs out."""
    found = session.execute(
        select(sessions.c.began_at, sessions.c.last_used_at, sessions.c.expires_at)
        .where(sessions.c.tenant_id == tenant, sessions.c.person_id == person_id, *_in_force(now))
        .order_by(sessions.c.began_at.desc())
    )
    return [(row[0], row[1], row[2]) for row in found]


def digest_of(token: str, pepper: bytes) -> bytes:
    """What the table knows a token by."""
    return hmac.digest(pepper, f"session:{token}".encode(), hashlib.sha256)


_SESSION = (
    sessions.c.tenant_id,
    sessions.c.digest,
    sessions.c.person_id,
    sessions.c.role_id,
    sessions.c.key_id,
    sessions.c.began_at,
    sessions.c.last_used_at,
    sessions.c.expires_at,
)


def _in_force(now: datetime) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return sessions.c.ended_at.is_(None), sessions.c.expires_at > now
