"""The time that a page of calls is about: the last hour, day, week or month, or two bounds."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Final, Literal

from pydantic import Field

from api.grouping import PeriodAsked, checked
from api.pages.asked import PageAsked, Text
from api.pages.visitor import Visitor
from spend.capacity.pools import hour_of
from spend.periods import Period, day_start, local_day
from spend.slots import SLOT, slot_of

LAST: Final = {
    "1h": "Last hour",
    "24h": "Last 24 hours",
    "7d": "Last 7 days",
    "30d": "Last 30 days",
}
_LENGTHS: Final = {
    "1h": timedelta(hours=1),
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
}
_DAYS: Final = {"7d": 7, "30d": 30}
_FEW_HOURS: Final = timedelta(hours=6)
_FEW_DAYS: Final = timedelta(days=3)


class LatelyAsked(PageAsked):
    """Which time."""

    last: Literal["1h", "24h", "7d", "30d"] | None = None
    from_: Annotated[Text | None, Field(alias="from")] = None
    to: Text | None = None


@dataclass(frozen=True, slots=True)
class Lately:
    """A time, on quarter hours."""

    period: Period
    last: str | None
    """One of LAST; None: two bounds were asked for."""
    start: str
    end: str
    """The bounds as they were asked for; empty where none were."""

    @property
    def before(self) -> Period:
        """The time before, as long: of days up to the same hour, of a week by its weekdays."""
        length = self.period.end - self.period.start
        back = _LENGTHS.get(self.last or "", length)
        return Period(self.period.start - back, self.period.end - back)

    @property
    def piece(self) -> str:
        """What a chart cuts it by: ``quarter``, ``hour`` or ``day``."""
        length = self.period.end - self.period.start
        if length <= _FEW_HOURS:
            return "quarter"
        return "hour" if length <= _FEW_DAYS else "day"

    @property
    def asked(self) -> dict[str, str]:
        """Parameters that ask another page for the same time."""
        return {"last": self.last} if self.last else {"from_": self.start, "to": self.end}


def lately(visitor: Visitor, query: LatelyAsked, *, default: str) -> Lately:
    """The time that a page is asked for, in the visitor's zone. Problem 422."""
    if query.last is None and (query.from_ or query.to):
        given = {"from": query.from_, "to": query.to}
        asked = checked(
            PeriodAsked.model_validate(given),
            default_zone=visitor.zone,
            now=visitor.now,
            caller=visitor.caller,
            on_slots=False,
        )
        period = asked.question.period
        period = Period(slot_of(period.start), _next_slot(period.end))
        return Lately(period, None, asked.start, asked.end)
    last = query.last or default
    end = _next_slot(visitor.now)
    if last in _DAYS:
        first = local_day(visitor.now, visitor.zone) - timedelta(days=_DAYS[last] - 1)
        start = day_start(first, visitor.zone)
    else:
        start = end - _LENGTHS[last]
        # Whole hours, for a chart of hours.
        start = hour_of(start) if last == "24h" else start
    return Lately(Period(start, end), last, "", "")


def _next_slot(moment: datetime) -> datetime:
    """The end of the slot that holds a moment, or the moment where one begins."""
    begun = slot_of(moment)
    return moment if begun == moment else begun + SLOT
