"""``spanledger focus``: a period for tools that read FOCUS."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import click
from sqlalchemy.orm import Session

from api.statements.focus import export_files
from app.database import database_for
from app.parameters import MomentType
from app.settings import read_settings
from reports.focus.focus_columns import DATASETS, NEWEST
from reports.focus.focus_export import Wanted
from reports.focus.focus_files import CSV, FORMATS
from spend.fiscal import Calendar, FiscalPeriod
from spend.periods import Period
from store import waiting
from store.months import months
from store.tenants import TENANT

ALL: Final = "all"


@click.group(
    short_help="Write a month as FOCUS, for FinOps tools",
    epilog="\b\nExample:\n  spanledger focus export --month 2026-10 --output october",
)
def command() -> None:
    """Write what is booked in a month as the FinOps Open Cost and Usage Specification has it."""


@command.command(epilog="\b\nExample:\n  spanledger focus export --month 2026-10 --output october")
@click.option("--month", required=True, help="Such as 2026-10, or FY2027-P02.")
@click.option(
    "--output",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder to write into; it is made if it is not there.",
)
@click.option(
    "--version",
    type=click.Choice(list(DATASETS)),
    default=NEWEST,
    show_default=True,
    help="Of FOCUS.",
)
@click.option(
    "--dataset",
    type=click.Choice([ALL, *DATASETS[NEWEST]]),
    default=ALL,
    show_default=True,
    help="Which one; 1.2 has cost-and-usage alone.",
)
@click.option(
    "--format",
    "shape",
    type=click.Choice(FORMATS),
    default=CSV,
    show_default=True,
    help="Of the files.",
)
@click.option(
    "--as-known-at",
    "known_at",
    type=MomentType(),
    help="What was known at a moment, such as 2026-11-03T09:00Z.",
)
@click.option("--ascii", "ascii_only", is_flag=True, help="For tools that take nothing else.")
def export(
    month: str,
    output: Path,
    version: str,
    dataset: str,
    shape: str,
    known_at: datetime | None,
    ascii_only: bool,
) -> None:
    """Write the files of a month: all of them from one moment, or none.

    They add up to the ledger's lines, in each currency and cost. docs/focus.md
    """
    settings = read_settings()
    datasets = DATASETS[version] if dataset == ALL else (dataset,)
    if not set(datasets) <= set(DATASETS[version]):
        raise click.BadParameter(f"FOCUS {version} has no {dataset} here", param_hint="--dataset")
    wanted = Wanted(version, datasets, shape, ascii_only)
    now = datetime.now(UTC)
    if known_at is not None and known_at > now:
        raise click.BadParameter("--as-known-at is still to come")
    with database_for(settings) as database:
        if known_at is not None:
            waiting.until_nobody_posts(database)
        with database.read() as session:
            try:
                named = months.period_named(session, TENANT, month, settings.calendar)
            except ValueError as unknown:
                raise click.BadParameter(str(unknown), param_hint="--month") from None
            for path in _written(session, output, wanted, *named, now, known_at):
                click.echo(path)


def _written(
    session: Session,
    output: Path,
    wanted: Wanted,
    calendar: Calendar,
    period: FiscalPeriod,
    now: datetime,
    known_at: datetime | None,
) -> list[Path]:
    try:
        output.mkdir(parents=True, exist_ok=True)
        # Beside where they go, so that they can be moved there at once; gone if we are stopped.
        with TemporaryDirectory(dir=output, prefix=".focus-") as folder:
            made = export_files(
                session,
                TENANT,
                Path(folder),
                wanted,
                period,
                calendar,
                now=now,
                as_known_at=known_at,
                begun=_begun,
                told=_told,
            )
            return [path.replace(output / path.name) for path in made]
    except OSError as error:
        raise click.ClickException(f"{output}: {error.strerror or error}") from None


def _begun(day: Period) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r{day.start:%Y-%m-%d} is read", err=True, nl=False)


def _told(dataset: str, rows: int) -> None:
    start = "\r" if sys.stderr.isatty() else ""
    click.echo(f"{start}{dataset}: {rows:,} rows", err=True)
