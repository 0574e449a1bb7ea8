"""``spanledger prices import``: takes prices from a file into the book."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click

from app.database import database_for
from app.settings import Settings, read_settings
from jobs.prices.listed_names import look_up_new
from spend.prices.feeds import CURRENCY, Feed
from spend.prices.litellm_prices import is_litellm, litellm_feed
from spend.prices.price_files import REQUIRED, price_lines
from spend.prices.prices import SUPPLEMENT, PriceLine
from spend.written_rows import LONGEST_TEXT, RowsRefusedError, rows_of
from store.prices import books
from store.tenants import TENANT

MOST_TOLD: Final = 20
LARGEST_FILE: Final = 50 * 1024 * 1024
BY: Final = "command line"
OURS: Final = "own"
LITELLM: Final = "litellm"


by_option = click.option(
    "--by",
    default=BY,
    show_default=True,
    callback=lambda _context, _option, name: name_of(name),
    help="Who enters them: shown with each line.",
)


def name_of(name: str) -> str:
    """Somebody's name, in characters that can be shown; BadParameter where it has none."""
    name = name.strip()
    if not 0 < len(name) <= LONGEST_TEXT or not name.isprintable():
        raise click.BadParameter(f"must be 1 to {LONGEST_TEXT} characters that can be shown")
    return name


@click.command(
    "import",
    short_help="Take prices from a file.",
    epilog="\b\nExample:\n  spanledger prices import contract.csv",
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--format",
    "shape",
    type=click.Choice([OURS, LITELLM]),
    help="What the file is. Default: litellm where it looks like it.",
)
@by_option
def command(file: Path, shape: str | None, by: str) -> None:
    """Take prices from a FILE: all of them, or none.

    Contract prices, in CSV or JSON. Columns: provider, model, meter, unit_price, currency,
    valid_from; and if needed per (1, 1000 or 1000000 units), valid_to, region, service_tier,
    above_tokens, above_monthly, reference. A file of the same name corrects what it said before.

    A list of LiteLLM's shape (model_prices_and_context_window.json) becomes the supplement, which
    prices what the public list lacks. Another such file takes its place.
    """
    settings = read_settings()
    text = text_of(file)
    try:
        if (shape or (LITELLM if is_litellm(text) else OURS)) == LITELLM:
            now = datetime.now(UTC)
            source = f"litellm {file.name} {now:%Y-%m-%d}"
            _supplement(settings, litellm_feed(text, source=source, entered_by=by), now)
        else:
            rows = rows_of(text, json=is_json(file, text), required=REQUIRED)
            said = price_lines(rows, source=file.name, entered_by=by)
            _enter(settings, file, said)
    except RowsRefusedError as refused:
        raise nothing_taken(file, list(map(str, refused.refusals))) from None


def _supplement(settings: Settings, feed: Feed, now: datetime) -> None:
    with database_for(settings) as database:
        with database.write() as session:
            entered = books.replace_list(session, feed.lines, now=now, book=SUPPLEMENT)
        # So that the two lists can be compared at once.
        look_up_new(database, TENANT, now=now)
    models = len({(line.provider, line.model) for line in feed.lines})
    click.echo(
        f"{len(feed.lines):,} prices of {models:,} models read: {entered.opened:,} lines entered"
        f" the supplement, {entered.closed:,} closed"
    )
    if feed.left_out:
        click.echo("not in lines, by how many models:")
    for what, count in sorted(feed.left_out.items(), key=lambda each: (-each[1], each[0])):
        click.echo(f"{count:>7,}  {what}")
    if entered.concerned is not None and entered.concerned.cells:
        click.echo(str(entered.concerned))
    if settings.currency != CURRENCY:
        click.echo(
            f"they are in {CURRENCY}: reports in {settings.currency} need rates"
            " (spanledger rates import)"
        )


def _enter(settings: Settings, file: Path, said: list[PriceLine]) -> None:
    try:
        with database_for(settings) as database, database.write() as session:
            entered = books.enter_contract(session, TENANT, said, now=datetime.now(UTC))
    except books.PriceHeldError as held:
        where = f"price {said.index(held.said) + 1}, valid_from: {held}"
        raise nothing_taken(file, [where]) from None
    click.echo(
        f"{len(said):,} prices read: {entered.opened:,} lines entered the book,"
        f" {entered.closed:,} closed"
    )
    if entered.concerned is not None:
        click.echo(str(entered.concerned))


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
