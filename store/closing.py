"""How far the ledger's books are closed, and in whose books a line is that is posted now.

What is *closed* are the slots before ``open_from``: the sums of their books do not move any more.
Every job works as if nothing were. A line of a closed slot is *booked* in the first slot that is
open, and so is a correction there of the time that it belongs to.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, DateTime, and_, case, func, literal, null, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from spend.months.months import CLOSED, OPEN, SOFT_CLOSE
from spend.slots import is_slot_start
from store.tables.ledger import charges, usage_lines
from store.tables.months import month_acts, months
from store.tables.pools import ledgers

_MOMENT = DateTime(timezone=True)


class BooksClosedError(ValueError):
    """A line was to be booked where the books are closed for good: book it in an open month."""

    def __init__(self, said: datetime, closed_to: datetime) -> None:
        super().__init__(
            f"nothing can be booked at {said:%Y-%m-%dT%H:%MZ}:"
            f" the books before {closed_to:%Y-%m-%dT%H:%MZ} are closed"
        )


@dataclass(frozen=True, slots=True)
class Posting:
    """What holds for lines that one transaction posts."""

    at: datetime
    """When they are posted (UTC): never before a line that is there already."""
    open_from: datetime | None
    """Slots before this moment (UTC) are closed; None: everything is open."""
    closed_to: datetime | None = None
    """No line may be booked before this moment (UTC), not even one that says where it is to be."""

    def booked_slot(self, slot: datetime, said: datetime | None = None) -> datetime | None:
        """In whose books a line of ``slot`` is; None: in those of its slot.

        ``said``: what the line says itself, into a month that is soft-closed. Raises
        BooksClosedError.
        """
        if said is not None:
            if self.closed_to is not None and said < self.closed_to:
                raise BooksClosedError(said, self.closed_to)
            return said
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
    first = select(ledgers.c.open_from).where(ledgers.c.tenant_id == tenant)
    closed = select(func.max(months.c.ends)).where(
        months.c.tenant_id == tenant, months.c.state == CLOSED
    )
    found = session.execute(
        select(
            func.greatest(literal(now, _MOMENT), *last),
            first.scalar_subquery(),
            closed.scalar_subquery(),
        )
    )
    return Posting(*found.one())


def open_from(session: Session, tenant: int) -> datetime | None:
    """Slots before this moment (UTC) are closed; None: everything is open."""
    return session.scalar(select(ledgers.c.open_from).where(ledgers.c.tenant_id == tenant))


@dataclass(frozen=True, slots=True)
class ClosedTime:
    """A month that is closed, softly or for good."""

    end: datetime
    """UTC, exclusive; it begins where the one before ends, the first one with all that was."""
    closed_at: datetime
    """When its usage, prices and rules stopped."""


def closed_times(session: Session, tenant: int) -> list[ClosedTime]:
    """The months that are closed, in order."""
    # One that was closed at once has no other act.
    softly = func.max(month_acts.c.at).filter(month_acts.c.act == SOFT_CLOSE)
    rows = session.execute(
        select(months.c.ends, func.coalesce(softly, func.max(month_acts.c.at)))
        .join(
            month_acts,
            and_(month_acts.c.tenant_id == months.c.tenant_id, month_acts.c.month == months.c.name),
        )
        .where(months.c.tenant_id == tenant, months.c.state != OPEN)
        .group_by(months.c.ends)
        .order_by(months.c.ends)
    )
    return [ClosedTime(*row) for row in rows]


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
