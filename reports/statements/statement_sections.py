"""The parts of a statement below its lines, as small tables for a terminal."""

from collections.abc import Iterator
from typing import Final

from rich.table import Column, Table
from rich.text import Text

from reports.statements.statement_grids import Cells, Grid, Value, grids, told
from reports.tables.table_parts import shown_name
from spend.statements.statements import Statement

_TOO_WIDE: Final = frozenset({"why_by_team"})
"""What 80 columns cannot hold."""
_WORDY: Final = frozenset({"Because"})


def sections(statement: Statement) -> Iterator[tuple[str, Table]]:
    """Heading and table of each part that has something to say."""
    for grid in grids(statement):
        if grid.name not in _TOO_WIDE:
            yield grid.heading, _table(grid)


def _table(grid: Grid) -> Table:
    places = [place for place, (name, _cells) in enumerate(grid.columns) if name not in _WORDY]
    columns = [grid.columns[place] for place in places]
    table = Table(
        *(
            Column(name, justify="left" if cells is Cells.TEXT else "right")
            for name, cells in columns
        ),
        box=None,
        pad_edge=False,
        padding=(0, 3, 0, 0),
        header_style="bold",
    )
    for row in grid.rows:
        shown = [_text(*cell) for cell in row.cells(grid.columns)]
        table.add_row(*(shown[place] for place in places), style="bold" if row.is_sum else "")
    return table


def _text(value: Value, cells: Cells) -> Text:
    text = told(value, cells)
    return Text(shown_name(text) if text else "")
