"""When lines of the ledger are booked: in the slot that says so, else in that of their usage."""

from datetime import date, datetime

from sqlalchemy import ColumnElement, Date, FromClause, and_, cast, func, or_

from spend.periods import Period


def day_of(moment: ColumnElement[datetime]) -> ColumnElement[date]:
    """The UTC day of a moment."""
    return cast(func.timezone("UTC", moment), Date)


def month_of(moment: ColumnElement[datetime]) -> ColumnElement[date]:
    """The first day of the UTC month of a moment."""
    return cast(func.date_trunc("month", func.timezone("UTC", moment)), Date)


def booked_time(rows: FromClause) -> ColumnElement[datetime]:
    """When lines are booked."""
    return func.coalesce(rows.c.booked_slot, rows.c.slot)


def booked_in(rows: FromClause, period: Period) -> ColumnElement[bool]:
    """Which lines are booked in a period, as its indexes can find them."""
    return or_(
        and_(rows.c.booked_slot.is_(None), within(rows.c.slot, period)),
        # Said on its own, as the index of the few lines that have one holds no others.
        and_(rows.c.booked_slot.is_not(None), within(rows.c.booked_slot, period)),
    )


def within(moment: ColumnElement[datetime], period: Period) -> ColumnElement[bool]:
    """Whether a moment is in a period."""
    return and_(moment >= period.start, moment < period.end)
