"""What changed most and why, as a table: by model, provider or team."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final, Literal

from fastapi import Request

from api.pages.links import elsewhere
from api.pages.overview.overview_changes import Change, Changes, main_reasons
from api.pages.overview.overview_month import ShownMonth
from api.pages.tables import Cell, Column, Held, Table
from api.pages.teams.team_list import team_address
from api.pages.visitor import Visitor
from reports.charts.palette import hue_of, shown_name
from spend.money import EXACT, rounded
from spend.statements.statement_sides import exact_sum

MOST_CHANGES: Final = 8
By = Literal["team", "provider", "model"]

_COLUMNS: Final = (
    Column("then", "Before", "money", "The same part of the month before", narrow=False),
    Column("now", "Now", "money", narrow=False),
    Column("difference", "Difference", "difference"),
    Column("volume", "Volume", "difference", "More or fewer units, at what one cost", narrow=False),
    Column("mix", "Mix", "difference", "Units of dearer or cheaper models", narrow=False),
    Column("price", "Price", "difference", "What a unit of a model came to", narrow=False),
    Column(
        "other",
        "Other",
        "difference",
        "Newly used, used no more, idle capacity, credits, exchange rates",
        narrow=False,
    ),
)


def changes_table(
    request: Request, visitor: Visitor, shown: ShownMonth, found: Changes, by: By, *, every: bool
) -> Table:
    """What changed most first; not ``every``: all the others in one row."""
    rows = found.by(by)
    most = len(rows) if every else MOST_CHANGES
    told, rest = rows[:most], rows[most:]
    lines = [_amounts(visitor, [each]) | {"name": _name(request, shown, each, by)} for each in told]
    if rest:
        others = f"{len(rest)} others" if len(rest) > 1 else "1 other"
        lines.append(_amounts(visitor, rest) | {"name": Cell(others, tone="quiet")})
    return Table(
        columns=(Column("name", by.capitalize()), *_COLUMNS),
        rows=lines,
        caption="What changed most, and why",
        file=f"changes-by-{by}-{shown.month}",
        currency=visitor.currency,
        total=_amounts(visitor, [found.total]) | {"name": "Total"},
        empty="Nothing was spent in either month.",
    )


def _name(request: Request, shown: ShownMonth, change: Change, by: By) -> Cell:
    asked: dict[str, Any] = {**shown.asked, "group_by": "team" if by == "model" else "model"}
    name, note = change.name, ", ".join(main_reasons(change.why)) or None
    if by == "team" and name is not None:
        return Cell(name, href=team_address(request, name, str(shown.month)), note=note)
    if by == "provider":
        href = elsewhere(request, "/explore", provider=name or "", **asked)
        return Cell(name, href=href, show=shown_name(name), colour=hue_of(name), note=note)
    if name is None:
        return Cell(None, show="Without a model", note=note)
    return Cell(name, href=elsewhere(request, "/explore", model=name, **asked), note=note)


def _amounts(visitor: Visitor, rows: Sequence[Change]) -> dict[str, Held | Cell]:
    then, now = (exact_sum(getattr(each, of) for each in rows) for of in ("then", "now"))
    difference = EXACT.subtract(now, then)
    parts = {
        part: exact_sum(getattr(each.why, part) for each in rows)
        for part in ("volume", "mix", "price")
    }
    parts["other"] = EXACT.subtract(difference, exact_sum(parts.values()))
    told: dict[str, Held | Cell] = {"then": _coins(visitor, then), "now": _coins(visitor, now)}
    told["difference"] = _coins(visitor, difference, signed=True)
    return told | {part: _coins(visitor, cost, signed=True) for part, cost in parts.items()}


def _coins(visitor: Visitor, amount: Decimal, *, signed: bool = False) -> Cell:
    """In whole coins, as columns of large and small amounts are read; exact in the file."""
    coins = rounded(amount, visitor.currency)
    write = visitor.formats.difference if signed else visitor.formats.money
    return Cell(amount, show=write(coins, visitor.currency), tone="" if coins else "quiet")
