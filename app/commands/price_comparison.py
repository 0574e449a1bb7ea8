"""``spanledger prices compare``: where the two public lists disagree."""

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from itertools import groupby
from typing import Final

import click
from rich.table import Column, Table
from rich.text import Text

from app.database import database_for
from app.settings import read_settings
from app.tables import show_under
from spend.money import plain
from spend.prices.discrepancies import ABOVE, DISPUTED, STATES, Compared, counted
from store.prices.price_comparison import price_comparison
from store.tenants import TENANT

MOST_SHOWN: Final = 200


class _PercentType(click.ParamType[Decimal]):
    name = "percent"

    def convert(
        self, value: str | Decimal, param: click.Parameter | None, ctx: click.Context | None
    ) -> Decimal:
        try:
            percent = Decimal(value)
        except InvalidOperation:
            self.fail("write a number such as 0.5", param, ctx)
        if not percent.is_finite() or percent < 0:
            self.fail("must not be negative", param, ctx)
        return percent


@click.command(
    "compare",
    short_help="Show where the public lists disagree.",
    epilog="\b\nExample:\n  spanledger prices compare --above 5 --used",
)
@click.option(
    "--above",
    type=_PercentType(),
    default=str(ABOVE),
    show_default=True,
    help="Per cent: what differs by less agrees.",
)
@click.option(
    "--state", type=click.Choice(STATES), default=DISPUTED, show_default=True, help="Which to show."
)
@click.option("--used", is_flag=True, help="Only models that were called in the last 30 days.")
def command(above: Decimal, state: str, used: bool) -> None:
    """Show where the public list and the supplement disagree, the furthest apart first.

    The list wins wherever it has a price: nothing is picked because the other is cheaper. What is
    in dispute is for somebody to look up; what holds can be entered as a contract price.
    """
    with database_for(read_settings()) as database, database.read() as session:
        every = price_comparison(session, TENANT, at=datetime.now(UTC), above=above)
    found = [each for each in every if each.state == state and (each.calls or not used)]
    for place, (model, lines) in enumerate(groupby(found[:MOST_SHOWN], _model)):
        show_under(model, "", _table(lines, header=place == 0))
    if len(found) > MOST_SHOWN:
        click.echo(f"and {len(found) - MOST_SHOWN:,} more")
    told = ", ".join(f"{count:,} {name}" for name, count in counted(every).items())
    click.echo(f"{len(every):,} prices compared: {told}")
    click.echo("the list wins where it has one")


def _model(each: Compared) -> str:
    calls = f": {each.calls:,} calls in 30 days" if each.calls else ""
    return f"{each.provider} {each.model}{calls}"


def _table(lines: Iterable[Compared], *, header: bool) -> Table:
    # Of one width, so that the tables of several models stand in line; 80 columns hold them.
    table = Table(
        Column("", min_width=2),
        Column("meter", overflow="fold", min_width=30, max_width=30),
        *(
            Column(name, justify="right", no_wrap=True, min_width=12)
            for name in ("list", "supplement", "%")
        ),
        show_header=header,
        box=None,
        pad_edge=False,
    )
    for each in lines:
        difference = "" if each.difference is None else f"{each.difference:+}"
        prices = (_shown(each.list_price), _shown(each.supplement_price))
        table.add_row("", Text(_what(each)), *prices, difference)
    return table


def _shown(price: Decimal | None) -> str:
    return "" if price is None else plain(price)


def _what(each: Compared) -> str:
    above = f"above {each.above_tokens:,}" if each.above_tokens else ""
    return " ".join(filter(None, (each.meter, each.region, each.service_tier, above)))
