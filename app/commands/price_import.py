"""``spanledger prices import``: takes prices from a file into the book."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click

from app.database import database_for
from app.settings import read_settings
from spend.price_files import REQUIRED, price_lines
from spend.prices import PriceLine
from spend.written_rows import RowsRefusedError, rows_of
from store import books
from store.tenants import TENANT

MOST_TOLD: Final = 20
LARGEST_FILE: Final = 50 * 1024 * 1024
BY: Final = "command line"


@click.command(
    "import",
    short_help="Take prices from a file.",
    epilog="\b\nExample:\n  spanledger prices import contract.csv",
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--by", default=BY, show_default=True, help="Who enters them: shown with each line.")
def command(file: Path, by: str) -> None:
    """Take the contract prices of a CSV or JSON FILE: all of them, or none.

    Columns: provider, model, meter, unit_price, currency, valid_from; and if needed per (1, 1000
    or 1000000 units), valid_to, region, service_tier, above_tokens, above_monthly, reference. A
    file of the same name corrects what it said before.
    """
    settings = read_settings()
    text = text_of(file)
    try:
        rows = rows_of(text, json=is_json(file, text), required=REQUIRED)
        said = price_lines(rows, currency=settings.currency, source=file.name, entered_by=by)
    except RowsRefusedError as refused:
        raise nothing_taken(file, list(map(str, refused.refusals))) from None
    _enter(file, said)


def _enter(file: Path, said: list[PriceLine]) -> None:
    try:
        with database_for(read_settings()) as database, database.write() as session:
            entered = books.enter_contract(session, TENANT, said, now=datetime.now(UTC))
    except books.PriceHeldError as held:
        where = f"price {said.index(held.said) + 1}, valid_from: {held}"
        raise nothing_taken(file, [where]) from None
    click.echo(
        f"{len(said):,} prices read: {entered.opened:,} lines entered the book,"
        f" {entered.closed:,} are no longer believed"
    )


def text_of(file: Path) -> str:
    """The text of a file that a command was given; ClickException if it is none."""
    if file.stat().st_size > LARGEST_FILE:
        raise click.ClickException(f"{file.name} is larger than {LARGEST_FILE:,} bytes")
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise click.ClickException(f"{file.name} is not UTF-8 at byte {error.start}") from None


def is_json(file: Path, text: str) -> bool:
    """Whether it is to be read as JSON; else it is CSV."""
    return file.suffix.lower() == ".json" or text.lstrip()[:1] in {"[", "{"}


def nothing_taken(file: Path, reasons: list[str]) -> click.ClickException:
    """What to raise where a file is refused as a whole."""
    more = [f"and {len(reasons) - MOST_TOLD:,} more"] if len(reasons) > MOST_TOLD else []
    told = "\n  ".join(reasons[:MOST_TOLD] + more)
    return click.ClickException(f"nothing was taken from {file.name}:\n  {told}")
