"""``spanledger doctor``: what one would forget to check."""

from datetime import UTC, datetime
from typing import Final

import click
from rich.table import Table

from app.examination import State, examine
from app.logs import configure_logs
from app.settings import read_settings
from app.tables import show

_COLOURS: Final = {State.WELL: "green", State.LOOK: "yellow", State.WRONG: "bold red"}


@click.command(
    short_help="Check what one would forget to check", epilog="\b\nExample:\n  spanledger doctor"
)
@click.pass_context
def command(context: click.Context) -> None:
    """Check what one would forget to check: database, clock, partitions, jobs, prices, disk.

    Changes nothing. Exits with 1 when something is wrong.
    """
    settings = read_settings()
    configure_logs("doctor")
    findings = list(examine(settings, datetime.now(UTC)))
    table = Table(box=None, pad_edge=False, show_header=False)
    for finding in findings:
        colour = _COLOURS[finding.state]
        table.add_row(finding.what, f"[{colour}]{finding.state.value}[/]", finding.said)
    show(table)
    context.exit(any(finding.state is State.WRONG for finding in findings))
