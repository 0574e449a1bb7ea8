"""A statement as CSV: its lines and nothing else, so that a column's sum is its total."""

from typing import Final

from reports.csv_text import csv_text
from reports.statements.statement_columns import COLUMNS
from spend.statements.statements import Statement

HEADER: Final = tuple(column.name for column in COLUMNS)


def statement_csv(statement: Statement) -> str:
    """The lines of a statement, with HEADER above them. Unknown is empty."""
    rows = ([column.of(statement, line) for column in COLUMNS] for line in statement.lines)
    return csv_text(HEADER, rows)
