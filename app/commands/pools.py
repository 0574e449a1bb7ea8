"""``spanledger pools``: capacity that is paid for by the hour."""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from app.commands import pool_economics
from app.database import database_for
from app.job_settings import job_settings
from app.settings import read_settings
from app.tables import show, show_lines, shown
from jobs.charging.preview_pools import preview
from jobs.context import JobContext
from reports.tables.pool_table import difference_table, pool_table
from spend.capacity.pool_fields import PoolRefusedError
from spend.capacity.pool_files import pools_of_file
from spend.capacity.pools import Pool, hour_of
from spend.money import plain
from spend.periods import month_of, month_period, parse_month
from store.capacity import pool_hours, pools
from store.postgres.sessions import Database
from store.tenants import TENANT


@click.group(
    short_help="Show and declare capacity paid by the hour",
    epilog="\b\nExample:\n  spanledger pools apply pools.toml",
)
def command() -> None:
    """Show and declare pools: capacity that is paid for by the hour, used or not.

    Each hour's cost is split over the calls that used it; the rest is spend of the team 'idle'.
    """


@command.command(epilog="\b\nExample:\n  spanledger pools apply pools.toml --dry-run")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Show the difference by team, and book nothing.")
def apply(file: Path, *, dry_run: bool) -> None:
    """Make pools what a TOML or JSON FILE says, by their names.

    \b
    [[pools]]
    name = "llama"
    from = 2026-10-01
    match = { deployment = ["self-hosted"], model = ["llama-3.3-70b*"] }
    components = [{ kind = "rental", amount = "6.155", per = "hour", quantity = 8 }]

    docs/pools.md tells all fields, for pools that are rented, owned, provisioned or subscribed to.
    A pool that changed is looked at from its first hour on, and differences are booked. Pools that
    the file does not name stay.
    """  # noqa: D301 - click's mark for lines that are not to be wrapped
    settings = read_settings()
    now = datetime.now(UTC)
    try:
        with database_for(settings) as database:
            said = _said(database, file, settings.currency, now)
            if dry_run:
                context = JobContext(database=database, now=now, settings=job_settings(settings))
                done, different = preview(context, said)
            else:
                with database.write() as session:
                    done = pools.apply(session, TENANT, said)
    except PoolRefusedError as refused:
        where = f"pool {refused.place}, {refused.field}: {refused.reason}"
        raise click.ClickException(f"nothing was taken from {file.name}:\n  {where}") from None
    for what, count in Counter(what for _pool, what in done).items():
        names = ", ".join(pool.name for pool, its in done if its == what)
        click.echo(f"{count} {'would be ' if dry_run else ''}{what}: {names}")
    if dry_run and different:
        show(difference_table(different, settings.currency))
    elif dry_run:
        click.echo("no team would be charged otherwise")


def _said(database: Database, file: Path, currency: str, now: datetime) -> list[Pool]:
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise click.ClickException(f"{file.name} is not UTF-8 at byte {error.start}") from None
    with database.read() as session:
        began = {pool.name: pool.valid_from for pool in pools.all_pools(session, TENANT)}
    toml = file.suffix.lower() == ".toml"
    return pools_of_file(text, toml=toml, currency=currency, now=now, began=began)


@command.command("list", epilog="\b\nExample:\n  spanledger pools list")
def list_all() -> None:
    """Show every pool, the first declared first."""
    now = datetime.now(UTC)
    with database_for(read_settings()) as database, database.read() as session:
        found = pools.all_pools(session, TENANT)
    if not found:
        click.echo("no pools: declare some with spanledger pools apply FILE")
        return
    for pool in found:
        until = f" to {shown(pool.valid_to)}" if pool.valid_to else ""
        posted = f"posted to {shown(pool.charged_to)}" if pool.charged_to else "not posted yet"
        show_lines(
            f"{pool.id} {pool.name}",
            f"{pool.kind}, {_an_hour(pool, now)}",
            f"from {shown(pool.valid_from)}{until} (UTC), {posted}",
            _told(pool),
        )


@command.command("show", epilog='\b\nExample:\n  spanledger pools show "llama" --month 2026-10')
@click.argument("name")
@click.option("--month", help="Of the setting's time zone. Default: the present one.")
def show_one(name: str, month: str | None) -> None:
    """Show what the settled hours of a pool were made of in a month, by component."""
    settings = read_settings()
    zone = ZoneInfo(settings.timezone)
    try:
        asked = parse_month(month) if month else month_of(datetime.now(UTC), zone)
    except ValueError as error:
        raise click.ClickException(f"--month: {error}") from None
    period = month_period(asked, zone)
    with database_for(settings) as database, database.read() as session:
        found = {pool.name: pool for pool in pools.all_pools(session, TENANT)}
        if name not in found:
            raise click.ClickException(f"there is no pool called {name!r}: spanledger pools list")
        pool = found[name]
        settled = pool_hours.hours(session, TENANT, pool.id, period.start, period.end)
    if not settled:
        click.echo(f"no hour of {name} is settled in {asked}")
        return
    methods = Counter(each.method for each in settled)
    click.echo(f"{name}, {pool.kind}, {asked}: {', '.join(_counted(methods))}")
    parts = pool_hours.components_of(settled)
    show(pool_table(parts, [each.idle for each in settled], pool.currency))


def _counted(methods: Counter[str]) -> list[str]:
    return [f"{count:,} hours by {method}" for method, count in methods.most_common()]


def _an_hour(pool: Pool, now: datetime) -> str:
    """What it costs, or of how many components: of those that hold, as others cost nothing."""
    if pool.cost_per_hour is None:
        hour = hour_of(now)
        held = [each for each in pool.components if each.holds_in(hour)]
        return f"{len(held)} of {len(pool.components)} components hold"
    return f"{plain(pool.cost_per_hour)} {pool.currency} an hour"


def _told(pool: Pool) -> str:
    return ", ".join(f"{name}={' or '.join(pool.match[name])}" for name in pool.match)


command.add_command(pool_economics.command)
