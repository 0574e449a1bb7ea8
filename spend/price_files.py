"""Price lines as people write them, in a CSV or JSON file or a request: read, checked, refused.

All or nothing: one wrong line refuses the file, with every reason there is.
"""

import csv
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO
from itertools import pairwise
from typing import Final

from spend import money
from spend.bands import EDGES
from spend.prices import CONTRACT, PriceLine, tier_of
from spend.providers import provider_named
from spend.rating import CHARGED
from spend.slots import is_slot_start

REQUIRED: Final = ("provider", "model", "meter", "unit_price", "currency", "valid_from")
OPTIONAL: Final = ("valid_to", "region", "service_tier", "above_tokens", "reference")
FIELDS: Final = (*REQUIRED, *OPTIONAL)

LONGEST_TEXT: Final = 300

_PLAIN_NUMBER: Final = re.compile(r"[0-9]+(\.[0-9]+)?", re.ASCII)
_SCIENTIFIC: Final = re.compile(r"[-+]?[0-9.]+[eE][-+]?[0-9]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a line is refused. ``line`` is that of the file, or the place in a list, from 1."""

    line: int
    field: str
    reason: str

    def __str__(self) -> str:
        return f"line {self.line}, {self.field}: {self.reason}"


class PricesRefusedError(ValueError):
    """Nothing was taken from a file of prices. Its writer should mend the lines named."""

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        super().__init__("; ".join(map(str, refusals)))
        self.refusals = tuple(refusals)


@dataclass(frozen=True, slots=True)
class Row:
    """One line as written: every value is text."""

    line: int
    values: Mapping[str, str]


def rows_of_csv(text: str) -> list[Row]:
    """The rows of a CSV text whose first line names the columns. Raises PricesRefusedError."""
    reader = csv.reader(StringIO(text.removeprefix("\ufeff")), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        _check_header(header)
        rows = []
        for values in reader:
            if not any(value.strip() for value in values):
                continue
            if len(values) != len(header):
                reason = f"has {len(values)} values, the header has {len(header)}"
                raise PricesRefusedError([Refusal(reader.line_num, "line", reason)])
            rows.append(Row(reader.line_num, dict(zip(header, values, strict=True))))
    except csv.Error as error:
        raise PricesRefusedError([Refusal(reader.line_num, "line", f"not CSV: {error}")]) from error
    return rows


def _check_header(header: Sequence[str]) -> None:
    missing = [
        Refusal(1, name, "this column is missing") for name in REQUIRED if name not in header
    ]
    twice = {name for name in header if header.count(name) > 1}
    doubled = [Refusal(1, name, "this column is there twice") for name in sorted(twice)]
    if missing or doubled:
        raise PricesRefusedError(missing + doubled)


def rows_of_json(text: str) -> list[Row]:
    """The rows of a JSON text: an object, or a list of objects. Numbers stay as written.

    Raises PricesRefusedError.
    """
    try:
        # Through a float, 0.1 would no longer be 0.1.
        found = json.loads(text, parse_float=str, parse_int=str, parse_constant=str)
    except (ValueError, RecursionError) as error:
        line = error.lineno if isinstance(error, json.JSONDecodeError) else 1
        raise PricesRefusedError([Refusal(line, "file", f"not JSON: {error}")]) from error
    items = found if isinstance(found, list) else [found]
    rows = []
    for number, item in enumerate(items, 1):
        if not isinstance(item, dict):
            raise PricesRefusedError([Refusal(number, "line", "must be an object")])
        wrong = [key for key, value in item.items() if not isinstance(value, str | None)]
        if wrong:
            raise PricesRefusedError([Refusal(number, key, "must be text") for key in wrong])
        rows.append(Row(number, {key: value for key, value in item.items() if value is not None}))
    return rows


def price_lines(rows: Iterable[Row], *, currency: str, source: str) -> list[PriceLine]:
    """The contract lines that ``rows`` ask for; PricesRefusedError if any of them is wrong."""
    refusals: list[Refusal] = []
    lines: list[tuple[int, PriceLine]] = []
    for row in rows:
        reading = _Reading(row, refusals)
        line = reading.line(currency, source)
        if line is not None:
            lines.append((row.line, line))
    if not refusals and not lines:
        refusals.append(Refusal(1, "file", "has no prices"))
    refusals += _overlaps(lines)
    if refusals:
        raise PricesRefusedError(sorted(refusals, key=lambda refusal: refusal.line))
    return [line for _number, line in lines]


def _overlaps(lines: Sequence[tuple[int, PriceLine]]) -> list[Refusal]:
    by_subject = defaultdict(list)
    for number, line in lines:
        by_subject[line.subject].append((line.valid_from, number, line))
    refusals = []
    for found in by_subject.values():
        found.sort(key=lambda each: each[:2])
        for (_, earlier, before), (start, later, _) in pairwise(found):
            if before.valid_to is None or before.valid_to > start:
                reason = f"overlaps the price of line {min(earlier, later)}"
                refusals.append(Refusal(max(earlier, later), "valid_from", reason))
    return refusals


class _Reading:
    """One row while it is read: what is wrong with it goes to ``refusals``."""

    def __init__(self, row: Row, refusals: list[Refusal]) -> None:
        self._row = row
        self._refusals = refusals

    def line(self, currency: str, source: str) -> PriceLine | None:
        already = len(self._refusals)
        for name in self._row.values.keys() - set(FIELDS):
            self._refuse(name, f"unknown field; there are {', '.join(FIELDS)}")
        if self._text("currency") not in {"", currency}:
            self._refuse("currency", f"must be {currency}: charges are in SPANLEDGER_CURRENCY")
        valid_from = self._moment("valid_from")
        valid_to = self._moment("valid_to")
        if valid_from and valid_to and valid_to <= valid_from:
            self._refuse("valid_to", "must be after valid_from")
        price = self._price()
        line = PriceLine(
            book=CONTRACT,
            provider=self._provider(),
            model=self._text("model"),
            meter=self._meter(),
            unit_price=price,
            currency=currency,
            valid_from=valid_from or datetime.min.replace(tzinfo=UTC),
            valid_to=valid_to,
            region=self._text("region"),
            service_tier=tier_of(self._text("service_tier")),
            above_tokens=self._edge(),
            source=source,
            reference=self._text("reference") or None,
        )
        return line if len(self._refusals) == already else None

    def _refuse(self, field: str, reason: str) -> None:
        self._refusals.append(Refusal(self._row.line, field, reason))

    def _text(self, name: str) -> str:
        text = self._row.values.get(name, "").strip()
        if not text and name in REQUIRED:
            self._refuse(name, "is missing")
        if len(text) > LONGEST_TEXT:
            self._refuse(name, f"is longer than {LONGEST_TEXT} characters")
        elif not text.isprintable():
            self._refuse(name, "holds characters that cannot be shown")
        return text

    def _provider(self) -> str:
        text = self._text("provider")
        # As calls have it: a contract with "OpenAI" would price nothing, and nobody would be told.
        return provider_named(text) or text

    def _meter(self) -> str:
        meter = self._text("meter")
        if meter == "reasoning":
            self._refuse("meter", "reasoning is a part of output and charged with it")
        elif meter and meter not in CHARGED:
            self._refuse("meter", f"unknown meter; there are {', '.join(CHARGED)}")
        return meter

    def _edge(self) -> int:
        text = self._text("above_tokens") or "0"
        if text == "0" or text in map(str, EDGES):
            return int(text)
        edges = ", ".join(map(str, EDGES))
        self._refuse("above_tokens", f"must be 0 or one of {edges}: only there usage is kept apart")
        return 0

    def _price(self) -> Decimal:
        text = self._text("unit_price")
        if text.startswith("-"):
            self._refuse("unit_price", "must not be negative")
        elif _SCIENTIFIC.fullmatch(text):
            self._refuse("unit_price", "must be written without an exponent, such as 0.0000005")
        elif text and (len(text) > LONGEST_TEXT or not _PLAIN_NUMBER.fullmatch(text)):
            self._refuse("unit_price", "must be a number such as 2.50, for 1,000,000 units")
        elif text:
            return self._kept(Decimal(text))
        return Decimal(0)

    def _kept(self, written: Decimal) -> Decimal:
        if written >= money.PRICE_LIMIT:
            self._refuse("unit_price", f"must be less than {money.PRICE_LIMIT}")
            return Decimal(0)
        kept = money.quantised(written)
        if written and not kept:
            self._refuse("unit_price", "is less than the smallest price, 0.000001 for 1,000,000")
        return kept

    def _moment(self, name: str) -> datetime | None:
        text = self._text(name)
        if not text:
            return None
        try:
            moment = datetime.fromisoformat(text)
            # A date is its first moment; without a zone it is UTC.
            moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError):
            self._refuse(name, "must be a date or time such as 2026-10-01 or 2026-10-01T08:15:00Z")
            return None
        if not is_slot_start(moment):
            self._refuse(name, "must be on a quarter hour (:00, :15, :30 or :45)")
            return None
        return moment
