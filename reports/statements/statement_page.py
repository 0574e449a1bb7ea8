"""What a statement's page says, word for word: what ``statement.typ`` is filled with."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from reports.statements.printable import printable
from reports.statements.statement_grids import Cells, Grid, Value, grids, share, told
from reports.statements.statement_words import MEANS, PARTS, notes, parts_told, state_told
from spend.booked import USAGE
from spend.money import EXACT, rounded
from spend.statements.statement_lines import Figures, Line, no_coins
from spend.statements.statement_sides import exact_sum
from spend.statements.statements import BudgetLine, Statement, TeamPart
from spend.statements.why import amounts_of

_MOST_BARS: Final = 12
_LONG: Final = 24
"""Names longer than this may be broken anywhere that helps."""
_BREAK: Final = "\u200b"
_MINUS: Final = "\u2212"
_NO_NAME: Final = "–"  # noqa: RUF001 - a dash where a name would stand

_SMALL, _SMALLER, _MOST_COLUMNS = 8.5, 7.5, 8


def page_of(statement: Statement) -> dict[str, Any]:
    """All of it, as JSON can hold it."""
    who = f"Team {statement.team}" if statement.team else "All teams"
    month = statement.month
    steps = list(_steps(statement))
    return {
        "title": f"Statement {month}",
        "who": _name(who),
        "period": f"{month.first_day} to {month.last_day} ({statement.zone.key}), amounts in"
        f" {statement.currency}",
        "state": state_told(statement),
        "footer": _name(f"Statement {month}, {who}, {statement.currency}"),
        "figures": _figures(statement),
        "charts": list(_charts(statement)),
        "steps-heading": f"Why it is not what it was in {statement.before}",
        "steps": steps,
        "grids": [_grid(grid) for grid in grids(statement) if grid.name != "why"],
        "columns": [
            "Provider",
            "Model",
            month.name,
            "Billed",
            statement.before.name,
            "Difference",
            "Calls",
            "Tokens",
        ],
        "teams": [_team(part, statement.currency) for part in statement.parts],
        "total": list(_row(statement.total)),
        "notes": [_name(note) for note in _notes(statement)],
    }


def _name(text: str | None) -> str:
    """A name that fits: of a long one, each sign between words is a place to break it."""
    if not text:
        return _NO_NAME
    shown = printable(text)
    return " ".join(word if len(word) <= _LONG else _breakable(word) for word in shown.split(" "))


def _breakable(word: str) -> str:
    made, since = [], 0
    for sign in word:
        made.append(sign)
        since += 1
        if sign in "-/_.:@" or since == _LONG:
            made.append(_BREAK)
            since = 0
    return "".join(made)


def _coins(amount: Decimal | None) -> str:
    return _figure(amount, Cells.COINS)


def _figure(value: Value, cells: Cells) -> str:
    """A number with a minus as wide as a plus."""
    text = told(value, cells)
    return text if isinstance(value, str) else text.replace("-", _MINUS)


def _figures(statement: Statement) -> list[dict[str, str]]:
    total, spent = statement.total, statement.total.spent
    change = share(total.difference, total.last_amount)
    grown = f" ({change:+.1f} %)".replace("-", _MINUS) if isinstance(change, Decimal) else ""
    listed, contracted = total.coins.list_cost, total.coins.contracted_cost
    saved = "not all have one"
    if listed is not None and contracted is not None:
        saved = f"contracts save {_coins(EXACT.subtract(listed, contracted))}"
    return [
        {
            "name": "Effective cost",
            "told": _coins(total.amount),
            "said": f"{_figure(total.difference, Cells.CHANGE)}{grown} on {statement.before}",
        },
        {
            "name": "Billed",
            "told": _coins(total.coins.billed_cost),
            "said": "what is invoiced",
        },
        {
            "name": "At list prices",
            "told": _coins(total.coins.list_cost),
            "said": saved,
        },
        {
            "name": "Calls",
            "told": _figure(spent.calls, Cells.COUNT),
            "said": f"{_figure(spent.tokens, Cells.COUNT)} tokens",
        },
    ]


def _charts(statement: Statement) -> Iterator[dict[str, Any]]:
    providers: defaultdict[str, list[Decimal]] = defaultdict(list)
    for line in statement.lines:
        if line.figures.amount:
            providers[line.provider or _NO_NAME].append(line.figures.amount)
    teams = {part.team: part.figures.amount for part in statement.parts if part.figures.amount}
    by_provider = {name: exact_sum(amounts) for name, amounts in providers.items()}
    if len(teams) > 1:
        yield _chart("By team", teams)
    if by_provider:
        yield _chart("By provider", by_provider)


def _chart(heading: str, amounts: Mapping[str, Decimal]) -> dict[str, Any]:
    names = sorted(amounts, key=lambda name: (amounts[name].copy_abs().copy_negate(), name))
    shown = {name: amounts[name] for name in names[:_MOST_BARS]}
    if len(names) > _MOST_BARS + 1:
        rest = names[_MOST_BARS:]
        shown[f"{len(rest)} others"] = exact_sum(amounts[name] for name in rest)
    elif len(names) > _MOST_BARS:
        shown[names[-1]] = amounts[names[-1]]
    longest = max(amount.copy_abs() for amount in shown.values()) or Decimal(1)
    widest = max(len(name) for name in shown)
    return {
        "heading": heading,
        "names": min(34, max(12, 2 * widest)),
        "bars": [
            {
                "name": _name(name),
                "told": _coins(amount),
                "length": _thousandths(amount.copy_abs(), longest),
                "negative": amount < 0,
                "muted": name not in amounts,
            }
            for name, amount in shown.items()
        ],
    }


def _thousandths(part: Decimal, whole: Decimal) -> int:
    return int(part * 1000 / whole) if whole else 0


def _steps(statement: Statement) -> Iterator[dict[str, Any]]:
    """A waterfall: each step from where the one before ended."""
    if statement.total.difference is None or not any(amounts_of(statement.why)):
        return
    nothing = no_coins(statement.currency)
    total = statement.total
    first, last = (each or nothing for each in (total.last_amount, total.amount))
    moves = [(part, getattr(statement.why, part)) for part in parts_told(statement.why)]
    marks = [first]
    for _part, amount in moves:
        marks.append(EXACT.add(marks[-1], amount))
    low, high = min(nothing, *marks), max(nothing, *marks)
    moved = max(marks) - min(marks)
    if 4 * moved < high - low and min(marks) > 0:
        # Steps that nobody could see: the bars begin later.
        low = min(marks) - moved
    width = high - low

    def step(name: str, start: Decimal, end: Decimal, **more: Any) -> dict[str, Any]:
        return {
            "name": name,
            "start": _thousandths(max(min(start, end), low) - low, width),
            "length": _thousandths(max(start, end) - max(min(start, end), low), width),
            "cut": low > 0 and min(start, end) < low,
            **more,
        }

    whole = {"whole": True, "up": True, "because": ""}
    yield step(statement.before.name, nothing, first, told=_coins(total.last_amount), **whole)
    for place, (part, amount) in enumerate(moves):
        yield step(
            PARTS[part],
            marks[place],
            marks[place + 1],
            told=_figure(amount, Cells.CHANGE),
            whole=False,
            up=amount >= 0,
            because=MEANS[part],
        )
    yield step(statement.month.name, nothing, last, told=_coins(total.amount), **whole)


def _grid(grid: Grid) -> dict[str, Any]:
    many = len(grid.columns) > _MOST_COLUMNS
    return {
        "heading": grid.heading,
        "size": _SMALLER if many else _SMALL,
        "columns": [
            {"name": name, "cells": cells.value, "wide": False}
            for place, (name, cells) in enumerate(grid.columns)
        ],
        "rows": [
            {
                "sum": row.is_sum,
                "rule": row.is_sum,
                "cells": [_cell(value, cells, grid) for value, cells in row.cells(grid.columns)],
            }
            for row in grid.rows
        ],
    }


def _cell(value: Value, cells: Cells, grid: Grid) -> str:
    if isinstance(value, str):
        return _name(value) if value else ""
    # Of many parts most are nothing for most teams: what there is stands out.
    return "" if grid.name == "why_by_team" and not value else _figure(value, cells)


def _team(part: TeamPart, currency: str) -> dict[str, Any]:
    return {
        "name": _name(part.team),
        "figures": list(_row(part.figures)),
        "lines": [_line(line) for line in part.lines],
        "budgets": [_budget(budget, currency) for budget in part.budgets],
    }


def _line(line: Line) -> dict[str, Any]:
    model = _name(line.model)
    if line.kind != USAGE:
        model = f"{line.kind}: {model}" if line.model else line.kind
    return {
        "provider": _name(line.provider),
        "model": model,
        "usage": line.kind == USAGE,
        "figures": list(_row(line.figures)),
    }


def _row(figures: Figures) -> Iterator[str]:
    yield _coins(figures.amount)
    yield _coins(figures.coins.billed_cost)
    yield _coins(figures.last_amount)
    yield "" if figures.difference is None else _figure(figures.difference, Cells.CHANGE)
    yield _figure(figures.spent.calls, Cells.COUNT)
    yield _figure(figures.spent.tokens, Cells.COUNT)


def _budget(budget: BudgetLine, currency: str) -> dict[str, Any]:
    over = budget.difference < 0
    left = _coins(budget.difference.copy_abs())
    return {
        "name": _name(budget.name),
        "amount": _coins(rounded(budget.amount, currency)),
        "over": over,
        "told": f"{left} {'over' if over else 'left'}",
    }


def _notes(statement: Statement) -> Iterator[str]:
    yield from notes(statement)
    yield (
        "Amounts are rounded to whole coins so that lines add up to their team, and teams to the"
        " total. Exact amounts: as CSV, Parquet or JSON."
    )
    yield (
        "Effective: commitments are spread over what they were for. Billed: a commitment where it"
        " was bought, and nothing for what it covers."
    )
    if statement.books.hash:
        yield f"SHA-256 of the record that the month was closed with: {statement.books.hash}"
