"""``spanledger pools``: capacity that is paid for by the hour."""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.table import Column, Table
from rich.text import Text

from app.database import database_for
from app.settings import read_settings
from app.tables import right, show
from spend.money import plain
from spend.pool_files import PoolRefusedError, pools_of_file
from spend.pools import Pool
from store import pools
from store.tenants import TENANT


@click.group(
    short_help="Show and declare capacity paid by the hour",
    epilog="\b\nExample:\n  spanledger pools apply pools.toml",
)
def command() -> None:
    """Show and declare pools: capacity that is paid for by the hour, used or not.

    Each hour's cost is split over the calls that used it; the rest is spend of the team 'idle'.
    """


@command.command(epilog="\b\nExample:\n  spanledger pools apply pools.toml")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def apply(file: Path) -> None:
    """Make pools what a TOML or JSON FILE says, by their names.

    \b
    [[pools]]
    name = "llama"
    cost_per_hour = "49.24"
    from = 2026-10-01
    match = { deployment = ["self-hosted"], model = ["llama-3.3-70b*"] }

    Also: to, currency, capacity_per_hour, provider, region. A pool that changed is looked at from
    its first hour on, and differences are booked. Pools that the file does not name stay.
    """  # noqa: D301 - click's mark for lines that are not to be wrapped
    settings = read_settings()
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise click.ClickException(f"{file.name} is not UTF-8 at byte {error.start}") from None
    try:
        with database_for(settings) as database, database.write() as session:
            held = pools.all_pools(session, TENANT)
            said = pools_of_file(
                text,
                toml=file.suffix.lower() == ".toml",
                currency=settings.currency,
                now=datetime.now(UTC),
                began={pool.name: pool.valid_from for pool in held},
            )
            done = pools.apply(session, TENANT, said)
    except PoolRefusedError as refused:
        where = f"pool {refused.place}, {refused.field}: {refused.reason}"
        raise click.ClickException(f"nothing was taken from {file.name}:\n  {where}") from None
    for what, count in Counter(what for _pool, what in done).items():
        names = ", ".join(pool.name for pool, its in done if its == what)
        click.echo(f"{count} {what}: {names}")


@command.command("list", epilog="\b\nExample:\n  spanledger pools list")
def list_all() -> None:
    """Show every pool, the first declared first."""
    with database_for(read_settings()) as database, database.read() as session:
        found = pools.all_pools(session, TENANT)
    if not found:
        click.echo("no pools: declare some with spanledger pools apply FILE")
        return
    table = Table(
        *(right("id"), "name", right("an hour"), "from (UTC)", "to"),
        *(Column("runs", overflow="fold"), "posted to"),
        box=None,
        pad_edge=False,
    )
    for pool in found:
        table.add_row(
            str(pool.id),
            Text(pool.name),
            _an_hour(pool),
            _shown(pool.valid_from),
            _shown(pool.valid_to) if pool.valid_to else "",
            Text(_told(pool)),
            _shown(pool.charged_to) if pool.charged_to else "not yet",
        )
    show(table)


def _an_hour(pool: Pool) -> str:
    if pool.cost_per_hour is None:
        return f"{len(pool.components)} components"
    return f"{plain(pool.cost_per_hour)} {pool.currency}"


def _told(pool: Pool) -> str:
    return ", ".join(f"{name}={' or '.join(pool.match[name])}" for name in pool.match)


def _shown(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}"
