"""The time that a page is about: a month, or from one day until another."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import Field

from api.grouping import PeriodAsked, checked, wrong
from api.pages.asked import PageAsked, Text
from api.pages.visitor import Visitor
from spend.periods import Month, Period, days_in, month_of, parse_month

MONTHS_OFFERED = 13
"""The present one and a year before it."""


class RangeAsked(PageAsked):
    """Which time: a month, or two days; else the present month."""

    month: Annotated[Text | None, Field(description="Such as 2026-10.")] = None
    from_: Annotated[Text | None, Field(alias="from", description="The first day.")] = None
    to: Annotated[Text | None, Field(description="The day after the last one.")] = None


@dataclass(frozen=True, slots=True)
class Range:
    """The time that was asked for."""

    period: Period
    month: str | None
    """Its name; None: it is not a month."""
    start: str
    end: str
    """Its bounds as they were asked for, exclusive at the end."""
    offered: tuple[str, ...]
    """Months to choose from, the latest first."""

    @property
    def asked(self) -> dict[str, str]:
        """Parameters that ask another page for the same time."""
        return {"month": self.month} if self.month else {"from_": self.start, "to": self.end}

    @property
    def bounds(self) -> dict[str, str]:
        """The same for pages that know no months."""
        return {"from_": self.start, "to": self.end}

    @property
    def file(self) -> str:
        """For names of files."""
        return self.month or f"{self.start[:10]}-{self.end[:10]}"


def days_of(asked: Range, zone: ZoneInfo) -> tuple[date, ...]:
    """The local days of a range, also those to come."""
    return tuple(days_in(asked.period, zone))


def name_of(asked: Range, visitor: Visitor) -> str:
    """How people call a range."""
    if asked.month:
        return visitor.formats.month(asked.month)
    days = days_of(asked, visitor.zone)
    return f"{visitor.formats.day(days[0])} to {visitor.formats.day(days[-1])}"


def range_of(visitor: Visitor, query: RangeAsked) -> Range:
    """The time that a page is asked for, in the visitor's zone. Problem 422."""
    now = month_of(visitor.now, visitor.zone)
    offered = tuple(str(now.plus(-back)) for back in range(MONTHS_OFFERED))
    if query.month is None and (query.from_ or query.to):
        start, end, month = query.from_, query.to, None
    else:
        chosen = asked_month(query.month) if query.month else now
        start, end = str(chosen.first_day), str(chosen.plus(1).first_day)
        month = str(chosen)
    given = {"from": start, "to": end}
    asked = checked(
        PeriodAsked.model_validate(given),
        default_zone=visitor.zone,
        now=visitor.now,
        caller=visitor.caller,
    )
    if month and month not in offered:
        offered = (*offered, month)
    return Range(asked.question.period, month, asked.start, asked.end, offered)


def asked_month(text: str) -> Month:
    """The month that ``month=`` names, such as 2026-10. Problem 422."""
    try:
        return parse_month(text)
    except ValueError as error:
        raise wrong("month", str(error)[:200]) from None
