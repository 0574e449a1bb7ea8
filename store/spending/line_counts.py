"""How many lines the ledger has of a time: as none is ever removed, as many lines are the same."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from spend.periods import Period
from store.breakdowns.booked_time import within
from store.spending.booked_lines import DAY, MONEY, TAKEN_IN, Lines, summed_to


def lines_of_use(session: Session, tenant: int, period: Period) -> tuple[int, int]:
    """Of money and of usage, used in a period (UTC) or on the rest of its first and last day.

    From sums of days: what is not in them yet, or was booked later than used, is counted.
    """
    return _counted(session, MONEY, tenant, period), _counted(session, TAKEN_IN, tenant, period)


def _counted(session: Session, lines: Lines, tenant: int, period: Period) -> int:
    rows, days = lines.rows, lines.days
    known = summed_to(session, lines, tenant)
    used = (rows.c.tenant_id == tenant, within(rows.c.slot, period))
    late = rows.c.booked_slot.is_not(None)
    first, last = period.start.date(), (period.end + DAY).date()
    parts = (
        select(func.sum(days.c.lines)).where(
            days.c.tenant_id == tenant, days.c.day >= first, days.c.day < last
        ),
        select(func.count()).where(*used, ~late, rows.c.id > known),
        select(func.count()).where(*used, late, rows.c.booked_slot >= period.start),
    )
    return sum(int(session.scalar(each) or 0) for each in parts)
