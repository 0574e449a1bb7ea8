"""How far the ledger's books are closed, and in whose books a line is that is posted now.

What is *closed* are the slots before ``open_from``: the sums of their books do not move any more.
Every job works as if nothing were. A line of a closed slot is *booked* in the first slot that is
open, and so is a correction there of the time that it belongs to.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, DateTime, case, func, literal, null, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from spend.slots import is_slot_start
from store.tables.ledger import charges, usage_lines
from store.tables.pools import ledgers

_MOMENT = DateTime(timezone=True)


@dataclass(frozen=True, slots=True)
class Posting:
    """What holds for lines that one transaction posts."""

    at: datetime
    """When they are posted (UTC): never before a line that is there already."""
    open_from: datetime | None
    """Slots before this moment (UTC) are closed; None: everything is open."""

    def booked_slot(self, slot: datetime) -> datetime | None:
        """In whose books a line of ``slot`` is; None: in those of its slot."""
        closed = self.open_from is not None and slot < self.open_from
        return self.open_from if closed else None

    def booked(
        self, slot: ColumnElement[datetime], before: ColumnElement[Any] | None = None
    ) -> ColumnElement[Any]:
        """The same of slots in a table. ``before`` keeps what lines said, where that is open."""
        kept = null() if before is None else before
        if self.open_from is None:
            return func.coalesce(kept, literal(None, _MOMENT))
        first = literal(self.open_from, _MOMENT)
        return case((func.coalesce(kept, slot) < first, first), else_=kept)


def posting(session: Session, tenant: int, now: datetime) -> Posting:
    """What holds for lines that are posted ``now``, after lock_ledger.

    Lines are dated in the order of their ids, also where clocks differ: what was posted up to a
    moment is then what was known at it.
    """
    last = (
        select(table.c.posted_at)
        .where(table.c.tenant_id == tenant)
        .order_by(table.c.id.desc())
        .limit(1)
        .scalar_subquery()
        for table in (charges, usage_lines)
    )
    at, first = session.execute(
        select(
            func.greatest(literal(now, _MOMENT), *last),
            select(ledgers.c.open_from).where(ledgers.c.tenant_id == tenant).scalar_subquery(),
        )
    ).one()
    return Posting(at, first)


def open_from(session: Session, tenant: int) -> datetime | None:
    """Slots before this moment (UTC) are closed; None: everything is open."""
    return session.scalar(select(ledgers.c.open_from).where(ledgers.c.tenant_id == tenant))


def close(session: Session, tenant: int, until: datetime) -> None:
    """Closes the books before a quarter hour (UTC), after lock_ledger; never opens any."""
    new = insert(ledgers).values(tenant_id=tenant, open_from=_slot(until))
    later = func.greatest(ledgers.c.open_from, new.excluded.open_from)
    session.execute(
        new.on_conflict_do_update(index_elements=["tenant_id"], set_={"open_from": later})
    )


def reopen(session: Session, tenant: int, since: datetime | None) -> None:
    """Opens the books again from a quarter hour (UTC; None: all) on, after lock_ledger.

    What was booked later meanwhile stays where it is booked.
    """
    earlier = None if since is None else func.least(ledgers.c.open_from, _slot(since))
    session.execute(ledgers.update().values(open_from=earlier).where(ledgers.c.tenant_id == tenant))


def _slot(moment: datetime) -> datetime:
    if not is_slot_start(moment):
        raise ValueError(f"{moment} is no quarter hour: books open with one")
    return moment
