"""Makes the terms of a budget from what somebody wrote, or says which field is wrong and why."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Final

from spend.budgets.alerting_terms import channels, filter_on, reminding
from spend.budgets.budget_periods import CUSTOM, FISCAL, KINDS
from spend.budgets.budgets import DEFAULT_THRESHOLDS, DIMENSIONS, OwnPeriod, Terms
from spend.channels.destinations import DestinationRefused, destination
from spend.checked_fields import (
    LONGEST_NAME,
    LONGEST_VALUE,
    TermsRefused,
    number,
    one_line,
    quoted,
)
from spend.currencies.currencies import CODES
from spend.fiscal import CALENDAR_YEAR, FiscalYear
from spend.periods import FIRST_YEAR, LAST_YEAR
from spend.zones import zone_named

MOST_THRESHOLDS: Final = 20
LARGEST_THRESHOLD: Final = 10_000
EVEN_RATE: Final = 100
"""As a pace: what lasts to the period's end."""
MOST_DAYS: Final = 3660
"""Of a custom period: ten years."""


def terms(
    *,
    name: str,
    filter: Mapping[str, Sequence[str]],  # noqa: A002  # the word of the API and the table
    amount: object,
    currency: str,
    period: str,
    timezone: str,
    thresholds: Sequence[int] = DEFAULT_THRESHOLDS,
    webhook_url: str | None = None,
    fiscal: FiscalYear = CALENDAR_YEAR,
    own_period: Mapping[str, object] | None = None,
    rollover_cap: object = None,
    parent_id: int | None = None,
    owner: str | None = None,
    forecast_thresholds: Sequence[int] = (),
    pace_thresholds: Sequence[int] = (),
    channel_ids: Sequence[int] = (),
    remind_hours: int | None = None,
    allow_private: bool,
) -> Terms:
    """Terms that make sense by themselves; TermsRefused otherwise.

    ``amount`` and ``rollover_cap`` are strings or integers of the currency. ``fiscal`` is how
    fiscal years are cut, should its period be of one. ``own_period`` has ``starts_on`` and one of
    ``days`` and ``ends_on``; dates may be text. Whether the parent and the channels are there is
    for the store to say.
    """
    if currency not in CODES:
        raise TermsRefused("currency", f"{quoted(currency)} is no currency code of ISO 4217")
    if period not in KINDS:
        raise TermsRefused("period", f"{quoted(period)} is not one of {', '.join(KINDS)}")
    own = _own_period(own_period, period)
    return Terms(
        name=one_line(name),
        filter=filter_on(filter, DIMENSIONS),
        amount=number(amount, "amount"),
        currency=currency,
        period=period,
        timezone=_timezone(timezone),
        thresholds=_thresholds(thresholds, "thresholds"),
        webhook_url=None if webhook_url is None else _webhook(webhook_url, allow_private),
        fiscal=fiscal if period in FISCAL else CALENDAR_YEAR,
        own_period=own,
        rollover_cap=_rollover_cap(rollover_cap, own),
        parent_id=parent_id,
        owner=None if owner is None else one_line(owner, "owner", LONGEST_VALUE),
        forecast_thresholds=_thresholds(forecast_thresholds, "forecast_thresholds"),
        pace_thresholds=_paces(pace_thresholds),
        channel_ids=channels(channel_ids),
        remind_hours=reminding(remind_hours),
    )


def _own_period(said: Mapping[str, object] | None, period: str) -> OwnPeriod | None:
    if period != CUSTOM:
        if said is not None:
            raise TermsRefused("own_period", f"is of the period {CUSTOM}, this one is {period}")
        return None
    said = said or {}
    for name in said:
        if name not in {"starts_on", "days", "ends_on"}:
            reason = "there are starts_on, and days or ends_on"
            raise TermsRefused(f"own_period.{name}"[:LONGEST_NAME], reason)
    starts_on = _day(said.get("starts_on"), "own_period.starts_on")
    if starts_on is None:
        raise TermsRefused("own_period.starts_on", f"a {CUSTOM} period starts on a day")
    days = said.get("days")
    ends_on = _day(said.get("ends_on"), "own_period.ends_on")
    if (days is None) == (ends_on is None):
        reason = (
            "one of the two: days, after which the next begins, or ends_on, the last day of one"
        )
        raise TermsRefused("own_period.days", reason)
    if ends_on is not None:
        if not 0 <= (ends_on - starts_on).days < MOST_DAYS:
            reason = f"not before it starts, and at most {MOST_DAYS} days after"
            raise TermsRefused("own_period.ends_on", reason)
        return OwnPeriod(starts_on, ends_on=ends_on)
    if isinstance(days, bool) or not isinstance(days, int) or not 0 < days <= MOST_DAYS:
        raise TermsRefused("own_period.days", f"a whole number from 1 to {MOST_DAYS}")
    return OwnPeriod(starts_on, days=days)


def _day(said: object, field: str) -> date | None:
    if said is None:
        return None
    try:
        # A moment of TOML is a date too, to Python.
        day = date.fromisoformat(str(said)) if len(str(said)) == len("2026-11-01") else None
    except ValueError:
        day = None
    if day is None or not FIRST_YEAR <= day.year < LAST_YEAR:
        raise TermsRefused(field, "a day such as 2026-11-01")
    return day


def _rollover_cap(said: object, own: OwnPeriod | None) -> Decimal | None:
    if said is None:
        return None
    if own is not None and own.ends_on is not None:
        reason = "there is one period alone: nothing follows that could take what it leaves over"
        raise TermsRefused("rollover_cap", reason)
    return number(said, "rollover_cap")


def _timezone(name: str) -> str:
    try:
        return zone_named(name).key
    except ValueError as unknown:
        raise TermsRefused("timezone", str(unknown)) from None


def _thresholds(thresholds: Sequence[int], field: str) -> tuple[int, ...]:
    if len(thresholds) > MOST_THRESHOLDS:
        raise TermsRefused(field, f"at most {MOST_THRESHOLDS}")
    for each in thresholds:
        if not 0 < each <= LARGEST_THRESHOLD:
            reason = f"percentages are whole numbers from 1 to {LARGEST_THRESHOLD}"
            raise TermsRefused(field, reason)
    if len(set(thresholds)) < len(thresholds):
        raise TermsRefused(field, "a percentage is there twice")
    return tuple(sorted(thresholds))


def _paces(thresholds: Sequence[int]) -> tuple[int, ...]:
    found = _thresholds(thresholds, "pace_thresholds")
    if found and found[0] <= EVEN_RATE:
        reason = f"above {EVEN_RATE}, which is the even rate: at 200 it lasts half the period"
        raise TermsRefused("pace_thresholds", reason)
    return found


def _webhook(url: str, allow_private: bool) -> str:
    try:
        destination(url, allow_private=allow_private)
    except DestinationRefused as refused:
        raise TermsRefused("webhook_url", str(refused)) from None
    return url
