"""The forecasts that a walk through past spend needs, each from what was spent until its moment."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial

import numpy as np

from spend.budgets.budget_preview import Expected, forecast_moments
from spend.budgets.budgets import Terms
from spend.budgets.day_series import HOURS, parts_of_day
from spend.budgets.outlooks import Asked, days_left, left_of, outlook_of
from spend.forecasts.forecast import Forecast
from spend.forecasts.seasonal import Ahead, ahead
from spend.forecasts.steadied import Floats
from spend.periods import Period

_OF_HOURS = 14
"""Days whose hours say which part of a day is left."""


@dataclass(frozen=True, slots=True)
class Past:
    """What was spent before a walk and in it, in UTC days."""

    first: date
    """Of ``before``."""
    before: Floats
    """Each day until the walk, as many as a forecast goes by."""
    slots: Mapping[datetime, Decimal]
    """Quarter hours from some days before the walk to its end."""


@dataclass(frozen=True, slots=True)
class _Moment:
    """A forecast that is made."""

    budget: int
    now: datetime
    period: Period


def forecasts_of(budgets: Sequence[tuple[Terms, Past]], span: Period) -> list[Expected]:
    """For each budget the forecasts that a walk through ``span`` needs.

    Those of as many days, of periods that are as old, are made together.
    """
    alike: dict[tuple[int, int], list[_Moment]] = defaultdict(list)
    for number, (terms, _) in enumerate(budgets):
        for now, period in forecast_moments(terms, span).items():
            days = days_left(period, now)
            elapsed = max(0, (days[0] - period.start.astimezone(UTC).date()).days)
            alike[len(days), elapsed].append(_Moment(number, now, period))
    found: list[dict[datetime, Callable[[Decimal], Forecast | None]]] = [{} for _ in budgets]
    tables = {
        number: _tables(budgets[number][1], span)
        for number in {each.budget for group in alike.values() for each in group}
    }
    for (horizon, elapsed), moments in sorted(alike.items()):
        known = [
            _until(*tables[each.budget], budgets[each.budget][1], each.now) for each in moments
        ]
        expected = ahead(np.stack([daily for daily, _ in known]), horizon, elapsed)
        for row, (each, (_, hours)) in enumerate(zip(moments, known, strict=True)):
            terms = budgets[each.budget][0]
            found[each.budget][each.now] = partial(_made, terms, each, expected, row, hours)
    return list(found)


def _made(
    terms: Terms, moment: _Moment, expected: Ahead, row: int, hours: Floats, spent: Decimal
) -> Forecast | None:
    period, now = moment.period, moment.now
    asked = Asked(0, 1, period, terms.filter, terms.currency, spent)
    left = left_of(period, now, days_left(period, now), parts_of_day(hours))
    return outlook_of(asked, expected, row, left, (now, now)).forecast


def _tables(past: Past, span: Period) -> tuple[Floats, Floats]:
    """Days from the first one on, and their hours as far as quarter hours are known."""
    walk = len(past.before)
    count = ((span.end.astimezone(UTC).date() - past.first).days) + 1
    hours = np.zeros((count, HOURS))
    for slot, amount in _in_order(past.slots):
        hours[(slot.date() - past.first).days, slot.hour] += float(amount)
    daily = hours.sum(axis=1)
    daily[:walk] = past.before
    return daily, hours


def _in_order(slots: Mapping[datetime, Decimal]) -> Iterable[tuple[datetime, Decimal]]:
    return ((slot.astimezone(UTC), slots[slot]) for slot in sorted(slots))


def _until(daily: Floats, hours: Floats, past: Past, now: datetime) -> tuple[Floats, Floats]:
    """The days that a forecast made at a moment goes by, and the hours of the last of them."""
    end = (now.astimezone(UTC).date() - past.first).days
    start = end - len(past.before)
    return daily[start:end], hours[max(0, end - _OF_HOURS) : end].sum(axis=0)
