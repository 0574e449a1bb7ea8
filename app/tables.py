"""Tables that commands print: as wide as they are, where no terminal says how much fits."""

from typing import Final

from rich.console import Console
from rich.table import Column, Table

ELSEWHERE: Final = 240
"""Columns where the output is no terminal: a pipe, a file."""


def right(header: str) -> Column:
    """A column of numbers."""
    return Column(header, justify="right", no_wrap=True)


def show(table: Table) -> None:
    """Prints a table, and cuts nothing off where nobody's window has to hold it."""
    console = Console()
    if not console.is_terminal:
        console.width = ELSEWHERE
    console.print(table)
