"""A statement as a workbook (XLSX), a sheet for each part.

Amounts in whole coins are numbers, so that a spreadsheet can go on with them; totals are values, no
formulas. A spreadsheet's number is a float of 15 digits: exact amounts are text. What comes from
outside is written as text whatever it begins with, so no cell is ever run.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from reports.statements.printable import printable
from reports.statements.statement_columns import COLUMNS, Holds
from reports.statements.statement_grids import Cells, Grid, GridRow, Value, grids
from reports.statements.statement_words import UNKNOWN, notes, state_told
from spend.booked import USAGE
from spend.money import minor_digits
from spend.statements.statement_lines import Figures, Line
from spend.statements.statement_sides import BASES
from spend.statements.statements import Statement

_SHEETS: Final = (
    ("Why", ("why", "why_by_team")),
    ("Where", ("where",)),
    ("Pools & commitments", ("pools", "commitments")),
    ("Corrections", ("corrections",)),
    ("Unpriced", ("unpriced",)),
)
"""Sheet -> its grids (reports/statements/statement_grids.py)."""

_WIDTHS: Final = {Holds.TEXT: 18, Holds.COINS: 15, Holds.EXACT: 26, Holds.COUNT: 14}
_WIDER: Final = {"model": 38, "team": 24}
_OF_LINES: Final = frozenset({"provider", "model", "kind"})
"""What a total has none of."""

_NOT_EXACT: Final = (
    "Amounts are rounded to whole coins so that lines add up to their team, and teams to the total."
    " Exact amounts are text, as a spreadsheet's numbers have 15 digits only: --format json, csv or"
    " parquet has them as they are."
)


@dataclass(frozen=True, slots=True)
class _Styles:
    text: Format
    head: Format
    title: Format
    note: Format
    right: Format
    sum_right: Format
    by_cells: dict[Cells, Format]
    sums: dict[Cells, Format]


def statement_workbook(statement: Statement) -> bytes:
    """The file. The same statement gives the same bytes."""
    out = io.BytesIO()
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with xlsxwriter.Workbook(out, options) as book:
        book.set_properties(
            {
                "title": f"Statement {statement.month}",
                # When it was written would make each file another one.
                "created": datetime(2000, 1, 1),  # noqa: DTZ001 - the library takes local time
            }
        )
        styles = _styles(book, statement.currency)
        _summary(book.add_worksheet("Summary"), styles, statement)
        _lines(book.add_worksheet("Lines"), styles, statement)
        found = {grid.name: grid for grid in grids(statement)}
        for name, parts in _SHEETS:
            sheet = _Sheet(book.add_worksheet(name), styles)
            for grid in (found[part] for part in parts if part in found):
                sheet.grid(grid)
            if not any(part in found for part in parts):
                sheet.words("Nothing of this kind in this month.", styles.note)
        sheet = _Sheet(book.add_worksheet("Notes"), styles)
        for note in (*notes(statement), _NOT_EXACT):
            sheet.words(note, styles.text)
        if "rates" in found:
            sheet.words("", styles.text)
            sheet.grid(found["rates"])
    return out.getvalue()


def _styles(book: xlsxwriter.Workbook, currency: str) -> _Styles:
    digits = minor_digits(currency)
    coins = "#,##0" + (f".{'0' * digits}" if digits else "")
    numbers = {
        Cells.TEXT: "@",
        Cells.COINS: f"{coins};[Red]-{coins}",
        Cells.CHANGE: f"+{coins};[Red]-{coins};{coins}",
        Cells.COUNT: "#,##0",
        Cells.SHARE: '0.0" %"',
    }
    return _Styles(
        text=book.add_format({"num_format": "@"}),
        head=book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "bottom"}),
        title=book.add_format({"bold": True, "font_size": 14}),
        note=book.add_format({"font_color": "#666666"}),
        right=book.add_format({"num_format": "@", "align": "right"}),
        sum_right=book.add_format({"num_format": "@", "align": "right", "bold": True, "top": 1}),
        by_cells={cells: book.add_format({"num_format": n}) for cells, n in numbers.items()},
        sums={
            cells: book.add_format({"num_format": n, "bold": True, "top": 1})
            for cells, n in numbers.items()
        },
    )


class _Sheet:
    """A worksheet that is written from the top down, as constant memory asks for."""

    def __init__(self, sheet: Worksheet, styles: _Styles) -> None:
        self._sheet, self._styles, self._row = sheet, styles, 0
        sheet.set_column(0, 1, 28)
        sheet.set_column(2, 12, 16)
        sheet.hide_gridlines(2)

    def words(self, text: str, style: Format) -> None:
        self._sheet.write_string(self._row, 0, printable(text), style)
        self._row += 1

    def grid(self, grid: Grid) -> None:
        self.words(grid.heading, self._styles.title)
        for place, (name, _cells) in enumerate(grid.columns):
            self._sheet.write_string(self._row, place, name, self._styles.head)
        self._row += 1
        for row in grid.rows:
            formats = self._styles.sums if row.is_sum else self._styles.by_cells
            for place, (value, cells) in enumerate(row.cells(grid.columns)):
                _write(self._sheet, self._row, place, value, formats[cells])
            self._row += 1
        self._row += 1


def _write(sheet: Worksheet, row: int, place: int, value: Value, style: Format) -> None:
    if value is None:
        sheet.write_string(row, place, UNKNOWN, style)
    elif isinstance(value, str):
        sheet.write_string(row, place, printable(value), style)
    else:
        sheet.write_number(row, place, value, style)


def _summary(worksheet: Worksheet, styles: _Styles, statement: Statement) -> None:
    sheet = _Sheet(worksheet, styles)
    who = f"team {statement.team}" if statement.team else "all teams"
    sheet.words(f"Statement {statement.month}, {who}", styles.title)
    sheet.words(
        f"{statement.month.first_day} to {statement.month.last_day} ({statement.zone.key}),"
        f" amounts in {statement.currency}",
        styles.text,
    )
    sheet.words(state_told(statement), styles.text)
    if statement.books.hash:
        sheet.words(f"Hash of the record: {statement.books.hash}", styles.note)
    sheet.words("", styles.text)
    sheet.grid(_bases(statement))
    sheet.grid(_teams(statement))
    for note in notes(statement):
        sheet.words(note, styles.note)


def _bases(statement: Statement) -> Grid:
    total = statement.total
    rows = [
        GridRow(
            (
                name,
                getattr(total.coins, base),
                _text(getattr(total.spent, base)),
            ),
            is_sum=base == "cost",
        )
        for base, name in zip(
            BASES, ("Effective", "At list prices", "As contracted", "Billed"), strict=True
        )
    ]
    rows.append(GridRow((f"Effective in {statement.before}", total.last_amount, "")))
    return Grid(
        "bases",
        "Total",
        (("", Cells.TEXT), (statement.currency, Cells.COINS), ("Exact", Cells.TEXT)),
        tuple(rows),
    )


def _teams(statement: Statement) -> Grid:
    rows = [GridRow((part.team, *_of(part.figures))) for part in statement.parts]
    rows.append(GridRow(("Total", *_of(statement.total)), is_sum=True))
    return Grid(
        "teams",
        "Teams",
        (
            ("Team", Cells.TEXT),
            (statement.month.name, Cells.COINS),
            (statement.before.name, Cells.COINS),
            ("Difference", Cells.CHANGE),
            ("Billed", Cells.COINS),
            ("Calls", Cells.COUNT),
            ("Tokens", Cells.COUNT),
        ),
        tuple(rows),
    )


def _of(figures: Figures) -> Iterator[Value]:
    yield figures.amount
    yield figures.last_amount
    yield figures.difference
    yield figures.coins.billed_cost
    yield figures.spent.calls
    yield figures.spent.tokens


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:f}"


def _lines(sheet: Worksheet, styles: _Styles, statement: Statement) -> None:
    lines = statement.lines
    for place, column in enumerate(COLUMNS):
        sheet.set_column(place, place, _WIDER.get(column.name, _WIDTHS[column.holds]))
        sheet.write_string(0, place, column.name.replace("_", " "), styles.head)
    sheet.freeze_panes(1, 5)
    sheet.autofilter(0, 0, len(lines), len(COLUMNS) - 1)
    formats = {
        Holds.TEXT: styles.text,
        Holds.COINS: styles.by_cells[Cells.COINS],
        Holds.EXACT: styles.right,
        Holds.COUNT: styles.by_cells[Cells.COUNT],
    }
    for row, line in enumerate(lines, 1):
        for place, column in enumerate(COLUMNS):
            value = column.of(statement, line)
            _write(sheet, row, place, _cell(value, column.holds), formats[column.holds])
    whole = Line("Total", None, None, USAGE, statement.total)
    sums = {
        Holds.TEXT: styles.sums[Cells.TEXT],
        Holds.COINS: styles.sums[Cells.COINS],
        Holds.EXACT: styles.sum_right,
        Holds.COUNT: styles.sums[Cells.COUNT],
    }
    for place, column in enumerate(COLUMNS):
        value = "" if column.name in _OF_LINES else column.of(statement, whole)
        cell = _cell(value, column.holds)
        _write(sheet, len(lines) + 1, place, cell, sums[column.holds])


def _cell(value: Value, holds: Holds) -> Value:
    """What a cell has: of an exact amount its digits; of a name that nobody said, nothing."""
    if holds is Holds.TEXT and value is None:
        return ""
    return f"{value:f}" if holds is Holds.EXACT and isinstance(value, Decimal) else value
