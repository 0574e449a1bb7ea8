"""What became of the latest message to each channel; and samples, to try one out."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select, update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from spend.channels.notices import Notice
from store.channels.channels import one
from store.channels.notify import tell_at
from store.tables.budgets import outbox


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message to a channel. Times are UTC."""

    id: int
    title: str
    status: str
    """pending, sent, dead or dropped."""
    attempts: int
    last_error: str | None
    written_at: datetime
    next_at: datetime
    sent_at: datetime | None


def latest(
    session: Session, tenant: int, channel_ids: Collection[int] | None = None
) -> dict[int, Delivery]:
    """By channel, of those that anything was written to: the message that was written last.

    ``channel_ids``: of these channels alone.
    """
    asked = select(outbox).where(outbox.c.tenant_id == tenant, outbox.c.channel_id.is_not(None))
    if channel_ids is not None:
        asked = asked.where(outbox.c.channel_id.in_(channel_ids))
    newest_first = asked.order_by(outbox.c.channel_id, outbox.c.id.desc())
    rows = session.execute(newest_first.ext(distinct_on(outbox.c.channel_id)))
    return {row.channel_id: _delivery(row) for row in rows}


def delivery(session: Session, tenant: int, message_id: int) -> Delivery:
    """What became of a message."""
    wanted = outbox.c.tenant_id == tenant, outbox.c.id == message_id
    return _delivery(session.execute(select(outbox).where(*wanted)).one())


def put_sample(
    session: Session, tenant: int, channel_id: int | None, sample: Notice, key: str, now: datetime
) -> int:
    """Puts a sample on its way to a channel, or to where the setting says; answers its id.

    ``key``: one that no other sample has. Raises NoSuchChannel.
    """
    key = f"sample:{key}"
    where = None if channel_id is None else one(session, tenant, channel_id)
    tell_at(session, tenant, sample, [where], key=key, now=now)
    mine = outbox.c.tenant_id == tenant, outbox.c.key == f"{key}:1"
    message_id: int = session.execute(select(outbox.c.id).where(*mine)).scalar_one()
    return message_id


def is_being_sent(session: Session, tenant: int, message_id: int) -> bool:
    """Whether somebody has claimed it."""
    wanted = outbox.c.tenant_id == tenant, outbox.c.id == message_id
    claimed = outbox.c.status == "pending", outbox.c.leased_to.is_not(None)
    return session.scalar(select(outbox.c.id).where(*wanted, *claimed)) is not None


def drop_unsent(session: Session, tenant: int, message_id: int, why: str) -> None:
    """Ends a message that was not sent: a sample is no use to anybody tomorrow."""
    session.execute(
        update(outbox)
        .where(
            outbox.c.tenant_id == tenant, outbox.c.id == message_id, outbox.c.status == "pending"
        )
        .values(status="dropped", last_error=why, leased_to=None)
    )


def _delivery(row: Row[Any]) -> Delivery:
    return Delivery(
        id=row.id,
        # Messages of before there were notices have none.
        title=row.body.get("title") or row.body.get("text") or "",
        status=row.status,
        attempts=row.attempts,
        last_error=row.last_error,
        written_at=row.created_at,
        next_at=row.next_at,
        sent_at=row.sent_at,
    )
