"""``spanledger bills import``: takes what providers invoiced from their files."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path

import click

from app.commands.price_import import by_option, nothing_taken
from app.database import database_for
from app.settings import read_settings
from spend.money import rounded, total
from spend.periods import Month, parse_month
from spend.reconciliation.bill_assembly import Assembled, Expected, FileRefusedError, assembled
from spend.reconciliation.bill_formats import AUTO, FORMATS, read_file
from spend.reconciliation.bill_reading import refused
from spend.reconciliation.bills import Bill, unread
from spend.reconciliation.bills_csv import looks_like_cents
from spend.reconciliation.bills_focus import provider_of
from spend.written_rows import RowsRefusedError
from store.bills import bills
from store.bills.bill_bytes import unpacked
from store.tenants import TENANT

LARGEST_FILE = 512 * 1024 * 1024
"""Bytes, unpacked."""


def _month(_context: click.Context, _option: click.Parameter, text: str | None) -> Month | None:
    try:
        return parse_month(text) if text else None
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def _amount(_context: click.Context, _option: click.Parameter, text: str | None) -> Decimal | None:
    try:
        found = None if text is None else Decimal(text)
    except InvalidOperation:
        found = Decimal("NaN")
    if found is not None and not found.is_finite():
        raise click.BadParameter("must be a number such as 1234.56")
    return found


@click.command(
    "import",
    short_help="Take bills from files.",
    epilog="\b\nExample:\n  spanledger bills import openai-october.json --month 2026-10",
)
@click.argument(
    "files",
    nargs=-1,
    required=True,
    metavar="FILE...",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@click.option(
    "--format",
    "shape",
    type=click.Choice([AUTO, *FORMATS]),
    default=AUTO,
    show_default=True,
    help="What the files are.",
)
@click.option("--provider", help="Whose bill it is, where the file does not say.")
@click.option("--month", callback=_month, help="The month it has to be of, such as 2026-10.")
@click.option("--account", help="Who is billed, where the file does not say.")
@click.option("--invoice", help="The invoice's number, where the file does not say.")
@click.option("--total", "stated", callback=_amount, help="What the invoice comes to.")
@click.option(
    "--replace", "replaces", is_flag=True, help="It is a newer version of a bill that is there."
)
@click.option("--dry-run", is_flag=True, help="Only say what would be taken.")
@by_option
def command(
    files: Sequence[Path],
    shape: str,
    provider: str | None,
    month: Month | None,
    account: str | None,
    invoice: str | None,
    stated: Decimal | None,
    replaces: bool,
    dry_run: bool,
    by: str,
) -> None:
    """Take what providers invoiced from FILEs: all of them, or none.

    Formats: the costs API and the cost export of OpenAI, the cost report of Anthropic, AWS CUR
    2.0, FOCUS 1.0 to 1.4 of any issuer, Google's usage cost export, and a plain CSV
    (docs/bills.md); CSV and JSON may be gzipped, FOCUS and CUR be Parquet. Parts and pages of one
    bill are named together.
    """
    now = datetime.now(UTC)
    expected = Expected(
        provider=provider_of(provider),
        account=account,
        invoice=invoice,
        month=month,
        total=stated,
    )
    read = []
    for file in files:
        try:
            data = _bytes_of(file)
            read.append(
                read_file(
                    unpacked(data, most=LARGEST_FILE),
                    name=file.name.encode(errors="replace").decode(),
                    sha256=hashlib.sha256(data).hexdigest(),
                    expected=shape,
                    provider=expected.provider,
                )
            )
        except RowsRefusedError as error:
            raise nothing_taken(file, list(map(str, error.refusals))) from None
    try:
        said = assembled(read, expected, now=now, by=by)
    except FileRefusedError as error:
        raise nothing_taken(Path(error.name), list(map(str, error.refused.refusals))) from None
    kept = _keep(said, replaces=replaces, dry_run=dry_run)
    for each, bill in zip(said, kept, strict=True):
        _tell(each, bill, dry_run=dry_run)


def _bytes_of(file: Path) -> bytes:
    """What is in a file, where it is not too large for one."""
    if file.stat().st_size > LARGEST_FILE:
        raise refused(1, "file", f"is larger than {LARGEST_FILE:,} bytes")
    return file.read_bytes()


def _keep(said: Sequence[Assembled], *, replaces: bool, dry_run: bool) -> list[Bill]:
    try:
        with database_for(read_settings()) as database:
            if dry_run:
                with database.read() as session:
                    if not replaces:
                        bills.check(session, TENANT, said)
                return [each.bill for each in said]
            with database.write() as session:
                return bills.add(
                    session, TENANT, said, replaces=replaces, clock=lambda: datetime.now(UTC)
                )
    except bills.BillHeldError as held:
        hint = "; --replace makes this one its next version"
        raise click.ClickException(f"nothing was taken: {held}{hint}") from None


def _tell(said: Assembled, bill: Bill, *, dry_run: bool) -> None:
    name = "would be taken" if dry_run else f"bill {bill.id}"
    account = f" of {bill.account}" if bill.account else ""
    version = f", version {bill.version}" if bill.version > 1 else ""
    click.echo(
        f"{name}: {bill.provider}{account}, {bill.period}{version}: {bill.lines:,} lines,"
        f" {rounded(bill.total, bill.currency):,} {bill.currency} ({bill.format})"
    )
    apart = unread(said.lines)
    if apart:
        amount = rounded(total([each.amount for each in apart]), bill.currency)
        click.echo(
            f"  lines of usage without a model or a meter that we can read: {len(apart):,},"
            f" {amount:,} {bill.currency}"
        )
    if looks_like_cents(bill, said.lines):
        click.echo("  every amount is a whole number: are they cents? amount_unit says so")
    if not dry_run:
        click.echo(f"  beside what calls were charged: spanledger bills reconcile {bill.id}")
