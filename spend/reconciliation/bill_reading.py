"""Rows of a bill's file while they are read: what each field says, and what is wrong with it.

Amounts and quantities are exact: numbers of JSON arrive as they were written (never through a
float), and a number that a spreadsheet has spoilt is refused where the format is one that people
edit. All or nothing, as of other files (spend/written_rows.py).
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from spend.money import ATOM_DIGITS, EXACT, ROUNDING
from spend.periods import FIRST_YEAR, LAST_YEAR, Month, Period
from spend.reconciliation.bills import BillLine
from spend.written_rows import LONGEST_TEXT, Refusal, RowsRefusedError

LARGEST_AMOUNT: Final = Decimal(10) ** 18
LONGEST_NUMBER: Final = 50
"""Digits: fewer than those with which we reckon exactly."""

MOST_LINES: Final = 250_000
"""Of a file: 5 kB of memory are needed for each."""

NO_TIME: Final = Period(datetime.min.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC))
"""Stands where a time was refused."""

_EMPTY: Final[tuple[object, ...]] = (None, "", [], {})
_HALF: Final = re.compile("[\ud800-\udfff]")
_PLAIN: Final = re.compile(r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)", re.ASCII)
_SCIENTIFIC: Final = re.compile(r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)[eE][-+]?[0-9]{1,3}", re.ASCII)
_SEPARATED: Final = re.compile(r"[-+]?[0-9]*([,.' ][0-9]+)+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Written:
    """A row as the file has it."""

    line: int
    values: Mapping[str, Any]
    """Text from CSV; from JSON and Parquet also numbers (Decimal, int), lists and objects."""


@dataclass(frozen=True, slots=True)
class Rows:
    """What a CSV or Parquet file holds."""

    columns: tuple[str, ...]
    rows: Sequence[Written]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadLine:
    """A line of a bill, and what its row says of the bill it is on."""

    said: BillLine
    issuer: str | None
    """None: the format does not tell."""
    billed: str | None = None
    """The account that is billed; None: not told."""
    invoice: str | None = None
    period: Period | None = None
    """What the issuer books it in; None: the month of its time."""


class RowFields:
    """One row while it is read: what is wrong with it goes to ``refusals``."""

    def __init__(self, row: Written, refusals: list[Refusal], *, by_people: bool = False) -> None:
        self.line = row.line
        self._values = row.values
        self._refusals = refusals
        self._by_people = by_people
        self._before = len(refusals)

    @property
    def sound(self) -> bool:
        """Whether nothing of it was refused so far."""
        return len(self._refusals) == self._before

    def refuse(self, field: str, reason: str) -> None:
        """Says what is wrong with a field."""
        self._refusals.append(Refusal(self.line, field, reason))

    def text(self, name: str, *, required: bool = False) -> str | None:
        """What the field says, on one line; None: nothing."""
        value = self._values.get(name)
        if value is not None and not isinstance(value, str):
            self.refuse(name, "must be text")
            return None
        text = (value or "").strip()
        if not text.isprintable():
            text = "".join(each if each.isprintable() else " " for each in text).strip()
        if required and not text:
            self.refuse(name, "is missing")
        return text or None

    def name(self, name: str) -> str | None:
        """Text by which something is found again."""
        text = self.text(name)
        if text and len(text) > LONGEST_TEXT:
            self.refuse(name, f"is longer than {LONGEST_TEXT} characters")
        return text

    def mapping(self, name: str) -> dict[str, str]:
        """Names and texts of an object, or of one written as JSON; none where it is neither."""
        value = self._values.get(name)
        if isinstance(value, str):
            try:
                value = json.loads(value) if value.startswith("{") else None
            except (ValueError, RecursionError):
                value = None
        if not isinstance(value, Mapping):
            return {}
        return {str(key): each for key, each in value.items() if isinstance(each, str)}

    def one_of(self, name: str, words: Collection[str], *, otherwise: str | None = None) -> str:
        """One of these words; ``otherwise`` where it says nothing, if there is that."""
        text = self.text(name, required=otherwise is None) or otherwise or ""
        if text and text not in words:
            self.refuse(name, f"is {text!r}: we know {', '.join(words)}")
        return text

    def number(self, name: str, *, required: bool = False) -> Decimal | None:
        """A number of any sign, exactly as it was written; None: there is none."""
        value = self._values.get(name)
        if isinstance(value, str) and value.strip():
            return self._number_of(name, value.strip())
        if isinstance(value, Decimal | int) and not isinstance(value, bool):
            number = Decimal(value)
            if not number.is_finite() or len(number.as_tuple().digits) > LONGEST_NUMBER:
                self.refuse(name, "must be a number")
                return None
            return self._small_enough(name, number)
        if value is not None and not isinstance(value, str):
            self.refuse(name, "must be a number")
        elif required:
            self.refuse(name, "is missing")
        return None

    def _number_of(self, name: str, text: str) -> Decimal | None:
        if len(text) > LONGEST_NUMBER:
            self.refuse(name, f"is longer than {LONGEST_NUMBER} digits")
        elif _PLAIN.fullmatch(text):
            return self._small_enough(name, Decimal(text))
        elif _SCIENTIFIC.fullmatch(text):
            if not self._by_people:
                return self._small_enough(name, Decimal(text))
            reason = "has an exponent, as spreadsheets write what they have rounded: write it out"
            self.refuse(name, reason)
        elif _SEPARATED.fullmatch(text):
            reason = "has a decimal comma or separators of thousands: write it as 1234.56"
            self.refuse(name, reason)
        else:
            self.refuse(name, "must be a number such as 1234.56")
        return None

    def _small_enough(self, name: str, number: Decimal) -> Decimal | None:
        if abs(number) < LARGEST_AMOUNT and number.adjusted() > -LONGEST_NUMBER:
            return number
        if number == 0:
            return Decimal(0)
        self.refuse(name, "is larger or finer than any amount")
        return None

    def amount(self, name: str, *, shift: int = 0) -> Decimal:
        """An amount with 12 decimals; ``shift`` is 2 where it is written in cents."""
        number = self.number(name, required=True)
        return rounded_amount((number or Decimal(0)).scaleb(-shift, EXACT))

    def moment(self, name: str, *, required: bool = True) -> datetime | None:
        """A moment (UTC); without a zone it is UTC, a date is its first moment."""
        value = self._values.get(name)
        text = None if isinstance(value, datetime) else self.text(name, required=required)
        try:
            if text:
                value = datetime.fromisoformat(text.removesuffix(" UTC"))
            if not isinstance(value, datetime):
                return None
            found = (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError):
            self.refuse(name, "must be a time such as 2026-10-01T00:00:00Z")
            return None
        return self.bounded(name, found)

    def bounded(self, name: str, moment: datetime) -> datetime | None:
        """A moment that calendars reckon with; None, and refused, where it is none."""
        if FIRST_YEAR <= moment.year <= LAST_YEAR:
            return moment
        self.refuse(name, f"must be from {FIRST_YEAR} to {LAST_YEAR}")
        return None

    def stretch(self, starts: str, ends: str) -> Period:
        """The time between two fields (UTC, half-open); any, where it was refused.

        What is bought in a moment is told with the same time twice, and has that second.
        """
        first, last = self.moment(starts), self.moment(ends)
        if first is None or last is None:
            return NO_TIME
        if last < first:
            self.refuse(ends, f"must not be before {starts}")
        return Period(first, max(last, first + timedelta(seconds=1)))

    def currency(self, name: str) -> str:
        """A code of ISO 4217, in capitals."""
        text = (self.text(name, required=True) or "").upper()
        if text and not (len(text) == 3 and text.isascii() and text.isalpha()):  # noqa: PLR2004 - a code's letters
            self.refuse(name, "must be a code of ISO 4217, such as USD")
        return text

    @property
    def raw(self) -> dict[str, Any]:
        """All that it says, without its empty fields, as JSON can hold it: numbers are text."""
        raw = {
            name: value if isinstance(value, str) else _kept(value)
            for name, value in self._values.items()
            if value not in _EMPTY
        }
        if not _storable(raw):
            self.refuse("line", "holds a NUL or half a character")
        return raw


def rounded_amount(number: Decimal) -> Decimal:
    """An amount with 12 decimals, half to even: one of a bill may be finer."""
    return number.quantize(Decimal(1).scaleb(-ATOM_DIGITS), context=ROUNDING)


def _kept(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(name): _kept(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_kept(each) for each in value]
    if isinstance(value, datetime):
        return value.isoformat()
    if value is None or isinstance(value, str | bool):
        return value
    return str(value)


def _storable(value: object) -> bool:
    """Whether Postgres can hold it: text without NUL and without half a character."""
    if isinstance(value, str):
        return "\x00" not in value and (value.isascii() or not _HALF.search(value))
    if isinstance(value, dict):
        return all(_storable(name) and _storable(each) for name, each in value.items())
    return not isinstance(value, list) or all(map(_storable, value))


def month_holding(moment: datetime) -> Period:
    """The month of UTC that holds a moment."""
    return month_of_utc(Month(moment.year, moment.month))


def month_of_utc(month: Month) -> Period:
    """A month, as issuers cut it."""
    starts, ends = month.first_day, month.plus(1).first_day
    return Period(
        datetime(starts.year, starts.month, 1, tzinfo=UTC),
        datetime(ends.year, ends.month, 1, tzinfo=UTC),
    )


def flat(value: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Fields of an object with those of objects within it: ``amount.value``."""
    for name, each in value.items():
        if isinstance(each, Mapping):
            yield from flat(each, f"{before}{name}.")
        else:
            yield f"{before}{name}", each


def refused(line: int, field: str, reason: str) -> RowsRefusedError:
    """What to raise where a file is refused for one reason."""
    return RowsRefusedError([Refusal(line, field, reason)])


def check_columns(columns: Collection[str], required: Collection[str], *, called: str) -> None:
    """RowsRefusedError where a format lacks a column that it has by its documentation."""
    missing = [name for name in required if name not in columns]
    if missing:
        reason = f"this column is missing: {called} has it, so its shape has changed"
        raise RowsRefusedError([Refusal(1, name, reason) for name in missing])
