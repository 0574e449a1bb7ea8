"""The lines that are a commitment's own: what was paid for it, and what nobody used."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from spend.periods import Period
from store.commitment_slots import Sources
from store.tables.ledger import charges

OwnLine = tuple[datetime, str]
"""Slot and meter of a line that is a commitment's own."""

Own = Mapping[str, tuple[datetime, int]]
"""Meter -> the slot in which such a line belongs, and its owner."""


def own_lines(
    session: Session,
    tenant: int,
    sources: Sources,
    period: Period,
    own: Own,
) -> dict[OwnLine, tuple[Decimal, Decimal]]:
    """The lines of a commitment itself in a period: what is billed, and effective."""
    slots = [slot for slot, _owner_id in own.values()]
    at: ColumnElement[bool] = charges.c.slot.in_(slots)
    if not sources.is_open(period.start):
        # What belongs in closed time is posted in the first slot that was open then.
        within = and_(charges.c.slot >= period.start, charges.c.slot < period.end)
        at = and_(within, charges.c.owner_id.in_([owner_id for _slot, owner_id in own.values()]))
    found = session.execute(
        select(
            charges.c.slot,
            charges.c.meter,
            func.sum(charges.c.billed_amount),
            func.sum(charges.c.amount),
        )
        .where(
            charges.c.tenant_id == tenant,
            at,
            or_(
                charges.c.commitment_id == sources.commitment.id,
                and_(charges.c.commitment_id.in_(sources.replaced), sources.closed(charges.c.slot)),
            ),
            charges.c.meter.in_(list(own)),
        )
        .group_by(charges.c.slot, charges.c.meter)
    )
    return {(row[0], row[1]): (row[2], row[3]) for row in found}
