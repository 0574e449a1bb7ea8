"""Batches that wait to be rolled up."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from store.tables.heard import batches, sightings


@dataclass(frozen=True, slots=True)
class Claimed:
    """Batches that this transaction adds to the rollups."""

    ids: Sequence[int]
    sightings: int


def claim(
    session: Session, tenant: int, *, before: datetime, now: datetime, sightings_at_most: int
) -> Claimed:
    """Marks the oldest waiting batches received up to ``before`` as rolled up, and answers them.

    Whoever can see a batch sees all of it, as it was written in one transaction; and as the mark
    is set in the transaction that adds it to the rollups, each batch is added once, whatever dies
    when. Takes at least one batch, and no more than hold ``sightings_at_most`` in all.
    """
    waiting = session.execute(
        select(batches.c.id, batches.c.stored)
        .where(
            batches.c.tenant_id == tenant,
            batches.c.rolled_at.is_(None),
            batches.c.received_at <= before,
        )
        .order_by(batches.c.id)
        .limit(10_000)
        .with_for_update(skip_locked=True)
    ).all()
    ids: list[int] = []
    held = 0
    for batch_id, stored in waiting:
        if ids and held + stored > sightings_at_most:
            break
        ids.append(batch_id)
        held += stored
    session.execute(
        update(batches)
        .where(batches.c.tenant_id == tenant, batches.c.id.in_(ids))
        .values(rolled_at=now)
    )
    return Claimed(ids, held)


def oldest_waiting(session: Session, tenant: int) -> datetime | None:
    """When the oldest batch that is not rolled up was received (UTC); None when none waits."""
    oldest: datetime | None = session.scalar(
        select(func.min(batches.c.received_at)).where(
            batches.c.tenant_id == tenant, batches.c.rolled_at.is_(None)
        )
    )
    return oldest


def days_of(session: Session, tenant: int, ids: Sequence[int]) -> tuple[date, date] | None:
    """The first and the last day (UTC) of the sightings in these batches; None without any."""
    first: date | None
    last: date | None
    first, last = session.execute(
        select(func.min(sightings.c.day), func.max(sightings.c.day)).where(
            sightings.c.tenant_id == tenant, sightings.c.batch_id.in_(ids)
        )
    ).one()
    return (first, last) if first is not None and last is not None else None


def newest(session: Session, tenant: int) -> datetime | None:
    """When the newest waiting batch was received (UTC); None when none waits."""
    latest: datetime | None = session.scalar(
        select(func.max(batches.c.received_at)).where(
            batches.c.tenant_id == tenant, batches.c.rolled_at.is_(None)
        )
    )
    return latest
