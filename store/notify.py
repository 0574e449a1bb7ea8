"""Writes what is to be told into the outbox, once for each whom it concerns.

It is called in the transaction that found it: what is told is what is committed.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from spend.notices import Notice
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
    same key, nothing is sent. ``channel_ids``: where to; none: to the budget's own webhook, or
    where all messages go, as is found when it is sent.
    """
    put = session.execute(
        insert(outbox)
        .values(
            [
                {
                    "tenant_id": tenant,
                    "key": f"{key}:{channel or 'default'}",
                    "crossing_id": notice.alert_id,
                    "channel_id": channel,
                    "body": notice.as_json(),
                    "created_at": now,
                    "next_at": now,
                }
                for channel in channel_ids or (None,)
            ]
        )
        .on_conflict_do_nothing()
        .returning(outbox.c.id)
    )
    return len(put.all())
