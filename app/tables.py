"""Tables that commands print: as wide as they are, where no terminal says how much fits."""

import io
from datetime import UTC, datetime
from typing import Final

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Column, Table
from rich.text import Text

ELSEWHERE: Final = 240
"""Columns where the output is no terminal: a pipe, a file."""

NARROWEST: Final = 80
WIDEST: Final = 120
"""Columns of a report. Where the output is no terminal (a mail), it has the most."""


def right(header: str) -> Column:
    """A column of numbers."""
    return Column(header, justify="right", no_wrap=True)


def shown(moment: datetime) -> str:
    """A moment in UTC; midnight as its day, for columns that are to stay narrow."""
    moment = moment.astimezone(UTC)
    return f"{moment:%Y-%m-%d}" if moment.hour == moment.minute == 0 else f"{moment:%Y-%m-%d %H:%M}"


def show(table: Table) -> None:
    """Prints a table, and cuts nothing off where nobody's window has to hold it."""
    _console().print(table)


def show_under(heading: str, said: str, table: Table) -> None:
    """Prints a table under whose it is, and what more there is to say of all of it."""
    console = _console()
    console.print(Text(heading, style="bold", overflow="fold"))
    if said:
        console.print(Padding(Text(said, overflow="fold"), (0, 0, 0, 2), expand=False))
    console.print(table)


def show_lines(heading: str, *said: str) -> None:
    """Prints a heading, and what there is to say of it in lines below."""
    console = _console()
    console.print(Text(heading, style="bold", overflow="fold"))
    for line in said:
        console.print(Padding(Text(line, overflow="fold"), (0, 0, 0, 2), expand=False))


def _console() -> Console:
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = ELSEWHERE
    return console


def show_report(report: RenderableType) -> None:
    """Prints what is made to be read as a page."""
    console = Console(highlight=False)
    console.width = min(max(console.width, NARROWEST), WIDEST) if console.is_terminal else WIDEST
    console.print(report)


def report_text(report: RenderableType) -> str:
    """The same as plain text, for a file."""
    console = Console(highlight=False, width=WIDEST, file=io.StringIO(), color_system=None)
    with console.capture() as shown:
        console.print(report)
    return shown.get()
