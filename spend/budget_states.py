"""What changed of a budget since it was last compared, and in which state it is.

A crossing is of one kind: ``actual`` (spend has reached a threshold), ``forecast`` (the period is
expected to reach one), ``pace`` (it is spent so many per cent of the even rate).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, Literal

from spend.budgets import Terms, reached
from spend.forecast import Forecast
from spend.pace import Pace

ACTUAL: Final = "actual"
FORECAST: Final = "forecast"
PACE: Final = "pace"

BELOW: Final = 5
"""So many points below its threshold a forecast or a pace has recovered: they sway."""
_ALL: Final = 100


@dataclass(frozen=True, slots=True)
class Recorded:
    """A crossing that is known. Times are UTC."""

    id: int
    kind: str
    threshold: int
    """Percent."""
    crossed_at: datetime
    recovered_at: datetime | None = None
    acknowledged_at: datetime | None = None
    reminded_at: datetime | None = None
    again: int = 0
    """How often it was reached again."""
    reminders: int = 0

    @property
    def open(self) -> bool:
        """Whether it still is so."""
        return self.recovered_at is None


Key = tuple[str, int]
"""Kind and threshold."""


@dataclass(frozen=True, slots=True)
class Measure:
    """What a period of a budget is judged by."""

    spent: Decimal
    limit: Decimal
    present: bool
    """The period goes on."""
    forecast: Forecast | None = None
    pace: Pace | None = None

    def reaches(self, percent: int) -> bool:
        """Whether so many per cent of the limit are spent."""
        return bool(reached(self.spent, self.limit, (percent,)))


@dataclass(frozen=True, slots=True)
class Change:
    """Something to be recorded and told."""

    what: Literal["crossed", "again", "recovered", "reminder"]
    kind: str
    threshold: int
    known: Recorded | None = None
    """The crossing that it is of; None: it is new."""

    @property
    def level(self) -> str:
        """Of the crossing: ``over`` when all of a limit is spent, else ``warning``."""
        return "over" if self.kind == ACTUAL and self.threshold >= _ALL else "warning"


def changes(
    measure: Measure, terms: Terms, known: Mapping[Key, Recorded], now: datetime
) -> Iterator[Change]:
    """What is new of a period, beside what is known of the armed version's crossings in it."""
    for kind, threshold, is_reached, is_below in _judged(measure, terms):
        before = known.get((kind, threshold))
        if is_reached and before is None:
            yield Change("crossed", kind, threshold)
        elif is_reached and before is not None and not before.open:
            yield Change("again", kind, threshold, before)
        elif is_below and before is not None and before.open:
            yield Change("recovered", kind, threshold, before)
    if measure.present and terms.remind_hours is not None:
        yield from _reminder(measure, terms, known, now, timedelta(hours=terms.remind_hours))


def state(measure: Measure, terms: Terms, known: Iterable[Recorded]) -> str:
    """``over``, ``warning``, ``recovered`` or ``ok``, by what is known of its crossings now.

    Over from 100 % on. A warning from the lowest threshold on, and while a forecast or a pace of
    the present period warns. Recovered: it did, and no longer does.
    """
    if measure.reaches(_ALL):
        return "over"
    ahead = {FORECAST: terms.forecast_thresholds, PACE: terms.pace_thresholds}
    crossings = list(known)
    warns = reached(measure.spent, measure.limit, terms.thresholds) or (
        measure.present
        and any(each.open and each.threshold in ahead.get(each.kind, ()) for each in crossings)
    )
    if warns:
        return "warning"
    return "recovered" if any(not each.open for each in crossings) else "ok"


def _judged(measure: Measure, terms: Terms) -> Iterator[tuple[str, int, bool, bool]]:
    """Kind, threshold, whether it is reached, whether it is so far below that it has recovered."""
    for each in terms.thresholds:
        yield ACTUAL, each, measure.reaches(each), not measure.reaches(each)
    if not measure.present or measure.limit <= 0:
        return
    if measure.forecast is not None:
        expected, limit = measure.forecast.expected, measure.limit
        for each in terms.forecast_thresholds:
            # What is spent already is no longer expected: that is another crossing.
            is_reached = bool(reached(expected, limit, (each,))) and not measure.reaches(each)
            yield FORECAST, each, is_reached, not reached(expected, limit, (each - BELOW,))
    if measure.pace is not None:
        found = measure.pace
        for each in terms.pace_thresholds:
            is_reached = found.judged and found.percent >= each and not measure.reaches(_ALL)
            yield PACE, each, is_reached, found.percent < each - BELOW


def _reminder(
    measure: Measure,
    terms: Terms,
    known: Mapping[Key, Recorded],
    now: datetime,
    every: timedelta,
) -> Iterator[Change]:
    """Of the highest threshold that is reached alone: who knows of it knows of the others."""
    highest = max((each for each in terms.thresholds if measure.reaches(each)), default=None)
    if highest is None:
        return
    before = known.get((ACTUAL, highest))
    if before is None or not before.open or before.acknowledged_at is not None:
        return
    if now >= (before.reminded_at or before.crossed_at) + every:
        yield Change("reminder", ACTUAL, highest, before)
