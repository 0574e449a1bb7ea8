"""Whether anything was ever heard: what a first page asks on every look, so it costs nothing."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from store.tables.heard import batches
from store.tables.ledger import charges
from store.tables.rollups import cells


@dataclass(frozen=True, slots=True)
class Heard:
    """Spans, before the first call is counted."""

    spans: int = 0
    stored: int = 0
    """Calls among them."""
    not_a_call: int = 0
    refused: int = 0


def anything_counted(session: Session, tenant: int) -> bool:
    """Whether there is money that reports show, or a call whose charge is not still to come."""
    money = select(charges.c.tenant_id).where(charges.c.tenant_id == tenant).limit(1)
    if session.scalar(money) is not None:
        return True
    settled = select(cells.c.tenant_id).where(cells.c.tenant_id == tenant, cells.c.charged).limit(1)
    return session.scalar(settled) is not None


def first_counted(session: Session, tenant: int) -> datetime | None:
    """The quarter hour (UTC) of the first call that reports show; None: there is none."""
    found: datetime | None = session.scalar(
        select(func.min(cells.c.slot)).where(cells.c.tenant_id == tenant)
    )
    return found


def heard_so_far(session: Session, tenant: int) -> Heard:
    """All that was heard. Only while nothing is counted: it reads every batch."""
    sums = (batches.c.heard, batches.c.stored, batches.c.not_a_call, batches.c.refused)
    asked = select(*(func.coalesce(func.sum(each), 0) for each in sums))
    row = session.execute(asked.where(batches.c.tenant_id == tenant)).one()
    return Heard(*(int(each) for each in row))
