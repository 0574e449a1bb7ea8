"""What a budget would have told: a walk through past spend, by the time of use.

Each quarter hour it is compared as the job ``budgets`` compares it, had it been set when the walk
begins and had everything been known at once. In truth calls come late and prices are corrected:
the job would have told some of it later.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time
from decimal import Decimal
from itertools import accumulate
from typing import Final

from spend.budgets.budget_periods import period_of
from spend.budgets.budget_states import Change, Key, Measure, Recorded, changes
from spend.budgets.budgets import Terms
from spend.budgets.pace import Pace, pace, window_of
from spend.budgets.rollover import limit, rolled_in
from spend.forecasts.forecast import Forecast
from spend.money import EXACT
from spend.periods import Period
from spend.slots import SLOT

Expected = Mapping[datetime, Callable[[Decimal], Forecast | None]]
"""By the moments at which a forecast is made: what it is, of what was spent until then."""

_MIDNIGHT: Final = time()


@dataclass(frozen=True, slots=True)
class Message:
    """Something that would have been told."""

    at: datetime
    """UTC: the end of the quarter hour by whose spend it was."""
    budget: str
    change: Change
    period: Period
    spent: Decimal
    limit: Decimal
    """With what was rolled in."""
    expected: Decimal | None = None
    """Of a forecast: what the period was expected to come to."""
    pace: int | None = None
    """Of a pace: percent of the even rate."""


class Spent:
    """What was spent in quarter hours, to be added up between any two of their bounds."""

    def __init__(self, slots: Mapping[datetime, Decimal]) -> None:
        self._starts = sorted(slots)
        amounts = (slots[each] for each in self._starts)
        self._sums = [Decimal(0), *accumulate(amounts, EXACT.add)]

    def between(self, start: datetime, end: datetime) -> Decimal:
        """In the quarter hours from one moment to another."""
        return EXACT.subtract(self._sums[self.count(end)], self._sums[self.count(start)])

    def count(self, moment: datetime) -> int:
        """How many quarter hours with spend began before a moment."""
        return bisect_left(self._starts, moment)


@dataclass(slots=True)
class _Period:
    """The period that a walk is in."""

    period: Period
    rolled_in: Decimal
    known: dict[Key, Recorded]
    forecast: Forecast | None = None
    looked_at: int = -1
    """How many quarter hours had been spent in, when it was compared last."""

    def steady(self, terms: Terms) -> bool:
        """Whether nothing changes by time alone."""
        quiet = any(each.quiet for each in self.known.values())
        return not terms.pace_thresholds and terms.remind_hours is None and not quiet


def forecast_moments(terms: Terms, span: Period) -> dict[datetime, Period]:
    """When forecasts are made in a walk, and of which period: at midnights (UTC) and its start."""
    found: dict[datetime, Period] = {}
    if not terms.forecast_thresholds:
        return found
    held: Period | None = None
    for now in _quarters(span):
        if held is None or now >= held.end or now.time() == _MIDNIGHT:
            present = period_of(terms, now)
            if present is not None and (present != held or now.time() == _MIDNIGHT):
                found[now] = present
            held = present
    return found


def walked(terms: Terms, spent: Spent, span: Period, expected: Expected) -> Iterator[Message]:
    """What a budget would have told in a time (UTC, on quarter hours), in order."""
    held: _Period | None = None
    for now in _quarters(span):
        if held is None or now >= held.period.end:
            if held is not None:
                yield from _ended(terms, held, spent, now)
            held = _next(terms, held, spent, now)
        if held is None:
            continue
        made = expected.get(now)
        if made is not None:
            held.forecast = made(spent.between(held.period.start, now))
        count = spent.count(now)
        if held.steady(terms) and count == held.looked_at and made is None:
            continue
        held.looked_at = count
        yield from _compared(terms, held, spent, now)


def _quarters(span: Period) -> Iterator[datetime]:
    """The ends of a time's quarter hours."""
    now = span.start.astimezone(UTC) + SLOT
    while now <= span.end:
        yield now
        now += SLOT


def _next(terms: Terms, before: _Period | None, spent: Spent, now: datetime) -> _Period | None:
    period = period_of(terms, now)
    if period is None:
        return None
    rolled = Decimal(0)
    if before is not None and before.period.end == period.start:
        ended = before.period
        had = limit(terms.amount, before.rolled_in)
        rolled = rolled_in(had, spent.between(ended.start, ended.end), terms.rollover_cap)
    return _Period(period, rolled, {})


def _ended(terms: Terms, held: _Period, spent: Spent, now: datetime) -> Iterator[Message]:
    """A period that has ended is compared once more, with all that was spent in it."""
    whole = spent.between(held.period.start, held.period.end)
    measure = Measure(whole, limit(terms.amount, held.rolled_in), present=False)
    yield from _told(terms, held, measure, now)


def _compared(terms: Terms, held: _Period, spent: Spent, now: datetime) -> Iterator[Message]:
    until_now = spent.between(held.period.start, now)
    whole = limit(terms.amount, held.rolled_in)
    found = _pace(terms, held.period, whole, spent, now)
    measure = Measure(until_now, whole, present=True, forecast=held.forecast, pace=found)
    yield from _told(terms, held, measure, now)


def _pace(terms: Terms, period: Period, whole: Decimal, spent: Spent, now: datetime) -> Pace | None:
    window = window_of(period, now) if terms.pace_thresholds and whole > 0 else None
    if window is None:
        return None
    return pace(
        limit=whole,
        spent=spent.between(period.start, now),
        period=period,
        window=window,
        of=spent.between(window.start, window.end),
    )


def _told(terms: Terms, held: _Period, measure: Measure, now: datetime) -> Iterator[Message]:
    for change in list(changes(measure, terms, held.known, now)):
        held.known[change.kind, change.threshold] = change.after(now)
        if not change.told:
            continue
        yield Message(
            at=now,
            budget=terms.name,
            change=change,
            period=held.period,
            spent=measure.spent,
            limit=measure.limit,
            expected=None if measure.forecast is None else measure.forecast.expected,
            pace=None if measure.pace is None else measure.pace.percent,
        )
