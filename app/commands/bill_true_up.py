"""``spanledger bills true-up``: posts what the ledger lacks of a bill."""

from datetime import UTC, datetime

import click
from rich.console import Group
from rich.text import Text

from app.commands.bill_reconcile import told
from app.database import database_for
from app.settings import read_settings
from app.tables import show_report
from reports.tables.true_up_table import true_up_table
from store import true_up
from store.bills import bills
from store.tenants import TENANT


@click.command(
    "true-up",
    short_help="Post what the ledger lacks of a bill.",
    epilog="\b\nExample:\n  spanledger bills true-up 3 --dry-run",
)
@click.argument("bill_id", metavar="ID", type=click.IntRange(1, 2**63 - 1))
@click.option("--dry-run", is_flag=True, help="Only say what would be posted.")
def command(bill_id: int, *, dry_run: bool) -> None:
    """Post the difference of the bill with this ID to who caused it.

    What is billed for the issuer's period then comes to its bills, to the last digit. Teams get
    their share by what they were estimated at; what was never heard is unallocated. Doing it again
    posts only what has changed since.
    """
    settings = read_settings()
    with database_for(settings) as database, told():
        opened = database.read() if dry_run else database.write()
        with opened as session:
            bill = bills.one(session, TENANT, bill_id)
            if bill is None:
                raise click.ClickException(f"there is no bill {bill_id}")
            done = true_up.true_up(
                session,
                TENANT,
                bill,
                calendar=settings.calendar,
                clock=lambda: datetime.now(UTC),
                dry_run=dry_run,
                policy=settings.rate_policy,
            )
    if not done.lines:
        click.echo("nothing to post: what is booked for the period comes to its bills")
        return
    what = "to be posted" if dry_run else "posted"
    said = f"{len(done.lines):,} lines {what}, at {done.slot:%Y-%m-%d %H:%M} UTC"
    hint = "; nothing was posted: leave out --dry-run for that" if dry_run else ""
    show_report(Group(true_up_table(done), Text(), Text(said + hint)))
