"""Reads past spend, and walks budgets through it: what they would have told."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from spend.budgets.budget_periods import period_of
from spend.budgets.budget_preview import Message, Spent, walked
from spend.budgets.budgets import Terms
from spend.budgets.preview_forecasts import Past, forecasts_of
from spend.periods import Period, months_ago
from spend.slots import slot_of
from store.budgets.day_series import DAYS, day_series
from store.completeness import complete_until
from store.spending.slots_spent import slots_spent

_DAY: Final = timedelta(days=1)
_OF_HOURS: Final = 14 * _DAY
"""Before a walk, for the hours by which its first forecasts go."""


def preview(
    session: Session, tenant: int, budgets: Sequence[Terms], months: int, now: datetime
) -> tuple[list[Message], list[Period]]:
    """What budgets would have told in the last months, in order, and the time of each one's walk.

    A walk begins with the period that was ``months`` ago, and ends with the last whole quarter
    hour of which everything heard is known. Terms whose dimensions and zones were checked.
    """
    until = slot_of(min(now, complete_until(session) or now))
    spans = [_span(each, months, until) for each in budgets]
    alike: dict[Period, list[Terms]] = defaultdict(list)
    for terms, span in zip(budgets, spans, strict=True):
        alike[span].append(terms)
    found: list[Message] = []
    for span, some in alike.items():
        found += _walked(session, tenant, some, span, now)
    return sorted(found, key=lambda each: (each.at, each.budget)), spans


def _span(terms: Terms, months: int, until: datetime) -> Period:
    ago = months_ago(months, until, ZoneInfo(terms.timezone))
    period = period_of(terms, ago)
    return Period(ago if period is None else period.start, until)


def _walked(
    session: Session, tenant: int, some: Sequence[Terms], span: Period, now: datetime
) -> list[Message]:
    asked = [(each.filter, each.currency) for each in some]
    read = Period(span.start - _OF_HOURS, span.end)
    slots = slots_spent(session, tenant, asked, read, now=now)
    last = span.start.astimezone(UTC).date() - _DAY
    currencies = {each.currency for each in some}
    filters = [each.filter for each in some]
    series = day_series(session, tenant, filters, currencies, last=last, now=now)
    pasts = [
        Past(last - (DAYS - 1) * _DAY, series[each.currency].days.on(each.filter), its)
        for each, its in zip(some, slots, strict=True)
    ]
    expected = forecasts_of(list(zip(some, pasts, strict=True)), span)
    return [
        message
        for terms, its, forecasts in zip(some, slots, expected, strict=True)
        for message in walked(terms, Spent(its), span, forecasts)
    ]
