"""Turns groups of calls into lines and columns. Every sum is exact, of all lines and all columns.

What is shown of it may be less: ``cut`` puts the smallest together, and loses nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from spend.totals import Totals, together

Label = str | None
"""A value of a dimension, or the name of a stretch of time; None: nothing was said."""
Keys = tuple[Label, ...]
Measure = Callable[[Totals], Decimal | int | None]
"""What is looked at of a group; None: unknown."""


@dataclass(frozen=True, slots=True)
class Line:
    """One value of each dimension of the lines, and what there is of it in each column."""

    keys: Keys
    cells: Mapping[Label, Totals]
    """Columns in which there is nothing are absent."""
    total: Totals
    before: Totals | None = None
    """The same of the time that it is compared with; None: nothing was there."""


@dataclass(frozen=True, slots=True)
class Pivot:
    """Lines, largest first, and their sums."""

    columns: tuple[Label, ...]
    lines: tuple[Line, ...]
    total: Line
    """Of all lines, without keys."""


def pivot(
    groups: Mapping[Keys, Totals],
    place: Callable[[Keys], tuple[Keys, Label]],
    *,
    measure: Measure,
    columns: Sequence[Label] | None = None,
    before: Mapping[Keys, Totals] | None = None,
) -> Pivot:
    """Groups in lines and columns, which ``place`` tells of each.

    ``columns``: these in their order; None: those that there are, largest first. ``before`` has the
    keys of lines: lines that only it has are there too.
    """
    cells: dict[Keys, dict[Label, list[Totals]]] = {}
    for key, totals in groups.items():
        line, column = place(key)
        cells.setdefault(line, {}).setdefault(column, []).append(totals)
    for line in before or ():
        cells.setdefault(line, {})
    lines = [_line(keys, found, before) for keys, found in cells.items()]
    total = _sum((), lines, compared=before is not None)
    if columns is None:
        columns = sorted(total.cells, key=lambda label: _order(measure(total.cells[label]), label))
    lines.sort(key=lambda line: (_order(measure(line.total)), -line.total.calls, _named(line.keys)))
    return Pivot(tuple(columns), tuple(lines), total)


def cut(found: Pivot, *, lines: int) -> tuple[tuple[Line, ...], Line | None]:
    """The first lines, and the sum of the others; None: there are no others."""
    # One line more is no longer than the line that says that there is one.
    if len(found.lines) <= lines + 1:
        return found.lines, None
    rest = found.lines[lines:]
    compared = found.total.before is not None
    return found.lines[:lines], _sum((), rest, compared=compared)


def _line(
    keys: Keys, cells: Mapping[Label, Sequence[Totals]], before: Mapping[Keys, Totals] | None
) -> Line:
    sums = {label: together(totals) for label, totals in cells.items()}
    return Line(keys, sums, together(sums.values()), before.get(keys) if before else None)


def _sum(keys: Keys, lines: Sequence[Line], *, compared: bool) -> Line:
    cells: dict[Label, list[Totals]] = {}
    for line in lines:
        for label, totals in line.cells.items():
            cells.setdefault(label, []).append(totals)
    earlier = [line.before for line in lines if line.before is not None]
    return Line(
        keys,
        {label: together(totals) for label, totals in cells.items()},
        together(line.total for line in lines),
        together(earlier) if compared else None,
    )


def _order(value: Decimal | int | None, label: Label = "") -> tuple[bool, Decimal | int, bool, str]:
    """Largest first, what is unknown after it, what has no name after what has one."""
    return (value is None, -(value or 0), label is None, label or "")


def _named(keys: Keys) -> list[tuple[bool, str]]:
    return [(key is None, key or "") for key in keys]
