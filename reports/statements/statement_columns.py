"""Columns of a statement's lines, for all formats that have lines: a column's sum is its total."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Any, Final

from spend.meters import METERS
from spend.statements.statement_lines import Line
from spend.statements.statement_sides import BASES
from spend.statements.statements import Statement
from spend.statements.why import PART_NAMES


class Holds(Enum):
    """What a column is made of."""

    TEXT = "text"
    COINS = "coins"
    """Amounts in whole coins, that add up."""
    EXACT = "exact"
    """Amounts as the ledger has them."""
    COUNT = "count"


@dataclass(frozen=True, slots=True)
class LineColumn:
    """One column: its name, what it holds, how a line says it. None is unknown."""

    name: str
    holds: Holds
    of: Callable[[Statement, Line], str | int | Decimal | None]


def _count(name: str) -> LineColumn:
    return LineColumn(name, Holds.COUNT, lambda _, line: _int(line.figures.spent, name))


def _int(holder: Any, name: str) -> int:
    return int(getattr(holder, name))


def _usage(meter: str, asked_as: str) -> LineColumn:
    return LineColumn(asked_as, Holds.COUNT, lambda _, line: line.figures.spent.usage.get(meter, 0))


def _coins(name: str, base: str) -> LineColumn:
    def of(_: Statement, line: Line) -> Decimal | None:
        found: Decimal | None = getattr(line.figures.coins, base)
        return found

    return LineColumn(name, Holds.COINS, of)


def _exact(base: str) -> LineColumn:
    def of(_: Statement, line: Line) -> Decimal | None:
        found: Decimal | None = getattr(line.figures.spent, base)
        return found

    return LineColumn(base, Holds.EXACT, of)


def _why(part: str) -> LineColumn:
    def of(_: Statement, line: Line) -> Decimal:
        found: Decimal = getattr(line.figures.why, part)
        return found

    return LineColumn(f"change_{part}", Holds.EXACT, of)


COLUMNS: Final = (
    LineColumn("month", Holds.TEXT, lambda statement, _: statement.month.name),
    LineColumn("timezone", Holds.TEXT, lambda statement, _: statement.zone.key),
    LineColumn("team", Holds.TEXT, lambda _, line: line.team),
    LineColumn("provider", Holds.TEXT, lambda _, line: line.provider),
    LineColumn("model", Holds.TEXT, lambda _, line: line.model),
    LineColumn("kind", Holds.TEXT, lambda _, line: line.kind),
    LineColumn("currency", Holds.TEXT, lambda statement, _: statement.currency),
    _coins("amount", "cost"),
    LineColumn("last_month_amount", Holds.COINS, lambda _, line: line.figures.last_amount),
    LineColumn("difference", Holds.COINS, lambda _, line: line.figures.difference),
    _coins("list_amount", "list_cost"),
    _coins("contracted_amount", "contracted_cost"),
    _coins("billed_amount", "billed_cost"),
    *map(_exact, BASES),
    LineColumn("last_month_cost", Holds.EXACT, lambda _, line: line.figures.last.cost),
    LineColumn("corrections", Holds.EXACT, lambda _, line: line.figures.corrections),
    *(_why(name) for name in PART_NAMES if name != "rounding"),
    *map(
        _count,
        (
            "calls",
            "errors",
            "unpriced_calls",
            "unpriced_tokens",
            "unmetered_calls",
            "waiting_calls",
        ),
    ),
    *(_usage(meter.name, meter.asked_as) for meter in METERS),
)
"""Amounts are whole coins that add up, costs are exact. Unknown is None."""
