"""Makes the terms of a budget from what somebody wrote, or says which field is wrong and why."""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from spend.budget_periods import FISCAL, KINDS
from spend.budgets import DEFAULT_THRESHOLDS, DIMENSIONS, Filter, Terms
from spend.currencies import CODES
from spend.destinations import DestinationRefused, destination
from spend.fiscal import CALENDAR_YEAR, FiscalYear
from spend.providers import DEPLOYMENTS
from spend.zones import zone_named

LONGEST_NAME: Final = 100
LONGEST_VALUE: Final = 200
MOST_VALUES: Final = 200
MOST_THRESHOLDS: Final = 20
LARGEST_THRESHOLD: Final = 10_000

_UNSTORABLE: Final = re.compile("[\0\ud800-\udfff]")
"""A NUL, or half of a UTF-16 pair, which JSON can say and Postgres cannot hold."""
_AMOUNT = re.compile(r"[0-9]{1,15}(\.[0-9]{1,12})?")


class TermsRefused(ValueError):  # noqa: N818  # a refusal, told to whoever wrote it
    """Terms make no sense: ``field`` is to be changed, the text says why."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field = field


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
    allow_private: bool,
) -> Terms:
    """Terms that make sense; TermsRefused otherwise.

    ``amount`` is a string or an integer of the currency. ``fiscal`` is how fiscal years
    are cut, should its period be of one.
    """
    if currency not in CODES:
        raise TermsRefused("currency", f"{_quoted(currency)} is no currency code of ISO 4217")
    if period not in KINDS:
        raise TermsRefused("period", f"{_quoted(period)} is not one of {', '.join(KINDS)}")
    return Terms(
        name=_name(name),
        filter=_filter(filter),
        amount=_amount(amount),
        currency=currency,
        period=period,
        timezone=_timezone(timezone),
        thresholds=_thresholds(thresholds),
        webhook_url=None if webhook_url is None else _webhook(webhook_url, allow_private),
        fiscal=fiscal if period in FISCAL else CALENDAR_YEAR,
    )


def _quoted(text: str) -> str:
    return repr(text if len(text) <= LONGEST_NAME else text[:LONGEST_NAME] + "…")


def _name(name: str) -> str:
    name = name.strip()
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise TermsRefused("name", f"1 to {LONGEST_NAME} printable characters")
    return name


def _amount(amount: object) -> Decimal:
    if isinstance(amount, float):
        reason = 'a JSON number with a point is not exact: write it as a string, "1000.00"'
        raise TermsRefused("amount", reason)
    if isinstance(amount, bool) or not isinstance(amount, str | int):
        raise TermsRefused("amount", 'a decimal string such as "1000.00"')
    # An integer of thousands of digits cannot even be written out.
    written = amount if isinstance(amount, str) else str(min(abs(amount), 10**16))
    if not _AMOUNT.fullmatch(written) or (isinstance(amount, int) and amount < 0):
        reason = 'a decimal string such as "1000.00": not negative, at most 15 digits before the '
        raise TermsRefused("amount", reason + "point and 12 behind it")
    return Decimal(written)


def _filter(wanted: Mapping[str, Sequence[str]]) -> Filter:
    for dimension, values in wanted.items():
        field = f"filter.{dimension}"[:LONGEST_NAME]
        if dimension not in DIMENSIONS:
            reason = f"{_quoted(dimension)} is not one of {', '.join(DIMENSIONS)}"
            raise TermsRefused(field, reason)
        if not 0 < len(values) <= MOST_VALUES:
            raise TermsRefused(field, f"1 to {MOST_VALUES} values; to budget all, leave it out")
        for value in values:
            if len(value) > LONGEST_VALUE or _UNSTORABLE.search(value):
                reason = f"a value has at most {LONGEST_VALUE} characters, no NUL, no half ones"
                raise TermsRefused(field, reason)
            if dimension == "deployment" and value not in (*DEPLOYMENTS, ""):
                raise TermsRefused(field, f"{_quoted(value)} is not {', '.join(DEPLOYMENTS)}")
    return {name: tuple(dict.fromkeys(wanted[name])) for name in sorted(wanted)}


def _timezone(name: str) -> str:
    try:
        return zone_named(name).key
    except ValueError as unknown:
        raise TermsRefused("timezone", str(unknown)) from None


def _thresholds(thresholds: Sequence[int]) -> tuple[int, ...]:
    if len(thresholds) > MOST_THRESHOLDS:
        raise TermsRefused("thresholds", f"at most {MOST_THRESHOLDS}")
    for each in thresholds:
        if not 0 < each <= LARGEST_THRESHOLD:
            reason = f"percentages are whole numbers from 1 to {LARGEST_THRESHOLD}"
            raise TermsRefused("thresholds", reason)
    if len(set(thresholds)) < len(thresholds):
        raise TermsRefused("thresholds", "a percentage is there twice")
    return tuple(sorted(thresholds))


def _webhook(url: str, allow_private: bool) -> str:
    try:
        destination(url, allow_private=allow_private)
    except DestinationRefused as refused:
        raise TermsRefused("webhook_url", str(refused)) from None
    return url
