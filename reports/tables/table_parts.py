"""What tables for a terminal are made of: amounts, names, small tables."""

from decimal import Decimal
from typing import Final

from rich.table import Column, Table

from spend.money import minor_digits

UNKNOWN: Final = "unknown"
_NO_NAME: Final = "–"  # noqa: RUF001 - a dash where a name would stand


def small_table(*headers: str, words: int = 1) -> Table:
    """A table without lines: so many columns of words, then numbers."""
    columns = [
        Column(header, justify="left" if place < words else "right")
        for place, header in enumerate(headers)
    ]
    return Table(*columns, box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")


def shown_money(amount: Decimal, currency: str) -> str:
    """An amount that was rounded to whole coins, with commas."""
    return f"{amount:,.{minor_digits(currency)}f}"


def signed_money(amount: Decimal, currency: str) -> str:
    """A difference, with its sign."""
    return f"{amount:+,.{minor_digits(currency)}f}" if amount else shown_money(amount, currency)


def shown_name(name: str | None) -> str:
    """A name from the outside, without what a terminal would obey."""
    if not name:
        return _NO_NAME
    return "".join(each if each.isprintable() else "�" for each in name)
