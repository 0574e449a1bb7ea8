"""Exchange rates as people write them, in a CSV file or a request: read, checked, refused.

All or nothing: one wrong line refuses the file, with every reason there is. A file is one of two:

- our own: ``date,from,to,rate,source``, and ``reference`` if needed;
- as central banks publish them: a column of dates, then one for each currency, with how much of it
  one unit of the base is. Cells that are empty or say N/A are skipped.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from spend import money
from spend.currencies.currencies import CODES
from spend.currencies.exchange import RATE_DIGITS, RATE_LIMIT, ExchangeRate
from spend.written_rows import Refusal, Row, RowReading, RowsRefusedError, rows_of_csv

REQUIRED: Final = ("date", "from", "to", "rate", "source")
FIELDS: Final = (*REQUIRED, "reference")

EARLIEST: Final = date(1999, 1, 1)
"""Before, there was no euro, and no calls."""

_DATE: Final = "Date"
_EMPTY: Final = frozenset({"", "N/A", "n/a"})
_ISO_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_NAMED_DAY: Final = re.compile(r"([0-9]{1,2}) ([A-Z][a-z]+) ([0-9]{4})", re.ASCII)
_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June", "July", "August", "September"),
    *("October", "November", "December"),
)


@dataclass(frozen=True, slots=True)
class WrittenRate:
    """A rate, and where it was written: line of a file (or place in a list), and column."""

    line: int
    field: str
    rate: ExchangeRate


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """What goes without saying in what somebody wrote."""

    today: date
    """UTC: nobody knows rates of later days."""
    entered_by: str | None = None
    source: str = ""
    """Of a central bank's file, as it does not say it."""
    base: str = "EUR"
    """Of such a file, what one unit of is meant."""


def rates_in(text: str, writing: Writing) -> list[WrittenRate]:
    """The rates of a CSV text of either form; RowsRefusedError if any of them is wrong."""
    header = [name.strip() for name in text.lstrip("\ufeff").split("\n", 1)[0].split(",")]
    if header[0].lower() == "date" and "rate" not in header:
        return wide_rates(text, writing)
    return rates_of(rows_of_csv(text, REQUIRED), writing)


def rates_of(rows: Iterable[Row], writing: Writing) -> list[WrittenRate]:
    """The rates that rows of FIELDS say; RowsRefusedError if any of them is wrong."""

    def read(row: Row, refusals: list[Refusal]) -> list[WrittenRate]:
        reading = RowReading(row, refusals, required=REQUIRED, fields=FIELDS)
        pair = _currency(reading, "from"), _currency(reading, "to")
        if pair[0] and pair[0] == pair[1]:
            reading.refuse("to", "is the same currency as from")
        rate = ExchangeRate(
            from_currency=pair[0],
            to_currency=pair[1],
            day=_day(reading, "date", writing.today),
            rate=_rate(reading, "rate"),
            source=reading.text("source"),
            reference=reading.text("reference") or None,
            entered_by=writing.entered_by,
        )
        return [WrittenRate(row.line, "rate", rate)] if reading.sound else []

    return _all(rows, read)


def wide_rates(text: str, writing: Writing) -> list[WrittenRate]:
    """The rates of a central bank's file; RowsRefusedError if any of them is wrong."""
    # Some end every line with a comma.
    text = "\n".join(line.rstrip(" \r").removesuffix(",") for line in text.splitlines())
    rows = rows_of_csv(text, ())
    names = next((list(row.values) for row in rows), [_DATE])
    unknown = [name for name in names[1:] if name not in CODES]
    if unknown:
        reason = "is no currency code of ISO 4217; the first column is the date"
        raise RowsRefusedError([Refusal(1, name or "header", reason) for name in unknown])
    if writing.base in names:
        reason = f"is the base: the other columns say what one {writing.base} is"
        raise RowsRefusedError([Refusal(1, writing.base, reason)])

    def read(row: Row, refusals: list[Refusal]) -> list[WrittenRate]:
        reading = RowReading(row, refusals, required=names[:1], fields=names)
        day = _day(reading, names[0], writing.today)
        found = [
            WrittenRate(
                row.line,
                name,
                ExchangeRate(
                    from_currency=writing.base,
                    to_currency=name,
                    day=day,
                    rate=_rate(reading, name),
                    source=writing.source,
                    entered_by=writing.entered_by,
                ),
            )
            for name in names[1:]
            if row.values[name].strip() not in _EMPTY
        ]
        return found if reading.sound else []

    return _all(rows, read)


def _all(
    rows: Iterable[Row], read: Callable[[Row, list[Refusal]], Sequence[WrittenRate]]
) -> list[WrittenRate]:
    refusals: list[Refusal] = []
    said: dict[tuple[str, str, date], WrittenRate] = {}
    for row in rows:
        for each in read(row, refusals):
            first = said.setdefault(each.rate.subject, each)
            if first.rate.rate != each.rate.rate:
                reason = f"line {first.line} says {first.rate.rate} of the same day"
                refusals.append(Refusal(each.line, each.field, reason))
    if not refusals and not said:
        refusals.append(Refusal(1, "file", "has no rates"))
    if refusals:
        raise RowsRefusedError(refusals)
    return list(said.values())


def _currency(reading: RowReading, name: str) -> str:
    code = reading.text(name)
    if code and code not in CODES:
        reading.refuse(name, f"{code[:20]!r} is no currency code of ISO 4217")
    return code


def _day(reading: RowReading, name: str, today: date) -> date:
    text = reading.text(name)
    day = _day_written(text)
    if day is None:
        if text:
            reading.refuse(name, "must be a day such as 2026-10-01")
        return EARLIEST
    if day > today:
        reading.refuse(name, f"is after today, {today} (UTC): nobody knows its rates")
    elif day < EARLIEST:
        reading.refuse(name, f"is before {EARLIEST}")
    return day


def _day_written(text: str) -> date | None:
    named = _NAMED_DAY.fullmatch(text)
    try:
        if named and named[2] in _MONTHS:
            return date(int(named[3]), _MONTHS.index(named[2]) + 1, int(named[1]))
        return date.fromisoformat(text) if _ISO_DAY.fullmatch(text) else None
    except ValueError:
        return None


def _rate(reading: RowReading, name: str) -> Decimal:
    rate = reading.number(name, such_as="1.0845")
    if rate is None:
        return Decimal(1)
    if not rate:
        reading.refuse(name, "must not be zero")
    elif rate >= RATE_LIMIT:
        reading.refuse(name, f"must be less than {RATE_LIMIT:,}")
    elif rate != rate.quantize(Decimal(1).scaleb(-RATE_DIGITS), context=money.ROUNDING):
        reading.refuse(name, f"has more than {RATE_DIGITS} decimals: round it")
    else:
        return rate
    return Decimal(1)
