"""Removes a channel; what waits for it goes where it would go without it."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, insert, select, update
from sqlalchemy.orm import Session

from spend.channels.notices import DIGESTS, SAMPLE
from store import audit
from store.channels.channels import NoSuchChannel
from store.channels.outbox import without_notes
from store.channels.routing import channels_for
from store.tables.alerting import channels
from store.tables.budgets import outbox

GONE: Final = "its channel was removed"

_NUMBERED: Final = re.compile("(.*):[0-9]+")


def remove(session: Session, tenant: int, channel_id: int, now: datetime) -> None:
    """Ends a channel. Raises NoSuchChannel.

    A message that is being sent this moment is not moved: whoever sends it finds out.
    """
    removed = session.scalar(
        update(channels)
        .where(
            channels.c.tenant_id == tenant,
            channels.c.id == channel_id,
            channels.c.removed_at.is_(None),
        )
        # What it was reached with serves nobody any more.
        .values(removed_at=now, secret=None)
        .returning(channels.c.name)
    )
    if removed is None:
        raise NoSuchChannel(f"there is no channel {channel_id}")
    audit.note(session, tenant, did="removed", noun="channel", noun_id=channel_id, name=removed)
    waiting = session.execute(
        select(outbox)
        .where(
            outbox.c.tenant_id == tenant,
            outbox.c.channel_id == channel_id,
            outbox.c.status == "pending",
            outbox.c.leased_to.is_(None) | (outbox.c.leased_to <= now),
        )
        .order_by(outbox.c.id)
        .with_for_update(skip_locked=True)
    ).all()
    for row in waiting:
        move(session, tenant, row)


def move(session: Session, tenant: int, row: Row[Any]) -> None:
    """Has a message of the outbox, whose channel was removed, go where it would go without it.

    Where others told the same already, it is dropped, and says so.
    """
    numbered = _NUMBERED.fullmatch(row.key or "")
    alike = _alike(session, tenant, numbered[1]) if numbered else []
    mine = outbox.c.tenant_id == tenant, outbox.c.id == row.id
    told = any(each.id != row.id and each.status in {"pending", "sent"} for each in alike)
    # A digest was for that channel: the others have theirs.
    if told or row.body.get("kind") in {SAMPLE, *DIGESTS}:
        dropped = {"status": "dropped", "last_error": GONE}
        session.execute(update(outbox).where(*mine).values(dropped))
        return
    first, *others = channels_for(
        session,
        tenant,
        kind=row.body["kind"],
        level=row.body["level"],
        budget_id=row.body["budget_id"],
        team=row.body["team"],
        now=row.next_at,
    )
    there = None if first is None else first.id
    # What senders noted of it is of the place that was removed.
    body = without_notes(row.body)
    session.execute(update(outbox).where(*mine).values(channel_id=there, body=body, leased_to=None))
    kept = {name: getattr(row, name) for name in ("crossing_id", "created_at", "next_at")}
    kept["body"] = body
    for number, where in enumerate(others, len(alike) + 1):
        key = f"{numbered[1]}:{number}" if numbered else None
        there = None if where is None else where.id
        session.execute(insert(outbox).values(tenant_id=tenant, key=key, channel_id=there, **kept))


def _alike(session: Session, tenant: int, key: str) -> Sequence[Any]:
    """The messages that tell the same, numbered from 1."""
    numbered = outbox.c.key.regexp_match(f"^{re.escape(key)}:[0-9]+$")
    return session.execute(
        select(outbox.c.id, outbox.c.status).where(outbox.c.tenant_id == tenant, numbered)
    ).all()
