"""Which month the overview shows, how far it has come, and what it is compared with."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from spend.periods import Month, Period, days_in, local_day, month_of, month_period
from spend.slots import slot_of


@dataclass(frozen=True, slots=True)
class ShownMonth:
    """A month of a zone, as it is known through a moment."""

    month: Month
    zone: ZoneInfo
    through: datetime
    """UTC, on a quarter hour: what came before is compared. Of a month that is over, its end."""
    now: datetime
    """UTC."""

    @property
    def period(self) -> Period:
        """All of it."""
        return month_period(self.month, self.zone)

    @property
    def is_present(self) -> bool:
        """Whether it goes on."""
        return self.period.start <= self.now < self.period.end

    @property
    def days(self) -> list[date]:
        """Its local days, also those to come."""
        return list(days_in(self.period, self.zone))

    @property
    def today(self) -> date | None:
        """The local day that goes on, if it is of this month."""
        return local_day(self.now, self.zone) if self.is_present else None

    @property
    def asked(self) -> dict[str, str]:
        """Parameters that ask another page for the same time."""
        following = self.month.plus(1).first_day
        return {"from_": str(self.month.first_day), "to": str(following)}

    @property
    def before(self) -> Period:
        """All of the month before."""
        return month_period(self.month.plus(-1), self.zone)

    @property
    def same_part(self) -> Period:
        """As much of the month before: until the same day and time, or its end if that is first."""
        before = self.before
        if self.through >= self.period.end:
            return before
        here = self.through.astimezone(self.zone)
        day = self.month.plus(-1).first_day + timedelta(days=here.day - 1)
        then = datetime.combine(day, here.time(), self.zone).astimezone(UTC)
        return Period(before.start, min(slot_of(then), before.end))


def shown_month(
    month: Month, zone: ZoneInfo, now: datetime, complete_until: datetime | None
) -> ShownMonth:
    """``complete_until`` (UTC): everything heard before is counted; None: not known."""
    period = month_period(month, zone)
    known = min(now, complete_until or now)
    through = min(max(slot_of(known), period.start), period.end)
    return ShownMonth(month, zone, through, now)


def present_month(now: datetime, zone: ZoneInfo) -> Month:
    """The month that goes on."""
    return month_of(now, zone)
