"""A statement as a file, by the end of its name."""

from collections.abc import Callable, Mapping
from typing import Final

from reports.statements.statement_csv import statement_csv
from reports.statements.statement_parquet import statement_parquet
from reports.statements.statement_pdf import statement_pdf
from reports.statements.statement_workbook import statement_workbook
from spend.statements.statements import Statement


def _csv(statement: Statement) -> bytes:
    return statement_csv(statement).encode()


WRITERS: Final[Mapping[str, Callable[[Statement], bytes]]] = {
    "csv": _csv,
    "parquet": statement_parquet,
    "xlsx": statement_workbook,
    "pdf": statement_pdf,
}
"""End of a file's name -> what writes it."""
