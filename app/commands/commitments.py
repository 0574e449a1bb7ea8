"""``spanledger commitments``: credits bought in advance, and spend that was promised."""

from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import click
from rich.table import Column, Table

from app.commands.price_import import BY, is_json, nothing_taken, text_of
from app.database import database_for
from app.settings import read_settings
from app.tables import show_under, shown
from spend.commitments.commitment_files import REQUIRED, commitments_of
from spend.commitments.commitment_use import Use
from spend.commitments.commitments import FOREVER, Commitment
from spend.money import rounded
from spend.written_rows import RowsRefusedError, rows_of
from store.commitments import commitment_use, commitments
from store.tenants import TENANT


@click.group(
    short_help="Show and declare credits and minimums of spend",
    epilog="\b\nExample:\n  spanledger commitments import commitments.csv",
)
def command() -> None:
    """Show and declare commitments: credits bought in advance, and spend that was promised.

    They cover usage in the order of time; what nobody used is spend of the team 'unused'.

    More: docs/commitments.md
    """


@command.command("import", epilog="\b\nExample:\n  spanledger commitments import commitments.csv")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--by", default=BY, show_default=True, help="Who enters them: shown with each.")
def import_file(file: Path, by: str) -> None:
    """Take the commitments of a CSV or JSON FILE: all of them, or none.

    Columns: name, kind (prepaid or minimum), amount, currency, provider, valid_from; and if needed
    paid, period, valid_to, model, region, reference. One that is there under the same name at the
    same time is replaced: its lines are taken back, and those of the new one posted.
    """
    settings = read_settings()
    text = text_of(file)
    try:
        rows = rows_of(text, json=is_json(file, text), required=REQUIRED)
        said = commitments_of(rows, source=file.name, entered_by=by)
    except RowsRefusedError as refused:
        raise nothing_taken(file, list(map(str, refused.refusals))) from None
    with database_for(settings) as database, database.write() as session:
        done = commitments.apply(session, TENANT, said, now=datetime.now(UTC))
    for what, count in Counter(what for _commitment, what in done).items():
        names = ", ".join(each.name for each, its in done if its == what)
        click.echo(f"{count} {what}: {names}")


@command.command(epilog="\b\nExample:\n  spanledger commitments withdraw 3")
@click.argument("commitment_id", metavar="ID", type=click.IntRange(1))
def withdraw(commitment_id: int) -> None:
    """Say that the commitment with this ID was a mistake: all of its lines are taken back."""
    with database_for(read_settings()) as database, database.write() as session:
        found = commitments.withdraw(session, TENANT, commitment_id, now=datetime.now(UTC))
    if found is None:
        raise click.ClickException(f"there is no commitment {commitment_id}")
    click.echo(f"withdrawn: {found.name}; the next charge job takes its lines back")


@command.command("list", epilog="\b\nExample:\n  spanledger commitments list")
def list_all() -> None:
    """Show every commitment with its latest period, in the order in which they cover."""
    now = datetime.now(UTC)
    with database_for(read_settings()) as database, database.read() as session:
        found = commitments.held(session, TENANT)
        latest = {each.id: list(each.periods(now))[-1:] for each in found}
        uses = {
            each.id: commitment_use.used(session, TENANT, each, latest[each.id]) for each in found
        }
    if not found:
        click.echo("no commitments: declare some with spanledger commitments import FILE")
        return
    for place, each in enumerate(found):
        use = uses[each.id][0] if uses[each.id] else None
        table = _table(use, now, header=place == 0)
        show_under(f"{each.id} {each.name}", _said(each, use, now), table)


def _said(each: Commitment, use: Use | None, now: datetime) -> str:
    """Its latest period, its amount, and what is to come of it."""
    starts = use.period.start if use else each.valid_from
    ends = use.period.end if use else each.valid_to
    until = f" to {shown(ends)}" if ends and ends != FOREVER else ""
    amount = f"{rounded(each.amount, each.currency)} {each.currency}"
    expected = _expected(use, now) if use else "not begun"
    return f"{each.kind}, {amount} from {shown(starts)}{until} (UTC)\n{expected}"


def _table(use: Use | None, now: datetime, *, header: bool) -> Table:
    # Of one width, so that the tables of several stand in line; 80 columns hold them.
    names = ("used", "left", "utilisation", "coverage", "unused")
    columns = [Column(name, justify="right", no_wrap=True, min_width=12) for name in names]
    table = Table(*columns, show_header=header, box=None, pad_edge=False)
    if use is not None:
        unused = use.unused(now)
        table.add_row(
            _money(use.used, use),
            _money(use.left, use),
            f"{use.utilisation:.1%}",
            "" if use.coverage is None else f"{use.coverage:.1%}",
            "" if unused is None else _money(unused, use),
        )
    return table


def _expected(use: Use, now: datetime) -> str:
    """What is to come, in words."""
    if use.ran_out:
        return f"used up {shown(use.ran_out)}"
    if use.is_over(now):
        return "over"
    forecast = use.forecast(now)
    if forecast is None:
        return "too early to say"
    if forecast.runs_out:
        return f"used up by {shown(forecast.runs_out)}, as it goes"
    if forecast.unused is None:
        return "no usage"
    return f"{_money(forecast.unused, use)} unused, as it goes"


def _money(amount: Decimal, use: Use) -> str:
    return str(rounded(amount, use.commitment.currency))
