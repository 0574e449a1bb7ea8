"""``spanledger archive``: days that are no longer kept in the database."""

from collections.abc import Iterator
from datetime import UTC, datetime

import click
from rich.table import Table

from app.database import database_for
from app.errors import WrongSetting
from app.job_settings import job_settings
from app.logs import configure_logs
from app.settings import Settings, read_settings
from app.tables import right, show
from jobs.context import JobContext
from jobs.keeping.archive_days import plan_ahead, wrong_files
from jobs.timetable import run_job
from store import runs
from store.archive import archived_days
from store.archive.archive_places import ArchiveAway, opened
from store.archive.archived_days import ArchivedDay
from store.intake import retention
from store.postgres.sessions import Database
from store.tenants import TENANT


@click.group(
    short_help="Archive and drop old days, and see where they are",
    epilog="\b\nExample:\n  spanledger archive run --dry-run",
)
def command() -> None:
    """Calls older than SPANLEDGER_RETENTION_DAYS go to SPANLEDGER_ARCHIVE, day by day.

    The job `archive` does it every hour; docs/retention.md says what stays.
    """


@command.command("status", epilog="\b\nExample:\n  spanledger archive status")
def status() -> None:
    """Show which days are where, and how large they are."""
    with database_for(read_settings()) as database, database.read() as session:
        days = archived_days.all_days(session, TENANT)
        kept_from = retention.kept_from(session, TENANT)
    if kept_from is not None:
        click.echo(f"taken: what began on {kept_from} (UTC) or later")
    if not days:
        click.echo("no day was archived or dropped")
        return
    table = Table(
        *("day (UTC)", right("sightings"), right("bytes"), "archived", "dropped", "where"),
        box=None,
        pad_edge=False,
    )
    for each in days:
        dropped = f"{each.dropped_at:%Y-%m-%d %H:%M}" if each.dropped_at else "not yet"
        archived = f"{each.archived_at:%Y-%m-%d %H:%M}" if each.place else "never"
        counts = f"{each.sightings:,}", f"{each.bytes:,}"
        table.add_row(str(each.day), *counts, archived, dropped, each.place or "nowhere")
    show(table)


@command.command("run", epilog="\b\nExample:\n  spanledger archive run --dry-run")
@click.option("--dry-run", is_flag=True, help="Only tell what would go, and what waits for what.")
def run(dry_run: bool) -> None:
    """Archive and drop every day that can go, now."""
    settings = _with_retention()
    configure_logs("archive")
    with database_for(settings, application="archive") as database:
        context = _context(database, settings)
        if not dry_run:
            done = run_job("archive", context)
            click.echo(done.note if done else "another process is running it")
            return
        planned = plan_ahead(context)
    for each in planned:
        why = f": {each.waits_for}" if each.waits_for else ""
        click.echo(f"{each.day}  {each.sightings:>14,} sightings{why}")
    where = "are dropped for good" if settings.archive == "none" else f"go to {settings.archive}"
    click.echo(f"{len(planned)} days {where}" if planned else "no day is old enough")


@command.command("verify", epilog="\b\nExample:\n  spanledger archive verify")
@click.pass_context
def verify(context: click.Context) -> None:
    """Read every archived day, and compare it with what was written. Exits with 1 if it differs."""
    with database_for(read_settings()) as database, database.read() as session:
        days = [each for each in archived_days.all_days(session, TENANT) if each.place]
    wrong = 0
    for each, said in _looked_at(days):
        click.echo(f"{each.day}  {said or 'as written'}")
        wrong += said is not None
    click.echo(f"{len(days)} days, {wrong} wrong")
    context.exit(bool(wrong))


def _looked_at(days: list[ArchivedDay]) -> Iterator[tuple[ArchivedDay, str | None]]:
    for each in days:
        try:
            with opened(str(each.place)) as at:
                names = wrong_files(each, at)
        except ArchiveAway as away:
            yield each, str(away)
        else:
            yield each, f"not what was written: {', '.join(names)}" if names else None


def _with_retention() -> Settings:
    settings = read_settings()
    if settings.retention_days is None:
        raise WrongSetting("SPANLEDGER_RETENTION_DAYS is not set: every call is kept")
    return settings


def _context(database: Database, settings: Settings) -> JobContext:
    return JobContext(
        database=database,
        now=datetime.now(UTC),
        settings=job_settings(settings),
        clock=runs.server_time,
        by_hand=True,
        progress=lambda line: click.echo(line, err=True),
    )
