"""``spanledger rates``: exchange rates, shown and taken from files."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

import click
from rich.table import Column, Table
from rich.text import Text

from app.commands.price_import import by_option, nothing_taken, text_of
from app.database import database_for
from app.settings import read_settings
from app.tables import right, show
from spend.currencies.currencies import CODES
from spend.currencies.rate_files import Writing, rates_in
from spend.money import plain
from spend.written_rows import RowsRefusedError
from store import rates
from store.tenants import TENANT

MOST_SHOWN: Final = 200


def _code(_context: click.Context, _option: click.Parameter, value: str | None) -> str | None:
    code = value.upper() if value else None
    if code is not None and code not in CODES:
        raise click.BadParameter(f"{value!r} is no currency code of ISO 4217")
    return code


@click.group(
    short_help="Show and import exchange rates",
    epilog="\b\nExample:\n  spanledger rates import eurofxref-hist.csv --source ecb",
)
def command() -> None:
    """Show and import exchange rates.

    A charge stays in the currency of its price. Reports convert sums, exactly, at rates that were
    entered here: nothing is fetched. What has no rate is shown in its own currency.

    More: docs/currencies.md
    """


@command.command(
    "import",
    short_help="Take exchange rates from a file.",
    epilog="\b\nExample:\n  spanledger rates import eurofxref-hist.csv --source ecb",
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--base", default="EUR", show_default=True, callback=_code, help="Of a wide file.")
@click.option("--source", help="Of a wide file: who publishes it. Default: the file's name.")
@click.option("--correct", is_flag=True, help="Replace rates of days that have another one.")
@by_option
def import_file(file: Path, base: str, source: str | None, correct: bool, by: str) -> None:
    """Take the exchange rates of a CSV FILE: all of them, or none.

    Columns: date, from, to, rate, source, and if needed reference. Or a wide file, as central banks
    publish it: Date, then a column for each currency with how much of it one unit of --base is.
    """
    writing = Writing(
        today=datetime.now(UTC).date(), entered_by=by, source=source or file.name, base=base
    )
    text = text_of(file)
    try:
        said = rates_in(text, writing)
        with database_for(read_settings()) as database, database.write() as session:
            done = rates.enter(
                session, TENANT, said, correct=correct, clock=lambda: datetime.now(UTC)
            )
    except rates.RatesHeldError as held:
        told = [*map(str, held.refusals), "where they were wrong, say --correct"]
        raise nothing_taken(file, told) from None
    except RowsRefusedError as refused:
        raise nothing_taken(file, list(map(str, refused.refusals))) from None
    click.echo(
        f"{len(said):,} rates read: {done.entered:,} entered, {done.corrected:,} corrected,"
        f" {done.same:,} known already"
    )


@command.command(
    "list",
    short_help="Show exchange rates.",
    epilog="\b\nExample:\n  spanledger rates list --from EUR --to USD --since 2026-10-01",
)
@click.option("--from", "from_currency", callback=_code, help="From this currency only.")
@click.option("--to", "to_currency", callback=_code, help="To this currency only.")
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="Of this day and later.")
def list_rates(from_currency: str | None, to_currency: str | None, since: datetime | None) -> None:
    """Show exchange rates as they are known now, the last days first."""
    with database_for(read_settings()) as database, database.read() as session:
        found = rates.last_days(
            session,
            TENANT,
            from_currency=from_currency,
            to_currency=to_currency,
            first=since.date() if since else date.min,
            at_most=MOST_SHOWN + 1,
        )
    if not found:
        click.echo("no such rates: take them from a file with spanledger rates import")
        return
    table = Table(
        *("day", "from", "to", right("rate"), Column("source", overflow="fold"), "entered by"),
        right("id"),
        box=None,
        pad_edge=False,
    )
    for each in found[:MOST_SHOWN]:
        table.add_row(
            str(each.day),
            each.from_currency,
            each.to_currency,
            plain(each.rate),
            Text(", ".join(filter(None, (each.source, each.reference)))),
            Text(each.entered_by or ""),
            str(each.id),
        )
    show(table)
    if len(found) > MOST_SHOWN:
        click.echo(f"and more: these are the last {MOST_SHOWN}; name two currencies, or --since")
