"""``spanledger prices reprice``: prices charged time again, by what is known of the book now."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from app.database import database_for
from app.job_settings import job_settings
from app.parameters import MomentType
from app.settings import read_settings
from app.tables import ELSEWHERE
from jobs.charging import reprice
from jobs.context import JobContext
from reports.tables.repricing_table import repricing_table
from spend.prices.repricings import (
    NO_DIFFERENCE,
    Difference,
    Repricing,
    RepricingRefusedError,
    booked_from,
    check_range,
    slot_after,
)
from store import closing, runs
from store.prices import repricings
from store.prices.repricings import Named, Part
from store.tenants import TENANT

BY: Final = "command line"
STOPPED: Final = 130
"""Exit status of what was stopped with Ctrl-C, as shells have it."""

Told = Callable[[int, datetime], None]
"""Told how many cells were looked at, and until which moment."""


@click.command(
    "reprice",
    short_help="Price charged time again, and book the difference.",
    epilog="\b\nExamples:\n  spanledger prices reprice --from 2026-10-01 --to 2026-11-01 --dry-run"
    "\n  spanledger prices reprice --from 2026-10-01 --to 2026-11-01",
)
@click.option("--from", "starts", type=MomentType(), required=True, help="UTC, inclusive.")
@click.option("--to", "ends", type=MomentType(), help="Exclusive. Default: now.")
@click.option("--dry-run", is_flag=True, help="Show the difference, and book nothing.")
@click.option("--note", help="Why: kept with the re-pricing.")
@click.option("--by", default=BY, show_default=True, help="Who asks for it: kept with it.")
def command(
    starts: datetime, ends: datetime | None, dry_run: bool, note: str | None, by: str
) -> None:
    """Price what was charged in a time again, by what is known of the price book now.

    Prices that enter the book change nothing that was charged. This does: it books the difference
    as corrections, and shows it by team and model. What comes late for that time goes by the same.

    It can be stopped anywhere: what is done is booked, and the job reprice, or the same command,
    goes on from there.
    """
    settings = read_settings()
    now = datetime.now(UTC)
    ends = ends or slot_after(now)
    with database_for(settings, application="jobs") as database:
        context = JobContext(
            database=database, now=now, settings=job_settings(settings), clock=runs.server_time
        )
        _check(starts, ends, now)
        with database.read() as session:
            count = repricings.count_cells(session, TENANT, starts, ends)
            open_from = closing.open_from(session, TENANT)
        if dry_run:
            done, different = _preview(context, _dry(context, starts, ends), count)
        else:
            with database.write() as session:
                asked = repricings.request(
                    session,
                    TENANT,
                    starts,
                    ends,
                    dry_run=False,
                    now=now,
                    requested_by=by,
                    note=note,
                )
            done, different = _book(context, asked, count)
    _show(done, different, settings.currency)
    booked = booked_from(done, open_from)
    if booked is not None:
        closed = "the books are closed before"
        click.echo(f"{closed} {_shown(booked)}: what is different before is booked from there on")


def _check(starts: datetime, ends: datetime, now: datetime) -> None:
    try:
        check_range(starts, ends, now=now)
    except RepricingRefusedError as refused:
        raise click.UsageError(f"--{refused.field}: {refused.reason}") from None


def _dry(context: JobContext, starts: datetime, ends: datetime) -> Repricing:
    """What would be asked for: it is never kept."""
    with context.database.read() as session:
        latest = repricings.latest_knowledge(session, TENANT)
    known_at = max(context.now, latest) if latest else context.now
    return Repricing.unkept(starts, ends, known_at=known_at, now=context.now)


def _preview(
    context: JobContext, asked: Repricing, count: int
) -> tuple[Repricing, Mapping[Named, Difference]]:
    different: dict[Part, Difference] = {}
    with _progress("looked at", count) as told:
        for stretch in reprice.preview(context, asked):
            for part, each in stretch.different.items():
                different[part] = different.get(part, NO_DIFFERENCE).plus(each)
            asked = replace(
                asked,
                done_until=stretch.ends,
                cells=asked.cells + stretch.cells,
                changed_cells=asked.changed_cells + stretch.changed,
                lines=asked.lines + sum(each.lines for each in stretch.different.values()),
            )
            told(asked.cells, asked.done_until)
    with context.database.read() as session:
        return asked, repricings.named(session, TENANT, different)


def _book(
    context: JobContext, asked: Repricing, count: int
) -> tuple[Repricing, Mapping[Named, Difference]]:
    """Goes through it, whoever else does so, too."""
    try:
        with _progress("priced again", count) as told:
            for step in reprice.steps(context):
                if step.id == asked.id:
                    told(step.cells, step.done_until)
                    if step.finished_at:
                        break
    except KeyboardInterrupt:
        raise _stopped(context, asked) from None
    with context.database.read() as session:
        done = repricings.one(session, TENANT, asked.id) or asked
        return done, repricings.differences(session, TENANT, asked.id)


def _stopped(context: JobContext, asked: Repricing) -> click.exceptions.Exit:
    with context.database.read() as session:
        done = repricings.one(session, TENANT, asked.id) or asked
    click.echo(
        f"\nstopped: re-pricing {done.id} is booked until {_shown(done.done_until)}"
        f" ({done.cells:,} cells, {done.lines:,} lines). Where jobs run, the job reprice goes on"
        " from there by itself; to go on by hand: spanledger jobs run reprice",
        err=True,
    )
    return click.exceptions.Exit(STOPPED)


@contextmanager
def _progress(does: str, count: int) -> Iterator[Told]:
    """A bar on a terminal, elsewhere a line now and then."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda cells, until: click.echo(
            f"{cells:,} of {count:,} cells {does}, until {_shown(until)}", err=True
        )
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(f"cells {does}", total=count)
        yield lambda cells, _until: bar.update(task, completed=cells)


def _show(done: Repricing, different: Mapping[Named, Difference], currency: str) -> None:
    console = Console()
    if not console.is_terminal:
        console.width = ELSEWHERE
    click.echo(
        f"{_shown(done.starts)} to {_shown(done.ends)} UTC, by the book as known at"
        f" {_shown(done.known_at)}: {done.cells:,} cells looked at,"
        f" amounts in {currency}"
    )
    if different:
        console.print(repricing_table(different, currency))
    lines = f"{done.lines:,} lines for {done.changed_cells:,} of the cells"
    if done.dry_run:
        click.echo(f"to be booked: {lines}. Nothing was booked: leave out --dry-run for that")
    else:
        click.echo(f"booked: {lines}, as re-pricing {done.id}")


def _shown(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}"
