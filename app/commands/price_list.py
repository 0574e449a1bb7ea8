"""``spanledger prices list``: the lines of the price book, by what they are for."""

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import groupby
from typing import Final

import click
from rich.table import Column, Table
from rich.text import Text

from app.database import database_for
from app.settings import read_settings
from app.tables import show_under, shown
from spend.money import plain
from spend.prices.prices import PriceLine
from store.prices import price_pages
from store.tenants import TENANT

MOST_SHOWN: Final = 200


@click.command(
    "list",
    short_help="Show price lines.",
    epilog="\b\nExample:\n  spanledger prices list --provider openai --model gpt-4o",
)
@click.option("--provider", help="Of this provider only.")
@click.option("--model", help="Of this model only; with a provider also what it is listed by.")
@click.option("--all-times", is_flag=True, help="Not only what holds now.")
def command(provider: str | None, model: str | None, all_times: bool) -> None:
    """Show price lines: what 1,000,000 units of a meter cost, who says so, and who entered it."""
    now = datetime.now(UTC)
    with database_for(read_settings()) as database, database.read() as session:
        found = price_pages.page(
            session,
            TENANT,
            provider=provider,
            model=model,
            at=None if all_times else now,
            at_most=MOST_SHOWN + 1,
        )
    if not found:
        click.echo("no such prices: fill the list with spanledger prices refresh")
        return
    for place, (heading, lines) in enumerate(groupby(found[:MOST_SHOWN], _heading)):
        show_under(*heading, _table(lines, header=place == 0))
    if len(found) > MOST_SHOWN:
        click.echo(f"and more: these are the first {MOST_SHOWN}; name a provider or a model")


def _heading(line: PriceLine) -> tuple[str, str]:
    """Whose model it is; and which book says so, from where, entered by whom."""
    by = f"entered by {line.entered_by}" if line.entered_by else ""
    said = (f"{line.book}, {line.currency} for 1M", line.source, line.reference, by)
    return f"{line.provider} {line.model}", ", ".join(filter(None, said))


def _table(lines: Iterable[PriceLine], *, header: bool) -> Table:
    # Of one width, so that the tables of several models stand in line; 80 columns hold them.
    table = Table(
        Column("id", justify="right", no_wrap=True, min_width=8),
        Column("meter", overflow="fold", min_width=32, max_width=32),
        Column("price", justify="right", no_wrap=True, min_width=12),
        Column("from (UTC)", no_wrap=True),
        Column("to", no_wrap=True, min_width=10),
        show_header=header,
        box=None,
        pad_edge=False,
    )
    for line in lines:
        table.add_row(
            str(line.id),
            Text(_what(line)),
            plain(line.unit_price),
            shown(line.valid_from),
            shown(line.valid_to) if line.valid_to else "",
        )
    return table


def _what(line: PriceLine) -> str:
    """The meter, and where it does not hold for every call, for which."""
    parts = [line.meter, line.region, line.service_tier]
    if line.above_tokens:
        parts.append(f"above {line.above_tokens:,}")
    if line.above_monthly:
        parts.append(f"above {line.above_monthly:,} a month")
    return " ".join(filter(None, parts))
