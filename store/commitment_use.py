"""How far commitments are used, by period: from what is kept by quarter hours, not from charges."""

from collections.abc import Sequence
from decimal import Decimal

from sqlalchemy import ColumnElement, DateTime, Integer, func, literal, or_, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from spend.commitment_use import Use
from spend.commitments import PART, Commitment
from spend.periods import Period
from store import closing, commitments
from store.tables.commitments import commitment_slots


def used(
    session: Session, tenant: int, commitment: Commitment, periods: Sequence[Period]
) -> list[Use]:
    """How far each of these periods is used, which follow one another."""
    if not periods:
        return []
    open_from = closing.open_from(session, tenant)
    whose: ColumnElement[bool] = commitment_slots.c.commitment_id == commitment.id
    if open_from is not None:
        # In closed time what it replaced still covers what it did.
        every = commitments.all_commitments(session, tenant)
        before = commitment_slots.c.commitment_id.in_(commitments.replaced(commitment, every))
        whose = or_(whose, before & (commitment_slots.c.slot < open_from))
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
            whose,
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
