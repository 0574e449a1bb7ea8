"""``spanledger prices``: what models cost, by contract and by the public list."""

from datetime import UTC, datetime, timedelta
from typing import Final

import click
from rich.table import Column, Table
from rich.text import Text

from app.commands import discounts, price_comparison, price_import, price_list, reprice
from app.database import database_for
from app.job_settings import job_settings
from app.logs import configure_logs
from app.settings import read_settings
from app.tables import right, show
from jobs.context import JobContext
from jobs.timetable import run_job
from spend.meters import DISJOINT
from store.prices.unpriced import unpriced
from store.tenants import TENANT

MOST_SHOWN: Final = 200
LOOKED_BACK: Final = timedelta(days=92)


@click.group(
    short_help="Show and import prices",
    epilog="\b\nExample:\n  spanledger prices import contract.csv",
)
def command() -> None:
    """Show and import prices.

    Prices are for 1,000,000 units. Contract prices win over the public list, which is filled from
    genai-prices, and that over a supplement that you import. What has no price is in no sum of
    money: see spanledger prices unpriced.

    More: docs/prices.md
    """


command.add_command(price_import.command)
command.add_command(price_list.command)
command.add_command(discounts.command)
command.add_command(price_comparison.command)
command.add_command(reprice.command)


@command.command(
    "unpriced",
    short_help="Show what was called and has no price.",
    epilog="\b\nExample:\n  spanledger prices unpriced",
)
def list_unpriced() -> None:
    """Show what was called in the last 92 days and has no price, with its volume."""
    end = datetime.now(UTC) + timedelta(hours=1)
    with database_for(read_settings()) as database, database.read() as session:
        found = unpriced(session, TENANT, end - LOOKED_BACK, end, at_most=MOST_SHOWN)
    if not found:
        click.echo("everything that was called has a price")
        return
    table = Table(
        *("provider", Column("model", overflow="fold"), "why"),
        *(right("calls"), right("tokens"), "first seen (UTC)", "last seen"),
        box=None,
        pad_edge=False,
    )
    for each in found:
        table.add_row(
            Text(each.provider or "(not said)"),
            Text(each.model or "(not said)"),
            each.reason,
            f"{each.calls:,}",
            f"{sum(each.usage[meter] for meter in DISJOINT):,}",
            f"{each.first_seen.astimezone(UTC):%Y-%m-%d %H:%M}",
            f"{each.last_seen.astimezone(UTC):%Y-%m-%d %H:%M}",
        )
    show(table)


@command.command(
    short_help="Bring the public list up to date.",
    epilog="\b\nExample:\n  spanledger prices refresh",
)
def refresh() -> None:
    """Bring the public list, and the names of models in it, up to the pinned genai-prices."""
    settings = read_settings()
    configure_logs("jobs")
    with database_for(settings, application="jobs") as database:
        context = JobContext(
            database=database, now=datetime.now(UTC), settings=job_settings(settings), by_hand=True
        )
        done = run_job("prices", context)
    click.echo(done.note if done else "another process is running it")
