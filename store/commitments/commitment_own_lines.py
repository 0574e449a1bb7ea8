"""The lines that are a commitment's own: what was paid for it, and what nobody used."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from store.tables.ledger import charges

Own = Mapping[str, tuple[datetime, int]]
"""Meter -> the slot in which such a line belongs, and its owner."""


def own_lines(
    session: Session, tenant: int, commitment_id: int, own: Own
) -> dict[str, tuple[Decimal, Decimal]]:
    """Meter -> what stands of a commitment's own lines of a period: billed, and effective."""
    found = session.execute(
        select(charges.c.meter, func.sum(charges.c.billed_amount), func.sum(charges.c.amount))
        .where(
            charges.c.tenant_id == tenant,
            charges.c.slot.in_([slot for slot, _owner_id in own.values()]),
            charges.c.commitment_id == commitment_id,
            charges.c.meter.in_(list(own)),
        )
        .group_by(charges.c.meter)
    )
    return {row[0]: (row[1], row[2]) for row in found}
