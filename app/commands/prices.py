"""``spanledger prices``: what models cost, by contract and by the public list."""

from datetime import UTC, datetime, timedelta
from typing import Final

import click
from rich.table import Column, Table
from rich.text import Text

from app.commands import discounts, price_comparison, price_import, reprice
from app.database import database_for
from app.job_settings import job_settings
from app.logs import configure_logs
from app.settings import read_settings
from app.tables import right, show
from jobs.context import JobContext
from jobs.timetable import run_job
from spend.meters import DISJOINT
from spend.money import plain
from spend.prices import PriceLine
from store import price_pages
from store.tenants import TENANT
from store.unpriced import unpriced

MOST_SHOWN: Final = 200
LOOKED_BACK: Final = timedelta(days=92)


@click.group(
    short_help="Show and import prices",
    epilog="\b\nExample:\n  spanledger prices import contract.csv",
)
def command() -> None:
    """Show and import prices.

    Prices are for 1,000,000 tokens. Contract prices win over the public list, which is filled
    from genai-prices. What has no price is in no sum of money: see spanledger prices unpriced.
    """


command.add_command(price_import.command)
command.add_command(discounts.command)
command.add_command(price_comparison.command)
command.add_command(reprice.command)


@command.command(
    "list", epilog="\b\nExample:\n  spanledger prices list --provider openai --model gpt-4o"
)
@click.option("--provider", help="Of this provider only.")
@click.option("--model", help="Of this model only; with a provider also what it is listed by.")
@click.option("--all-times", is_flag=True, help="Not only what holds now.")
def list_lines(provider: str | None, model: str | None, all_times: bool) -> None:
    """Show price lines."""
    now = datetime.now(UTC)
    with database_for(read_settings()) as database, database.read() as session:
        found = price_pages.page(
            session,
            TENANT,
            provider=provider,
            model=model,
            at=None if all_times else now,
            at_most=MOST_SHOWN + 1,
        )
    table = Table(
        *(right("id"), "book", "provider", Column("model", overflow="fold")),
        *(Column("meter", overflow="fold"), right("for 1M"), "", "from", "to", "source"),
        box=None,
        pad_edge=False,
    )
    for line in found[:MOST_SHOWN]:
        table.add_row(
            str(line.id),
            line.book,
            Text(line.provider),
            Text(line.model),
            Text(_what(line)),
            plain(line.unit_price),
            line.currency,
            _shown(line.valid_from),
            _shown(line.valid_to) if line.valid_to else "",
            Text(line.source),
        )
    if not found:
        click.echo("no such prices: fill the list with spanledger prices refresh")
        return
    show(table)
    if len(found) > MOST_SHOWN:
        click.echo(f"and more: these are the first {MOST_SHOWN}; name a provider or a model")


def _what(line: PriceLine) -> str:
    """The meter, and where it does not hold for every call, for which."""
    parts = [line.meter, line.region, line.service_tier]
    if line.above_tokens:
        parts.append(f"above {line.above_tokens:,}")
    return " ".join(filter(None, parts))


def _shown(moment: datetime) -> str:
    moment = moment.astimezone(UTC)
    return f"{moment:%Y-%m-%d}" if moment.hour == moment.minute == 0 else f"{moment:%Y-%m-%d %H:%M}"


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
