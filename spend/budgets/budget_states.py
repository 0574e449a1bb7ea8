"""What changed of a budget since it was last compared, and in which state it is.

A crossing is of one kind: ``actual`` (spend has reached a threshold), ``forecast`` (the period is
expected to reach one), ``pace`` (it is spent so many per cent of the even rate).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, Literal

from spend.budgets.budgets import Terms, reached
from spend.budgets.pace import Pace
from spend.forecasts.forecast import Forecast

ACTUAL: Final = "actual"
FORECAST: Final = "forecast"
PACE: Final = "pace"

STATES: Final = ("ok", "warning", "over", "recovered")
"""What ``state`` says of a budget."""
BELOW: Final = 5
"""So many points below its threshold a forecast or a pace has recovered: they sway."""
TOLD_AGAIN_AFTER: Final = timedelta(days=7)
"""A forecast or a pace that is reached again is told so long after it was told last, not before:
both follow the week."""
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
    """How often it was told that it was reached again."""
    reminders: int = 0
    quiet: bool = False
    """It was reached again, and that was not told."""

    @property
    def open(self) -> bool:
        """Whether it still is so."""
        return self.recovered_at is None

    @property
    def told_at(self) -> datetime:
        """When it was told last that it is so."""
        return self.reminded_at or self.crossed_at


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
    """Something to be recorded."""

    what: Literal["crossed", "again", "recovered", "reminder"]
    kind: str
    threshold: int
    known: Recorded | None = None
    """The crossing that it is of; None: it is new."""
    told: bool = True
    """Whether somebody is told."""

    @property
    def level(self) -> str:
        """Of the crossing: ``over`` when all of a limit is spent, else ``warning``."""
        return "over" if self.kind == ACTUAL and self.threshold >= _ALL else "warning"

    def after(self, now: datetime) -> Recorded:
        """What is known of the crossing once the change is written (store/budgets/crossings.py)."""
        if self.known is None:
            return Recorded(0, self.kind, self.threshold, now)
        if self.what == "recovered":
            return replace(self.known, recovered_at=now)
        if self.what == "reminder":
            return replace(self.known, reminded_at=now, reminders=self.known.reminders + 1)
        if not self.told:
            return replace(self.known, recovered_at=None, quiet=True)
        return replace(
            self.known,
            recovered_at=None,
            acknowledged_at=None,
            reminded_at=now,
            again=self.known.again + 1,
            quiet=False,
        )


def changes(
    measure: Measure, terms: Terms, known: Mapping[Key, Recorded], now: datetime
) -> Iterator[Change]:
    """What is new of a period, beside what is known of the armed version's crossings in it.

    What is spent is told each time. A forecast that is reached again is told when that was not told
    for ``TOLD_AGAIN_AFTER``, even if it has been so for a while; until then neither is that it has
    recovered from it. A pace likewise, and that it has recovered never is.
    """
    for kind, threshold, is_reached, is_below in _judged(measure, terms):
        before = known.get((kind, threshold))
        if before is None:
            if is_reached:
                yield Change("crossed", kind, threshold)
        elif is_reached and (before.quiet or not before.open):
            told = kind == ACTUAL or now - before.told_at >= TOLD_AGAIN_AFTER
            if told or not before.open:
                yield Change("again", kind, threshold, before, told)
        elif is_below and before.open:
            told = kind == ACTUAL or (kind == FORECAST and not before.quiet)
            yield Change("recovered", kind, threshold, before, told)
    if measure.present and terms.remind_hours is not None:
        yield from _reminder(measure, terms, known, now, timedelta(hours=terms.remind_hours))


def state(measure: Measure, terms: Terms, known: Iterable[Recorded]) -> str:
    """``over``, ``warning``, ``recovered`` or ``ok``, by what is known of its crossings now.

    Over from 100 % on. A warning from the lowest threshold on, and while a forecast or a pace of
    the present period warns: of one that is not known any more nothing is said. Recovered: it did,
    and no longer does.
    """
    if measure.reaches(_ALL):
        return "over"
    ahead = {
        FORECAST: terms.forecast_thresholds if measure.forecast is not None else (),
        PACE: terms.pace_thresholds if measure.pace is not None else (),
    }
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
    if now >= before.told_at + every:
        yield Change("reminder", ACTUAL, highest, before)
