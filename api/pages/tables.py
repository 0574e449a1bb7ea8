"""A table of a page: one description, shown as HTML (``templates/parts.html``) and sent as CSV.

A cell holds the exact value; the column says how a reader is shown it.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from markupsafe import Markup

from reports.csv_text import Value, csv_text
from reports.csv_text import cell as cell_text
from spend.moments import moment_text

Held = str | int | Decimal | datetime | date | None
"""What a cell holds: None is unknown."""

RIGHT: Final = frozenset(
    {"money", "difference", "unit_price", "number", "short", "percent", "ms", "size"}
)
"""Kinds that stand right-aligned, in figures of one width."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column. ``kind`` is a method of ``Formats``, or text."""

    name: str
    """What CSV calls it."""
    title: str
    kind: str = "text"
    """text | money | difference | unit_price | number | short | percent | ms | size | when | day |
    month"""
    hint: str = ""
    """What it means, where the title does not say."""
    narrow: bool = True
    """Whether it is shown on a phone."""
    csv: bool = True
    """Whether CSV has it: not a column of buttons."""
    shown: bool = True
    """Whether the page shows it: not what stands in another cell there."""

    @property
    def right(self) -> bool:
        """Whether it is of figures."""
        return self.kind in RIGHT


@dataclass(frozen=True, slots=True)
class Cell:
    """A value that is more than its value."""

    value: Held
    href: str | None = None
    show: str | Markup | None = None
    """Shown instead of the value in its column's manner."""
    note: str | None = None
    """A second, small line."""
    tone: str = ""
    """good | warn | bad | quiet, or nothing."""
    currency: str | None = None
    """Of money in another currency than the table's."""
    colour: str | None = None
    """A swatch before it: the hue that it has in charts."""
    bar: str | None = None
    """Shown as a bar too, of this tone or '': the value is a share, 1 is all."""


@dataclass(frozen=True, slots=True)
class Table:
    """Columns and rows, by the columns' names: values, or Cells."""

    columns: Sequence[Column]
    rows: Sequence[Mapping[str, Held | Cell]]
    caption: str
    """What it is a table of: for readers of screens, and above it where nothing else is."""
    file: str = "table"
    """What its CSV is called, ASCII, without the end."""
    currency: str = "USD"
    total: Mapping[str, Held | Cell] | None = None
    empty: str = "Nothing here."
    """What is said instead of rows."""
    sort: str | None = None
    """The column that the rows are sorted by, with ``-`` in front if descending; None: columns are
    no links."""
    sums: Collection[int] = ()
    """Places of rows that are sums of others: shown so, and not in CSV."""

    def csv(self) -> str:
        """Header and rows, exact; without sums and total, so that a column's sum is right."""
        told = [column for column in self.columns if column.csv]
        rows = [
            [_plain(cell_of(row.get(each.name)).value) for each in told]
            for place, row in enumerate(self.rows)
            if place not in self.sums
        ]
        return csv_text([each.name for each in told], rows)


def cell_of(held: Held | Cell) -> Cell:
    """A cell, whatever a row holds."""
    return held if isinstance(held, Cell) else Cell(held)


def sorted_rows(
    rows: Sequence[Mapping[str, Held | Cell]], sort: str
) -> list[Mapping[str, Held | Cell]]:
    """Rows by a column; what is unknown comes last either way."""
    name, backwards = sort.removeprefix("-"), sort.startswith("-")
    value: Callable[[Mapping[str, Held | Cell]], Any] = lambda row: cell_of(row.get(name)).value  # noqa: E731 - said twice below
    known = [row for row in rows if value(row) is not None]
    return sorted(known, key=value, reverse=backwards) + [row for row in rows if value(row) is None]


def exact_text(cell: Cell, column: Column) -> str:
    """What a pointer on a figure shows: all of its digits."""
    if not column.right or cell.value is None:
        return ""
    return cell_text(_plain(cell.value))


def _plain(value: Held) -> Value:
    if isinstance(value, datetime):
        return moment_text(value)
    return value.isoformat() if isinstance(value, date) else value
