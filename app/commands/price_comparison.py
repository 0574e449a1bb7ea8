"""``spanledger prices compare``: where the two public lists disagree."""

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Final

import click
from rich.table import Column, Table
from rich.text import Text

from app.database import database_for
from app.settings import read_settings
from app.tables import right, show
from spend.discrepancies import ABOVE, DISPUTED, STATES, Compared, counted
from spend.money import plain
from store.price_comparison import price_comparison
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
    if found:
        show(_table(found[:MOST_SHOWN]))
    if len(found) > MOST_SHOWN:
        click.echo(f"and {len(found) - MOST_SHOWN:,} more")
    told = ", ".join(f"{count:,} {name}" for name, count in counted(every).items())
    click.echo(f"{len(every):,} prices compared: {told}; the list wins where it has one")


def _table(found: list[Compared]) -> Table:
    table = Table(
        Column("model", overflow="fold"),
        Column("meter", overflow="fold"),
        *(right("list"), right("other"), right("%"), right("calls")),
        box=None,
        pad_edge=False,
    )
    for each in found:
        table.add_row(
            Text(f"{each.provider} {each.model}"),
            Text(_what(each)),
            _shown(each.list_price),
            _shown(each.supplement_price),
            "" if each.difference is None else f"{each.difference:+}",
            f"{each.calls:,}" if each.calls else "",
        )
    return table


def _shown(price: Decimal | None) -> str:
    return "" if price is None else plain(price)


def _what(each: Compared) -> str:
    above = f"above {each.above_tokens:,}" if each.above_tokens else ""
    return " ".join(filter(None, (each.meter, each.region, each.service_tier, above)))
