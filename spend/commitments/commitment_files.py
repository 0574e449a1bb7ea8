"""Commitments as people write them, in a CSV or JSON file or a request: read, checked, refused.

All or nothing: one wrong line refuses the file, with every reason there is.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from spend import money
from spend.commitments.commitments import (
    DIMENSIONS,
    KINDS,
    MINIMUM,
    MONTHS,
    PERIODS,
    PREPAID,
    TERM,
    Commitment,
)
from spend.prices.price_files import currency_of
from spend.providers import provider_named
from spend.written_rows import Refusal, Row, RowReading, read_rows

REQUIRED: Final = ("name", "kind", "amount", "currency", "provider", "valid_from")
OPTIONAL: Final = ("paid", "period", "valid_to", "model", "region", "reference")
FIELDS: Final = (*REQUIRED, *OPTIONAL)

BETWEEN: Final = ";"
"""Stands between several patterns of one dimension."""

EARLIEST: Final = datetime(2020, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(2100, 1, 1, tzinfo=UTC)
"""No commitment begins before, or ends after: a slip in the year would make many periods."""


def commitments_of(
    rows: Iterable[Row], *, source: str, entered_by: str | None = None
) -> list[Commitment]:
    """The commitments that ``rows`` declare; RowsRefusedError if any of them is wrong."""

    def read(row: Row, refusals: list[Refusal]) -> Commitment | None:
        reading = RowReading(row, refusals, required=REQUIRED, fields=FIELDS)
        return _commitment(reading, source, entered_by)

    return read_rows(rows, read, called="commitments")


def _commitment(reading: RowReading, source: str, entered_by: str | None) -> Commitment | None:
    currency = currency_of(reading)
    kind = reading.one_of("kind", KINDS)
    period = _period(reading, kind)
    valid_from, valid_to = reading.term()
    if reading.sound:
        _check_bounds(reading, kind, period, valid_from, valid_to)
    amount = _amount(reading, "amount")
    if amount == 0:
        reading.refuse("amount", "must be more than 0")
    paid = _amount(reading, "paid")
    if kind == MINIMUM and paid not in {None, amount}:
        reading.refuse("paid", "is for prepaid credits: of a minimum all is paid")
    elif paid is not None and amount is not None and paid > amount:
        reading.refuse("paid", "must not be more than the amount")
    match = {name: found for name in DIMENSIONS if (found := _patterns(reading, name))}
    amount = amount or Decimal(0)
    made = Commitment(
        name=reading.text("name"),
        kind=kind,
        amount=amount,
        paid=amount if paid is None else paid,
        currency=currency,
        match=match,
        period=period,
        valid_from=valid_from,
        valid_to=valid_to,
        source=source,
        reference=reading.text("reference") or None,
        entered_by=entered_by,
    )
    return made if reading.sound else None


def _period(reading: RowReading, kind: str) -> str:
    period = reading.one_of("period", PERIODS)
    if kind == PREPAID and period not in {"", TERM}:
        reading.refuse("period", "is for minimums: credits are for all of their time")
    return period or (TERM if kind == PREPAID else "month")


def _check_bounds(
    reading: RowReading, kind: str, period: str, valid_from: datetime, valid_to: datetime | None
) -> None:
    """Whether it begins and ends where a period does."""
    for name, moment in (("valid_from", valid_from), ("valid_to", valid_to)):
        if moment is None:
            continue
        if not EARLIEST <= moment <= LATEST:
            reason = f"must be from {EARLIEST:%Y-%m-%d} to {LATEST:%Y-%m-%d}"
            reading.refuse(name, reason)
        elif period in MONTHS and (moment.day, moment.hour, moment.minute) != (1, 0, 0):
            reading.refuse(name, "must be the first moment of a month (UTC)")
    if valid_to is None:
        if period == TERM and kind == MINIMUM:
            reading.refuse("valid_to", "is missing: a minimum over all of the time needs an end")
    elif period in MONTHS and reading.sound:
        months = (valid_to.year - valid_from.year) * 12 + valid_to.month - valid_from.month
        if months % MONTHS[period]:
            reading.refuse("valid_to", f"must be a whole number of {period}s after valid_from")


def _amount(reading: RowReading, name: str) -> Decimal | None:
    """An amount of money with at most 6 decimals."""
    number = reading.number(name, such_as="10000.00")
    if number is None:
        return None
    if number >= money.PRICE_LIMIT:
        reading.refuse(name, f"must be less than {money.PRICE_LIMIT}")
    elif number != money.quantised(number):
        reading.refuse(name, f"has more than {money.PRICE_DIGITS} decimals")
    else:
        return money.quantised(number)
    return None


def _patterns(reading: RowReading, name: str) -> tuple[str, ...]:
    """The patterns of a dimension; providers as calls have them."""
    text = reading.text(name)
    found = [each.strip() for each in text.split(BETWEEN)] if text else []
    if not all(found):
        reading.refuse(name, f"there is an empty name beside {BETWEEN}")
    if any("*" in each[:-1] for each in found):
        reading.refuse(name, "* may stand at the end only")
    if name == "provider":
        # One with "OpenAI" would cover nothing, and nobody would be told.
        return tuple(provider_named(each) or each for each in found)
    return tuple(found)
