"""``spanledger bills``: what providers invoiced."""

import click
from rich.console import Group

from app.commands import bill_import, bill_reconcile, bill_true_up
from app.database import database_for
from app.settings import read_settings
from app.tables import show_report
from reports.tables.bill_tables import bill_head, bills_table, lines_table, sums_table
from store.bills import bills
from store.tenants import TENANT

MOST_LINES = 200


@click.group(
    short_help="Show and import what providers invoiced",
    epilog="\b\nExample:\n  spanledger bills import openai-october.json --month 2026-10",
)
def command() -> None:
    """Show and import bills: what providers invoiced, beside what calls were charged.

    More: docs/bills.md
    """


command.add_command(bill_import.command)
command.add_command(bill_reconcile.command)
command.add_command(bill_true_up.command)


@command.command("list", epilog="\b\nExample:\n  spanledger bills list")
@click.option("--all", "every", is_flag=True, help="Superseded versions, too.")
@click.option(
    "--limit",
    type=click.IntRange(1, 10_000),
    default=100,
    show_default=True,
    help="How many at most.",
)
def list_all(*, every: bool, limit: int) -> None:
    """Show the bills there are, the last one imported first."""
    with database_for(read_settings()) as database, database.read() as session:
        found = bills.page(session, TENANT, before=None, at_most=limit, superseded=every)
    if not found:
        click.echo("no bills: take some with spanledger bills import FILE")
        return
    show_report(bills_table(found))


@command.command(epilog="\b\nExample:\n  spanledger bills show 3")
@click.argument("bill_id", metavar="ID", type=click.IntRange(1, 2**63 - 1))
@click.option("--lines", "with_lines", is_flag=True, help=f"Its first {MOST_LINES} lines, too.")
def show(bill_id: int, *, with_lines: bool) -> None:
    """Show the bill with this ID, added up by kind, model and meter."""
    with database_for(read_settings()) as database, database.read() as session:
        bill = bills.one(session, TENANT, bill_id)
        if bill is None:
            raise click.ClickException(f"there is no bill {bill_id}")
        sums = bills.sums(session, TENANT, bill_id)
        page = bills.line_page(session, TENANT, bill_id, after=0, at_most=MOST_LINES)
    parts = [bill_head(bill), "", sums_table(sums, bill.currency)]
    if with_lines:
        parts += ["", lines_table(page, bill.lines)]
    show_report(Group(*parts))
