"""How much of a time can be read line by line, without anybody waiting for it."""

from datetime import UTC, datetime, time, timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from spend.periods import Period
from store.spending.booked_lines import Lines

_DAY: Final = timedelta(days=1)


def tail_of(session: Session, lines: Lines, tenant: int, period: Period, *, at_most: int) -> Period:
    """The last days (UTC) of a period that have about ``at_most`` lines; one day at least.

    By the sums of days: the last day may have more. All of the period where it has no more.
    """
    days = lines.days
    count = func.sum(days.c.lines)
    rows = session.execute(
        select(days.c.day, count)
        .where(
            days.c.tenant_id == tenant,
            days.c.day >= period.start.astimezone(UTC).date(),
            days.c.day < (period.end.astimezone(UTC) + _DAY).date(),
        )
        .group_by(days.c.day)
        .order_by(days.c.day.desc())
    )
    total = 0
    for place, (day, found) in enumerate(rows):
        total += int(found)
        if place and total > at_most:
            start = datetime.combine(day, time(), UTC) + _DAY
            return Period(max(start, period.start), period.end)
    return period
