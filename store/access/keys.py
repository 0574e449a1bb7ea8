"""Keys that may send, read or administer: ``sl_<kind>_<8 characters of id><secret>``.

The database keeps an HMAC of the secret, keyed with a pepper that it does not know: a stolen copy
of the table opens nothing, and makes no keys.
"""

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import insert, or_, select, update
from sqlalchemy.orm import Session

from store import audit
from store.tables.access import keys

BEGINS: Final = r"sl_(ingest|read|admin)_([a-z2-7]{8})"
"""The readable part of a key's text: its kind and id."""
_SHAPE: Final = re.compile(BEGINS + r"([a-z2-7]{52})")


@dataclass(frozen=True, slots=True)
class Key:
    """A key, without its secret."""

    id: str
    kind: str
    """ingest | read | admin"""
    name: str
    team: str | None
    """The team that spans sent with it belong to unless they say otherwise; for a read key, the
    only team it may see. None: any."""
    created_at: datetime
    revoked_at: datetime | None
    expires_at: datetime | None = None
    """From when on it opens nothing (UTC); None: never."""
    last_used_at: datetime | None = None
    """To the day; None: never, or longer ago than that was kept."""

    def in_force(self, now: datetime) -> bool:
        """Whether it opens anything."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > now)


@dataclass(frozen=True, slots=True)
class Made:
    """Keys in force, by the pepper that they were made with."""

    elsewhere: tuple[str, ...]
    """Names of those that were made with another one, and open nothing with this."""
    here: int


def create_key(
    session: Session,
    *,
    tenant: int,
    kind: str,
    name: str,
    team: str | None,
    pepper: bytes,
    now: datetime,
    expires_at: datetime | None = None,
) -> str:
    """A new key's text. It is shown once: the database does not have it."""
    key_id, secret = _random(5), _random(32)
    session.execute(
        insert(keys).values(
            tenant_id=tenant,
            id=key_id,
            kind=kind,
            name=name,
            team=team,
            digest=_digest(kind, key_id, secret, pepper),
            created_at=now,
            expires_at=expires_at,
            pepper_mark=_mark(pepper),
        )
    )
    said = {"kind": kind, "team": team, "expires_at": expires_at}
    audit.note(session, tenant, did="created", noun="key", noun_id=key_id, name=name, after=said)
    return f"sl_{kind}_{key_id}{secret}"


def find_key(
    session: Session, text: str, *, pepper: bytes, now: datetime
) -> tuple[int, Key] | None:
    """The tenant and the key in force whose text this is; None where there is none."""
    shape = _SHAPE.fullmatch(text)
    if shape is None:
        return None
    kind, key_id, secret = shape.groups()
    digest = _digest(kind, key_id, secret, pepper)
    found = session.execute(
        select(keys.c.tenant_id, keys.c.digest, *_PUBLIC).where(
            keys.c.id == key_id,
            keys.c.revoked_at.is_(None),
            or_(keys.c.expires_at.is_(None), keys.c.expires_at > now),
        )
    )
    for tenant, expected, *public in found:
        # Takes as long however many bytes agree.
        if hmac.compare_digest(digest, expected):
            return tenant, Key(*public)
    return None


def is_the_text_of(text: str, digest: bytes, pepper: bytes) -> bool:
    """Whether it is the text of the key with this digest, in force or not."""
    shape = _SHAPE.fullmatch(text)
    if shape is None:
        return False
    kind, key_id, secret = shape.groups()
    return hmac.compare_digest(_digest(kind, key_id, secret, pepper), digest)


def is_news(key: Key, now: datetime) -> bool:
    """Whether it is not written down yet that a key was used today (UTC)."""
    return key.last_used_at is None or key.last_used_at.astimezone(UTC).date() < now.date()


def used(session: Session, key_id: str, *, tenant: int, now: datetime) -> None:
    """Notes that a key was used."""
    session.execute(
        update(keys).where(keys.c.tenant_id == tenant, keys.c.id == key_id).values(last_used_at=now)
    )


def list_keys(session: Session, *, tenant: int) -> list[Key]:
    """All keys, revoked ones too, oldest first."""
    found = session.execute(
        select(*_PUBLIC).where(keys.c.tenant_id == tenant).order_by(keys.c.created_at, keys.c.id)
    )
    return [Key(*row) for row in found]


def revoke_key(session: Session, key_id: str, *, tenant: int, now: datetime) -> bool:
    """Ends a key for good. False: there is none in force with this id."""
    ended = session.execute(
        update(keys)
        .where(keys.c.tenant_id == tenant, keys.c.id == key_id, keys.c.revoked_at.is_(None))
        .values(revoked_at=now)
        .returning(keys.c.name)
    ).scalar_one_or_none()
    if ended is not None:
        audit.note(session, tenant, did="revoked", noun="key", noun_id=key_id, name=ended)
    return ended is not None


def has_keys(session: Session) -> bool:
    """Whether there is a key that was not revoked: without one, nobody is asked for one.

    One that expired counts: whoever forgets to renew the last key does not mean to open the door.
    """
    found = session.execute(select(keys.c.id).where(keys.c.revoked_at.is_(None)).limit(1))
    return found.first() is not None


def by_pepper(session: Session, *, tenant: int, pepper: bytes, now: datetime) -> Made:
    """Which keys in force were made with this pepper; those of before 0028 nobody knows."""
    c = keys.c
    found = session.execute(
        select(c.name, c.pepper_mark)
        .where(c.tenant_id == tenant, c.revoked_at.is_(None), c.pepper_mark.is_not(None))
        .where(or_(c.expires_at.is_(None), c.expires_at > now))
        .order_by(c.created_at, c.id)
    ).all()
    others = tuple(name for name, mark in found if mark != _mark(pepper))
    return Made(others, len(found) - len(others))


def _mark(pepper: bytes) -> str:
    """Tells peppers apart: 64 bits of a digest, from which none can be guessed."""
    return hmac.digest(pepper, b"spanledger pepper", "sha256")[:8].hex()


_PUBLIC = (
    keys.c.id,
    keys.c.kind,
    keys.c.name,
    keys.c.team,
    keys.c.created_at,
    keys.c.revoked_at,
    keys.c.expires_at,
    keys.c.last_used_at,
)


def _random(size: int) -> str:
    """``size`` random bytes in letters and digits that a double click selects whole."""
    return base64.b32encode(secrets.token_bytes(size)).decode().rstrip("=").lower()


def _digest(kind: str, key_id: str, secret: str, pepper: bytes) -> bytes:
    # With the kind: a read key whose text is changed to say admin is no key.
    return hmac.digest(pepper, f"{kind}:{key_id}:{secret}".encode(), hashlib.sha256)
