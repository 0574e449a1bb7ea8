"""What a month is closed with: a record, as canonical JSON, that names the record before it.

The record's hash is the SHA-256 of its text, and the next record holds it: whoever keeps the last
hash can tell whether anything of any closed month was changed since. Canonical JSON: keys in
order, no blanks, no escapes but those that JSON needs, amounts and sums as text, UTF-8.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any, Final

from spend.booked import Booked
from spend.fiscal import Calendar
from spend.moments import moment_text
from spend.money import plain
from spend.months.months import LedgerMonth, MonthAct
from spend.totals import Totals, together

FORMAT: Final = 1
"""How a record is written. What reads one knows all that ever were."""

FIELDS: Final = frozenset(
    (
        "format",
        "month",
        "starts",
        "ends",
        "calendar",
        "ledger",
        "usage",
        "statement",
        "sums",
        "versions",
        "acts",
        "previous",
    )
)
"""What is in it."""

KEY: Final = (
    "team",
    "provider",
    "model",
    "deployment",
    "region",
    "kind",
    "currency",
    "belongs_to",
)
_BASES: Final = ("cost", "list_cost", "contracted_cost", "billed_cost")
_COUNTS: Final = ("calls", "errors", "unpriced_calls", "unpriced_tokens", "unmetered_calls")


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines of a table, read in the order of their ids."""

    columns: tuple[str, ...]
    """What of each was read, in this order."""
    lines: int
    sha256: str
    """Of all of them, as COPY writes them as text, in hex."""


@dataclass(frozen=True, slots=True)
class Sums:
    """Money in one currency, in four bases, exact."""

    list: Decimal | None
    """None: some line has no list price."""
    contracted: Decimal
    effective: Decimal
    billed: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """All that a record says of a month."""

    month: LedgerMonth
    ledger: Lines
    """The lines of the ledger booked in it; of the first month also all before it."""
    usage: Lines
    """Likewise of usage."""
    statement: Lines
    """What a statement of it is made from; its columns are KEY, then what they come to."""
    sums: Mapping[str, Sums]
    """By currency, of the month alone."""
    versions: Mapping[str, Any]
    """Of what it was computed by."""
    acts: Sequence[MonthAct]
    """All that was done with it; the last one closes it."""
    previous: str | None
    """The hash of the month before; None: it is the first, and all before it is closed with it."""


def record_of(closing: Closing) -> str:
    """The text of a record."""
    month = closing.month
    return canonical(
        {
            "format": FORMAT,
            "month": month.name,
            "starts": moment_text(month.period.start),
            "ends": moment_text(month.period.end),
            "calendar": calendar_fields(month.calendar),
            "ledger": asdict(closing.ledger),
            "usage": asdict(closing.usage),
            "statement": asdict(closing.statement),
            "sums": {
                currency: {
                    name: None if amount is None else plain(amount)
                    for name, amount in asdict(sums).items()
                }
                for currency, sums in closing.sums.items()
            },
            "versions": closing.versions,
            "acts": [act_fields(act) for act in closing.acts],
            "previous": closing.previous,
        }
    )


def act_fields(act: MonthAct) -> dict[str, Any]:
    """An act as a record has it."""
    return asdict(act) | {"at": moment_text(act.at)}


def calendar_fields(calendar: Calendar) -> dict[str, Any]:
    """A calendar as rows and records have it."""
    return {"zone": calendar.zone.key} | asdict(calendar.fiscal)


def statement_lines(booked: Iterable[Booked]) -> Lines:
    """What stands in a month's books, by KEY: the same however fine it was told."""
    groups: defaultdict[tuple[Any, ...], list[Totals]] = defaultdict(list)
    for row in booked:
        groups[tuple(getattr(row, name) for name in KEY)].append(row.totals)
    rows = sorted(
        canonical([*map(_text, key), *_said(totals)])
        for key, totals in ((key, together(found)) for key, found in groups.items())
        if not _is_nothing(totals)
    )
    text = "".join(f"{row}\n" for row in rows)
    return Lines((*KEY, *_BASES, *_COUNTS, "usage"), len(rows), sha256_of(text))


def _said(totals: Totals) -> list[Any]:
    amounts = [getattr(totals, name) for name in _BASES]
    return [
        *(None if amount is None else plain(amount) for amount in amounts),
        *(getattr(totals, name) for name in _COUNTS),
        {meter: count for meter, count in totals.usage.items() if count},
    ]


def _is_nothing(totals: Totals) -> bool:
    return totals.is_nothing and not any(getattr(totals, name) for name in _COUNTS)


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def canonical(value: Any) -> str:
    """JSON of which there is one way to write it."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def sha256_of(text: str) -> str:
    """In hex, of its UTF-8."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
