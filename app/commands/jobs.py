"""``spanledger jobs``: the clock, or one round by hand."""

import sys
from datetime import UTC, datetime
from shutil import get_terminal_size
from textwrap import shorten

import click
from rich.table import Table
from rich.text import Text

from app.database import database_for
from app.doors import refuse_strangers
from app.job_settings import job_settings
from app.jobs_door import jobs_door
from app.life import Life, Where
from app.logs import configure_logs
from app.settings import read_settings
from app.tables import right, show
from app.telemetry.own_doors import refuse_own_doors
from app.telemetry.tracing import tracing
from jobs.context import Done, JobContext
from jobs.run_counts import RunCounts
from jobs.timetable import JOBS, run_all, run_job, start_clock
from store import runs

_PATIENCE = 60


@click.group(
    short_help="Run the jobs: by the clock, or one by hand",
    invoke_without_command=True,
    epilog="\b\nExample:\n  spanledger jobs run --all",
)
@click.option("--parent", type=int, hidden=True)
@click.pass_context
def command(context: click.Context, parent: int | None) -> None:
    """Settle up: roll up, price, compare budgets, send alerts.

    Without a command of its own it runs all jobs by the clock until it is stopped. Any number may
    run over one database; Postgres sees to it that each tick is done once.
    """
    if context.invoked_subcommand:
        return
    settings = read_settings()
    configure_logs("jobs")
    life = Life(parent, lambda where: _say(where, settings.scheme))
    if parent is None:
        refuse_own_doors(settings)
    with (
        database_for(
            settings, application="jobs", migrates=True, wait=_PATIENCE, pool_size=10
        ) as database,
        tracing(settings, "jobs") as traced,
    ):
        traced.statements_of(database)
        if parent is None:
            doors = {} if settings.jobs_addr is None else {"JOBS_ADDR": settings.jobs_addr}
            refuse_strangers(doors, database)
        counts = RunCounts()
        with jobs_door(settings, database, counts, life.stop, traced.lost) as address:
            clock = start_clock(
                database,
                job_settings(settings),
                going_on=lambda: not life.stop.is_set(),
                steps=traced.steps,
                counts=counts,
            )
            life.ready({"jobs": "by the clock"} | ({"jobs_door": address} if address else {}))
            life.stop.wait()
            # Waits for the jobs that are in the middle of something.
            clock.shutdown()


@command.command(
    "run", epilog=f"JOB is one of {', '.join(JOBS)}.\n\n\b\nExample:\n  spanledger jobs run charge"
)
@click.argument("name", metavar="[JOB]", required=False, type=click.Choice(list(JOBS)))
@click.option("--all", "everything", is_flag=True, help="One full round, in order.")
def run(name: str | None, everything: bool) -> None:
    """Run one job now, or a full round.

    By hand nothing waits for late twins: after a full round everything heard so far is in the
    reports, and what comes later still corrects it.
    """
    if everything == bool(name):
        raise click.UsageError(f"name a job ({', '.join(JOBS)}), or say --all")
    settings = read_settings()
    configure_logs("jobs")
    refuse_own_doors(settings)
    with (
        database_for(settings, application="jobs") as database,
        tracing(settings, "jobs") as traced,
    ):
        traced.statements_of(database)
        context = JobContext(
            database=database,
            now=datetime.now(UTC),
            settings=job_settings(settings),
            clock=runs.server_time,
            by_hand=True,
            progress=lambda line: click.echo(f"{'':12} {line}", err=True),
            steps=traced.steps,
        )
        for job, done in [(name, run_job(name, context))] if name else run_all(context):
            line = f"{job:12} {_told(done)}"
            # A round is looked over, one job a line; who asked for one job reads all of it.
            click.echo(line if name else _as_wide_as_the_terminal(line))


@command.command("list", epilog="\b\nExample:\n  spanledger jobs list")
def list_jobs() -> None:
    """Show the timetable, and what each job did last."""
    with database_for(read_settings()) as database, database.read() as session:
        latest = runs.latest(session)
    table = Table(
        "job", right("every"), "last run (UTC)", "does, and did", box=None, pad_edge=False
    )
    for name, job in JOBS.items():
        last = latest.get(name)
        when = f"{last.finished_at:%Y-%m-%d %H:%M:%S}" if last else "never"
        table.add_row(name, f"{job.every} s", when, job.does)
        if last:
            # Text, not markup: an error may hold brackets.
            said = shorten(last.note, 120, placeholder=" …")
            told = Text(f"failed: {said}", "red") if last.failed else Text(said, "dim")
            table.add_row("", "", "", told)
    show(table)


def _told(done: Done | None) -> str:
    return done.note if done else "another process is running it"


def _as_wide_as_the_terminal(line: str) -> str:
    """The line, cut off where a terminal would break it; whole where there is none."""
    wide = get_terminal_size().columns
    return f"{line[: wide - 1]}…" if sys.stdout.isatty() and len(line) > wide else line


def _say(where: Where, scheme: str) -> None:
    click.echo(f"runs {len(JOBS)} jobs by the clock: {', '.join(JOBS)}")
    if "jobs_door" in where:
        click.echo(f"says how it does at {scheme}://{where['jobs_door']}/metrics")
