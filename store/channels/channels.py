"""Remembers channels, and what they are reached with, sealed."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, insert, select, update
from sqlalchemy.orm import Session

from spend.channels.channels import (
    SECRETS,
    Channel,
    ChannelSecret,
    ChannelTerms,
    Checks,
    channel_as_said,
    channel_secret,
)
from spend.channels.quiet_hours import quiet_hours
from spend.told_apart import plain
from store import audit
from store.access.secrets import SHOWN, Seal
from store.free_names import unless_taken
from store.tables.alerting import channels

_NAME_IN_FORCE: Final = "uq_channels_name_in_force"


class NameTaken(ValueError):  # noqa: N818  # a conflict that the writer resolves
    """Another channel has that name: choose another, or change that one."""


class NoSuchChannel(LookupError):  # noqa: N818  # an answer, not a failure
    """There is no channel of that id, or it was removed."""


@dataclass(frozen=True, slots=True)
class OpenedChannel:
    """A channel, ready to be sent to."""

    channel: Channel
    secret: ChannelSecret | None
    """None: its kind has none."""


def create(
    session: Session,
    tenant: int,
    said: ChannelTerms,
    secret: ChannelSecret | None,
    *,
    seal: Seal,
    now: datetime,
) -> Channel:
    """Puts a new channel in force.

    Raises NameTaken; SealedElsewhere where those that there are were sealed with another pepper.
    """
    check_pepper(session, tenant, seal)
    row = _row(said) | _sealed(secret, seal)
    made = _write(
        session,
        said.name,
        insert(channels).values(tenant_id=tenant, created_at=now, **row).returning(channels),
    )
    channel = _channel(made)
    audit.note(session, tenant, did="created", **_named(channel), after=said)
    return channel


def change(
    session: Session,
    tenant: int,
    channel_id: int,
    said: ChannelTerms,
    secret: ChannelSecret | None = None,
    *,
    seal: Seal,
) -> Channel:
    """Changes a channel; ``secret`` None: it keeps its own. Its messages that wait go by it.

    Raises NoSuchChannel, NameTaken, SealedElsewhere.
    """
    row = _row(said)
    if secret is not None:
        row |= _sealed(secret, seal) | {"rests_until": None}
    before = _channel(_found(session, tenant, channel_id, lock=True))
    wanted = channels.c.tenant_id == tenant, channels.c.id == channel_id
    made = _write(
        session, said.name, update(channels).where(*wanted).values(row).returning(channels)
    )
    channel = _channel(made)
    was = {"secret": "as it was"} if secret is not None else {}
    audit.note(
        session,
        tenant,
        did="changed",
        **_named(channel),
        before=plain(before) | was,
        after=plain(channel) | ({"secret": "another"} if was else {}),
    )
    return channel


def _named(channel: Channel) -> audit.Subject:
    return {"noun": "channel", "noun_id": channel.id, "name": channel.name}


def one(session: Session, tenant: int, channel_id: int) -> Channel:
    """A channel. Raises NoSuchChannel."""
    return _channel(_found(session, tenant, channel_id))


def all_channels(session: Session, tenant: int) -> list[Channel]:
    """The channels that there are, by id."""
    rows = session.execute(
        select(channels)
        .where(channels.c.tenant_id == tenant, channels.c.removed_at.is_(None))
        .order_by(channels.c.id)
    )
    return [_channel(row) for row in rows]


def opened(session: Session, tenant: int, channel_id: int, seal: Seal) -> OpenedChannel:
    """A channel with what it is reached with. Raises NoSuchChannel, SealedElsewhere."""
    row = _found(session, tenant, channel_id)
    secret = None
    if row.secret is not None:
        secret = ChannelSecret(**json.loads(seal.opened(row.secret)))
    return OpenedChannel(_channel(row), secret)


def changed_secret(
    session: Session,
    tenant: int,
    channel: Channel,
    said: Mapping[str, str | None],
    *,
    seal: Seal,
    checks: Checks,
) -> ChannelSecret | None:
    """What a channel is reached with from now on, by what is said of ``secret``, ``signing_key``.

    None: as before. What is not said of the two stays. Raises TermsRefused, SealedElsewhere.
    """
    wanted = {name: said[name] for name in SECRETS if name in said}
    if not wanted:
        return None
    if channel.kind == "webhook" and len(wanted) == 1:
        kept = opened(session, tenant, channel.id, seal).secret
        if kept is not None:
            wanted = {"secret": kept.text, "signing_key": kept.signing_key} | wanted
    return channel_secret(channel.kind, wanted.get("secret"), wanted.get("signing_key"), checks)


def check_pepper(session: Session, tenant: int, seal: Seal) -> None:
    """That what is sealed here is opened where the others were sealed. Raises SealedElsewhere."""
    latest = session.scalar(
        select(channels.c.secret)
        .where(channels.c.tenant_id == tenant, channels.c.secret.is_not(None))
        .order_by(channels.c.id.desc())
        .limit(1)
    )
    if latest is not None:
        seal.opened(latest)


def _found(session: Session, tenant: int, channel_id: int, *, lock: bool = False) -> Row[Any]:
    asked = select(channels).where(
        channels.c.tenant_id == tenant,
        channels.c.id == channel_id,
        channels.c.removed_at.is_(None),
    )
    row = session.execute(asked.with_for_update() if lock else asked).one_or_none()
    if row is None:
        raise NoSuchChannel(f"there is no channel {channel_id}")
    return row


def _write(session: Session, name: str, statement: Any) -> Row[Any]:
    taken = NameTaken(f"there is a channel named {name!r}")
    with unless_taken(session, _NAME_IN_FORCE, taken):
        return session.execute(statement).one()


def _sealed(secret: ChannelSecret | None, seal: Seal) -> dict[str, Any]:
    if secret is None:
        return {"secret": None, "last4": None}
    kept = json.dumps(asdict(secret))
    return {"secret": seal.sealed(kept, shown=0), "last4": secret.text[-SHOWN:]}


def _row(said: ChannelTerms) -> dict[str, Any]:
    settings = channel_as_said(said)
    return {name: settings.pop(name) for name in ("name", "kind")} | {"settings": settings}


def _channel(row: Row[Any]) -> Channel:
    kept: dict[str, Any] = row.settings
    quiet = kept["quiet"]
    return Channel(
        id=row.id,
        name=row.name,
        kind=row.kind,
        last4=row.last4,
        to=tuple(kept["to"]),
        teams=tuple(kept["teams"]),
        default=kept["default"],
        levels=kept["levels"],
        digest=kept["digest"],
        quiet=None if quiet is None else quiet_hours(**quiet),
    )
