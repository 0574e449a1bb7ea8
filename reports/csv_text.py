"""Tables as CSV (RFC 4180) that a spreadsheet opens without running anything in it."""

import csv
import io
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final

from spend.money import plain

Value = str | int | Decimal | None

# What spreadsheets take for the beginning of a formula, in plain and in full width.
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 - spreadsheets take these too


def csv_text(header: Sequence[str], rows: Iterable[Sequence[Value]]) -> str:
    """A header and rows. Unknown values are empty; numbers stay numbers.

    Text that a spreadsheet would run as a formula gets an apostrophe in front (OWASP, "CSV
    injection"): a customer's name comes from the outside.
    """
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(header)
    for row in rows:
        writer.writerow([cell(value) for value in row])
    return out.getvalue()


def cell(value: Value) -> str:
    """One value, as ``csv_text`` writes it."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return plain(value)
    text = str(value)
    if isinstance(value, str) and text.startswith(_FORMULA_STARTS):
        return f"'{text}"
    return text
