"""Writes what is to be told into the outbox, once for each channel that it goes to.

It is called in the transaction that found it: what is told is what is committed.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from spend.channels.notices import Notice
from store.channels import silences
from store.channels.routing import Where, channels_for
from store.tables.budgets import outbox


def tell(
    session: Session,
    tenant: int,
    notice: Notice,
    *,
    key: str,
    channel_ids: Sequence[int] = (),
    now: datetime,
) -> int:
    """Puts a notice on its way; answers how many messages that are.

    ``key`` says what is told, such as ``crossing:17`` or ``recovered:17``: told again under the
    same key, nothing is sent, wherever it would go now. ``channel_ids``: where its budget or rule
    wants it (``store.channels.routing`` says where else it goes). In quiet hours it waits for their
    end; what is snoozed or muted waits or is dropped (``store.channels.silences``).
    """
    places = channels_for(
        session,
        tenant,
        kind=notice.kind,
        level=notice.level,
        channel_ids=channel_ids,
        budget_id=notice.budget_id,
        team=notice.team,
        now=now,
    )
    return tell_at(session, tenant, notice, places, key=key, now=now)


def tell_at(
    session: Session,
    tenant: int,
    notice: Notice,
    places: Sequence[Where],
    *,
    key: str,
    now: datetime,
) -> int:
    """As ``tell``, at these places, of which there is one at least."""
    rows = [
        _row(tenant, notice, where, f"{key}:{number}", now)
        for number, where in enumerate(places, 1)
    ]
    # The first row of a key can be written once: whoever comes second writes none of the others.
    first, *others = rows
    once = insert(outbox).values(first).on_conflict_do_nothing().returning(outbox.c.id)
    if session.scalar(once) is None:
        return 0
    if others:
        session.execute(insert(outbox).values(others))
    if notice.alert_id is not None:
        silences.settle(session, tenant, now, crossing_id=notice.alert_id)
    return len(rows)


def _row(tenant: int, notice: Notice, where: Where, key: str, now: datetime) -> dict[str, Any]:
    quiet = None if where is None else where.quiet_until(notice.kind, notice.level, now)
    return {
        "tenant_id": tenant,
        "key": key,
        "crossing_id": notice.alert_id,
        "channel_id": None if where is None else where.id,
        "body": notice.as_json(),
        "created_at": now,
        "next_at": quiet or now,
    }
