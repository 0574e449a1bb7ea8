"""``spanledger prices discounts``: what changes list prices."""

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

import click
from rich.table import Column, Table
from rich.text import Text

from app.commands.price_import import by_option, is_json, nothing_taken, text_of
from app.database import database_for
from app.settings import read_settings
from app.tables import show_under
from spend.money import plain
from spend.prices.discount_files import REQUIRED, discount_lines
from spend.prices.discounts import UPLIFT, Discount
from spend.prices.repricings import Concerned
from spend.slots import slot_of
from spend.written_rows import RowsRefusedError, rows_of
from store.prices.discount_entries import DiscountHeldError, enter_discounts
from store.prices.discounts import every_discount
from store.tenants import TENANT


@click.group(
    "discounts",
    short_help="Discounts and regional surcharges.",
    epilog="\b\nExample:\n  spanledger prices discounts import discounts.csv",
)
def command() -> None:
    """What changes list prices: discounts that were agreed, and surcharges of regions (uplifts).

    They hold for the models of a provider by a pattern. A contract price is final: none applies.
    """


@command.command(
    "import",
    short_help="Take discounts and uplifts from a file.",
    epilog="\b\nExample:\n  spanledger prices discounts import discounts.csv",
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@by_option
def import_file(file: Path, by: str) -> None:
    """Take the discounts and uplifts of a CSV or JSON FILE: all of them, or none.

    Columns: kind (discount or uplift), provider, model (gpt-4o, gpt-4*, or * for all), percent,
    valid_from; and if needed valid_to, region, service_tier, meter, reference. A file of the same
    name corrects what it said before.
    """
    now = datetime.now(UTC)
    text = text_of(file)
    try:
        rows = rows_of(text, json=is_json(file, text), required=REQUIRED)
        said = discount_lines(rows, source=file.name, entered_by=by)
    except RowsRefusedError as refused:
        raise nothing_taken(file, list(map(str, refused.refusals))) from None
    try:
        with database_for(read_settings()) as database, database.write() as session:
            entered = enter_discounts(session, TENANT, said, now=now)
    except DiscountHeldError as held:
        where = f"discount {said.index(held.said) + 1}, valid_from: {held}"
        raise nothing_taken(file, [where]) from None
    click.echo(
        f"{len(said):,} discounts and uplifts read: {entered.opened:,} entered,"
        f" {entered.closed:,} closed"
    )
    starts = min(each.valid_from for each in said)
    if starts < now:
        concerned = Concerned(cells=0, starts=starts, ends=slot_of(now))
        click.echo(
            "what was charged keeps its cost. To have it go by the book as it is now (--dry-run"
            f" shows it):\n  {concerned.command}"
        )


@command.command("list", epilog="\b\nExample:\n  spanledger prices discounts list")
def list_all() -> None:
    """Show the discounts and uplifts that are believed, the first entered first."""
    with database_for(read_settings()) as database, database.read() as session:
        found = every_discount(session, TENANT)
    if not found:
        click.echo("no discounts and no uplifts: spanledger prices discounts import FILE")
        return
    for place, (said, lines) in enumerate(groupby(found, _said)):
        show_under(said, "", _table(lines, header=place == 0))


def _said(each: Discount) -> str:
    by = f"entered by {each.entered_by}" if each.entered_by else ""
    return ", ".join(filter(None, (each.source, each.reference, by)))


def _table(lines: Iterable[Discount], *, header: bool) -> Table:
    # Of one width, so that the tables of several files stand in line; 80 columns hold them.
    table = Table(
        Column("id", justify="right", no_wrap=True, min_width=6),
        Column("provider", overflow="fold", min_width=12, max_width=12),
        Column("models", overflow="fold", min_width=24, max_width=24),
        Column("%", justify="right", no_wrap=True, min_width=8),
        Column("from (UTC)", no_wrap=True),
        Column("to", no_wrap=True, min_width=10),
        show_header=header,
        box=None,
        pad_edge=False,
    )
    for each in lines:
        sign = "+" if each.kind == UPLIFT else "-"
        table.add_row(
            str(each.id),
            Text(each.provider),
            Text(_models(each)),
            f"{sign}{plain(each.percent)}",
            f"{each.valid_from.astimezone(UTC):%Y-%m-%d}",
            f"{each.valid_to.astimezone(UTC):%Y-%m-%d}" if each.valid_to else "",
        )
    return table


def _models(each: Discount) -> str:
    """The pattern, and what else it is limited to."""
    return " ".join(filter(None, (each.model, each.region, each.service_tier, each.meter)))
