"""Rows as people write them, in a CSV or JSON file or a request: read, and what is wrong with them.

All or nothing: one wrong row refuses the file, with every reason there is.
"""

import csv
import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO
from itertools import pairwise
from typing import Final, Protocol, TypeVar

from spend.slots import is_slot_start

LONGEST_TEXT: Final = 300
LONGEST_NUMBER: Final = 40

_PLAIN_NUMBER: Final = re.compile(r"[0-9]+(\.[0-9]+)?", re.ASCII)
_WHOLE_NUMBER: Final = re.compile(r"[0-9]{1,18}", re.ASCII)
_SCIENTIFIC: Final = re.compile(r"[-+]?[0-9.]+[eE][-+]?[0-9]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a row is refused. ``line`` is that of the file, or the place in a list, from 1."""

    line: int
    field: str
    reason: str

    def __str__(self) -> str:
        return f"line {self.line}, {self.field}: {self.reason}"


class RowsRefusedError(ValueError):
    """Nothing was taken from what somebody wrote. They should mend the rows named."""

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        self.refusals = tuple(sorted(refusals, key=lambda refusal: refusal.line))
        super().__init__("; ".join(map(str, self.refusals)))


@dataclass(frozen=True, slots=True)
class Row:
    """One row as written: every value is text."""

    line: int
    values: Mapping[str, str]


def rows_of(text: str, *, json: bool, required: Collection[str]) -> list[Row]:
    """The rows of a CSV or JSON text. Raises RowsRefusedError."""
    return rows_of_json(text) if json else rows_of_csv(text, required)


def rows_of_csv(text: str, required: Collection[str]) -> list[Row]:
    """The rows of a CSV text whose first line names the columns. Raises RowsRefusedError."""
    reader = csv.reader(StringIO(text.removeprefix("\ufeff")), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        _check_header(header, required)
        rows = []
        for values in reader:
            if not any(value.strip() for value in values):
                continue
            if len(values) != len(header):
                reason = f"has {len(values)} values, the header has {len(header)}"
                raise RowsRefusedError([Refusal(reader.line_num, "line", reason)])
            rows.append(Row(reader.line_num, dict(zip(header, values, strict=True))))
    except csv.Error as error:
        raise RowsRefusedError([Refusal(reader.line_num, "line", f"not CSV: {error}")]) from error
    return rows


def _check_header(header: Sequence[str], required: Collection[str]) -> None:
    missing = [
        Refusal(1, name, "this column is missing") for name in required if name not in header
    ]
    twice = {name for name in header if header.count(name) > 1}
    doubled = [Refusal(1, name, "this column is there twice") for name in sorted(twice)]
    if missing or doubled:
        raise RowsRefusedError(missing + doubled)


def rows_of_json(text: str) -> list[Row]:
    """The rows of a JSON text: an object, or a list of objects. Numbers stay as written.

    Raises RowsRefusedError.
    """
    try:
        # Through a float, 0.1 would no longer be 0.1.
        found = json.loads(text, parse_float=str, parse_int=str, parse_constant=str)
    except (ValueError, RecursionError) as error:
        line = error.lineno if isinstance(error, json.JSONDecodeError) else 1
        raise RowsRefusedError([Refusal(line, "file", f"not JSON: {error}")]) from error
    items = found if isinstance(found, list) else [found]
    rows = []
    for number, item in enumerate(items, 1):
        if not isinstance(item, dict):
            raise RowsRefusedError([Refusal(number, "line", "must be an object")])
        wrong = [key for key, value in item.items() if not isinstance(value, str | None)]
        if wrong:
            raise RowsRefusedError([Refusal(number, key, "must be text") for key in wrong])
        rows.append(Row(number, {key: value for key, value in item.items() if value is not None}))
    return rows


class RowReading:
    """One row while it is read: what is wrong with it goes to ``refusals``."""

    def __init__(
        self, row: Row, refusals: list[Refusal], *, required: Sequence[str], fields: Sequence[str]
    ) -> None:
        self._row = row
        self._refusals = refusals
        self._before = len(refusals)
        self._required = required
        for name in row.values.keys() - set(fields):
            self.refuse(name, f"unknown field; there are {', '.join(fields)}")

    @property
    def sound(self) -> bool:
        """Whether nothing of it was refused so far."""
        return len(self._refusals) == self._before

    def refuse(self, field: str, reason: str) -> None:
        """Says what is wrong with a field."""
        self._refusals.append(Refusal(self._row.line, field, reason))

    def text(self, name: str) -> str:
        """What the field says; '' where it is left out."""
        text = self._row.values.get(name, "").strip()
        if not text and name in self._required:
            self.refuse(name, "is missing")
        if len(text) > LONGEST_TEXT:
            self.refuse(name, f"is longer than {LONGEST_TEXT} characters")
        elif not text.isprintable():
            self.refuse(name, "holds characters that cannot be shown")
        return text

    def one_of(self, name: str, words: Collection[str]) -> str:
        """One of these words, or ''."""
        text = self.text(name)
        if text and text not in words:
            self.refuse(name, f"unknown {name}; there are {', '.join(words)}")
        return text

    def number(self, name: str, *, such_as: str) -> Decimal | None:
        """A number that is not negative, written without an exponent; None: there is none."""
        text = self.text(name)
        if text.startswith("-"):
            self.refuse(name, "must not be negative")
        elif _SCIENTIFIC.fullmatch(text):
            self.refuse(name, "must be written without an exponent, such as 0.0000005")
        elif text and (len(text) > LONGEST_NUMBER or not _PLAIN_NUMBER.fullmatch(text)):
            self.refuse(name, f"must be a number such as {such_as}")
        elif text:
            return Decimal(text)
        return None

    def whole(self, name: str, *, otherwise: int) -> int:
        """A whole number from 0 to 18 digits."""
        text = self.text(name)
        if not text:
            return otherwise
        if not _WHOLE_NUMBER.fullmatch(text):
            self.refuse(name, "must be a whole number such as 1000000, not negative")
            return otherwise
        return int(text)

    def moment(self, name: str) -> datetime | None:
        """A moment (UTC) on a quarter hour; None: there is none."""
        text = self.text(name)
        if not text:
            return None
        try:
            moment = datetime.fromisoformat(text)
            # A date is its first moment; without a zone it is UTC.
            moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError):
            self.refuse(name, "must be a date or time such as 2026-10-01 or 2026-10-01T08:15:00Z")
            return None
        if not is_slot_start(moment):
            self.refuse(name, "must be on a quarter hour (:00, :15, :30 or :45)")
            return None
        return moment

    def term(self) -> tuple[datetime, datetime | None]:
        """``valid_from`` and ``valid_to``; the first moment there is, where it was refused."""
        valid_from, valid_to = self.moment("valid_from"), self.moment("valid_to")
        if valid_from and valid_to and valid_to <= valid_from:
            self.refuse("valid_to", "must be after valid_from")
        return valid_from or datetime.min.replace(tzinfo=UTC), valid_to


class Dated(Protocol):
    """Holds over a time (UTC, half-open), for one subject at a time."""

    @property
    def subject(self) -> tuple[object, ...]:
        """What only one may say at a time."""

    @property
    def valid_from(self) -> datetime:
        """Inclusive."""

    @property
    def valid_to(self) -> datetime | None:
        """Exclusive; None: for good."""


_Said = TypeVar("_Said", bound=Dated)


def read_rows(
    rows: Iterable[Row], read: Callable[[Row, list[Refusal]], _Said | None], *, called: str
) -> list[_Said]:
    """What all rows say; RowsRefusedError if one is wrong, or two overlap.

    ``called`` is the plural of what they say, for people: "prices".
    """
    refusals: list[Refusal] = []
    said = [(row.line, read(row, refusals)) for row in rows]
    lines = [(number, line) for number, line in said if line is not None]
    if not refusals and not lines:
        refusals.append(Refusal(1, "file", f"has no {called}"))
    refusals += _overlaps(lines)
    if refusals:
        raise RowsRefusedError(refusals)
    return [line for _number, line in lines]


def _overlaps(lines: Sequence[tuple[int, _Said]]) -> list[Refusal]:
    by_subject: dict[tuple[object, ...], list[tuple[datetime, int, _Said]]] = {}
    for number, line in lines:
        by_subject.setdefault(line.subject, []).append((line.valid_from, number, line))
    refusals = []
    for found in by_subject.values():
        found.sort(key=lambda each: each[:2])
        for (_, earlier, before), (start, later, _) in pairwise(found):
            if before.valid_to is None or before.valid_to > start:
                reason = f"overlaps what line {min(earlier, later)} says"
                refusals.append(Refusal(max(earlier, later), "valid_from", reason))
    return refusals
