"""Has messages wait whose channel is in its quiet hours, whatever they waited for before."""

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from spend.channels.notices import SAMPLE
from store.channels.channels import all_channels
from store.tables.budgets import outbox


def hold(session: Session, tenant: int, now: datetime) -> None:
    """What is due in the quiet hours of its channel is due at their end.

    What is written in them waits from the beginning (``store.channels.notify``); this holds what
    was written before, was tried and is to be tried again, or was snoozed until now.
    """
    for channel in all_channels(session, tenant):
        quiet = channel.quiet
        until = None if quiet is None else quiet.until(now)
        if quiet is None or until is None:
            continue
        waits = outbox.c.body["kind"].astext != SAMPLE
        if not quiet.over_waits:
            waits &= outbox.c.body["level"].astext != "over"
        session.execute(
            update(outbox)
            .where(
                outbox.c.tenant_id == tenant,
                outbox.c.channel_id == channel.id,
                outbox.c.status == "pending",
                outbox.c.next_at < until,
                outbox.c.leased_to.is_(None) | (outbox.c.leased_to <= now),
                waits,
            )
            .values(next_at=until)
        )
