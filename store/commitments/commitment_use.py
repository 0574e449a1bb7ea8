"""How far commitments are used, by period: from what is kept by quarter hours, not from charges."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from sqlalchemy import DateTime, Integer, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from spend.commitments.commitment_use import Use
from spend.commitments.commitments import PART, Commitment
from spend.periods import Period
from store.breakdowns.booked_time import day_of
from store.tables.commitments import commitment_slots

_DAY: Final = timedelta(days=1)


def used(
    session: Session, tenant: int, commitment: Commitment, periods: Sequence[Period]
) -> list[Use]:
    """How far each of these periods is used, which follow one another."""
    if not periods:
        return []
    starts = literal([period.start for period in periods], ARRAY(DateTime(timezone=True)))
    piece = func.width_bucket(commitment_slots.c.slot, starts, type_=Integer)
    covered_last = commitment_slots.c.covers == PART
    rows = session.execute(
        select(
            piece,
            func.sum(commitment_slots.c.eligible),
            func.sum(commitment_slots.c.covered),
            func.sum(commitment_slots.c.effective),
            func.max(commitment_slots.c.slot).filter(covered_last),
        )
        .where(
            commitment_slots.c.tenant_id == tenant,
            commitment_slots.c.commitment_id == commitment.id,
            commitment_slots.c.slot < periods[-1].end,
        )
        .group_by(piece)
    )
    found = {row[0]: row[1:] for row in rows}
    nothing = (Decimal(0), Decimal(0), Decimal(0), None)
    return [
        Use(commitment, period, *found.get(number, nothing))
        for number, period in enumerate(periods, 1)
    ]


def daily(
    session: Session,
    tenant: int,
    commitment_id: int,
    first: datetime,
    until: datetime,
    *,
    covered: bool = False,
) -> list[Decimal]:
    """Usage that counts of each day from one midnight (UTC) to before another.

    ``covered``: only what of it the commitment covers.
    """
    day = day_of(commitment_slots.c.slot)
    counted = commitment_slots.c.covered if covered else commitment_slots.c.eligible
    rows = session.execute(
        select(day, func.sum(counted))
        .where(
            commitment_slots.c.tenant_id == tenant,
            commitment_slots.c.commitment_id == commitment_id,
            commitment_slots.c.slot >= first,
            commitment_slots.c.slot < until,
        )
        .group_by(day)
    )
    found = {row[0]: row[1] for row in rows}
    days = range((until - first) // _DAY)
    return [found.get((first + number * _DAY).date(), Decimal(0)) for number in days]
