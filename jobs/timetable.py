"""Which jobs there are, in which order, how often; and the clock that ticks them.

APScheduler is only the clock. That a job runs once is held by Postgres: an advisory lock for the
length of the run, and one row in ``job_runs`` for each tick. So any number of processes may run
the same timetable, and one that dies in a run leaves nothing half done.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from textwrap import shorten
from typing import Final

import psycopg
import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy.exc import OperationalError

from jobs import roll
from jobs.alerts import watch
from jobs.budgets import evaluate_budgets, forecast_budgets
from jobs.charging import charge, reprice
from jobs.context import Done, JobContext, JobSettings
from jobs.delivery import seal_secrets, send_alerts
from jobs.digests import digest
from jobs.exporting import export
from jobs.keeping import archive_days, forget_contents, keep_partitions
from jobs.prices import refresh_prices
from jobs.run_counts import AWAY, BEATS_EVERY, DONE, FAILED, RunCounts
from spend.job_ticks import EVERY, tick_of
from spend.secret_shapes import without_secrets
from store import runs
from store.dictionaries import sqlstate_of
from store.postgres.sessions import Database
from store.steps import Steps, untold

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """One job of the timetable."""

    run: Callable[[JobContext], Done]
    every: int
    """Seconds between ticks."""
    does: str


# In the order in which a full round runs them: each uses what those above it left.
_WORK: Final = {
    "partitions": (keep_partitions.run, "keeps day partitions ahead of the calendar"),
    "contents": (forget_contents.run, "forgets what was said in calls, in time"),
    "roll": (roll.run, "settles twins and adds new calls to the rollups"),
    "prices": (refresh_prices.run, "keeps the price list, and finds new models in it"),
    "charge": (charge.run, "prices what changed and posts it to the ledger"),
    "reprice": (reprice.run, "books what somebody asked to have priced again"),
    "archive": (archive_days.run, "archives and drops days that are no longer kept"),
    "forecast": (forecast_budgets.run, "expects what periods of budgets will come to"),
    "budgets": (evaluate_budgets.run, "compares spend with budgets, writes crossings"),
    "watch": (watch.run, "measures what alert rules watch, writes what passed a bound"),
    "digest": (digest.run, "tells of the last week, and of months that were closed"),
    "export": (export.run, "tells another monitoring system what was spent, by OTLP"),
    "secrets": (seal_secrets.run, "seals webhooks that were saved in plain text"),
    "alerts": (send_alerts.run, "sends what the outbox holds"),
}
JOBS: Final = {name: Job(run, EVERY[name], does) for name, (run, does) in _WORK.items()}

DEADLOCK: Final = "40P01"
NO_LOCK: Final = "55P03"
TRIES: Final = 3
"""Of a job in one run, while others hold what it wants."""

REMEMBERED: Final = timedelta(days=30)
"""How long records of runs are kept: with them all ``job_runs`` would grow by millions a year."""


def run_job(name: str, context: JobContext) -> Done | None:
    """Runs one job now and records it.

    While another process runs it: by hand waits for that to end, else answers None at once.
    """
    with context.database.write() as holder:
        # The lock is held in a transaction of its own: the job commits its own work in others.
        if not runs.lock(holder, name, wait=context.by_hand):
            return None
        if context.clock is not None:
            # Who waited, or ran others before, would send by an old time: what was written
            # meanwhile would not be due, and told after what came of it later.
            context = replace(context, now=max(context.now, datetime.now(UTC)))
        return _run_and_record(name, context)


def run_all(context: JobContext) -> Iterator[tuple[str, Done | None]]:
    """One full round, in order. After it everything heard so far is in the reports."""
    for name in JOBS:
        yield name, run_job(name, context)


def start_clock(
    database: Database,
    settings: JobSettings,
    going_on: Callable[[], bool] = lambda: True,
    steps: Steps = untold,
    counts: RunCounts | None = None,
) -> BackgroundScheduler:
    """Starts ticking all jobs in threads of this process; the caller shuts it down.

    ``going_on``: False once it is about to, so that long work ends where it is. ``steps`` is told
    of each run, where we are traced; ``counts`` of the clock's ticks, and of what was run.
    """
    counts = counts or RunCounts()
    clock = BackgroundScheduler(
        timezone=UTC,
        # A tick that comes late is run, and several late ones are run as one: by default
        # APScheduler drops a job that is more than a second late, without a word.
        job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
    )
    context = JobContext(
        database=database,
        now=datetime.now(UTC),
        settings=settings,
        clock=runs.server_time,
        going_on=going_on,
        steps=steps,
    )
    for name, job in JOBS.items():
        clock.add_job(
            _tick,
            "interval",
            seconds=job.every,
            args=(name, context, counts),
            id=name,
            next_run_time=datetime.now(UTC),
        )
    # In a thread of its own: that all others are busy does not mean that the clock stands.
    clock.add_executor(ThreadPoolExecutor(1), "beat")
    clock.add_job(_beat, "interval", seconds=BEATS_EVERY, args=(counts,), executor="beat")
    clock.start()
    return clock


def _beat(counts: RunCounts) -> None:
    counts.beats(datetime.now(UTC))


def _tick(name: str, context: JobContext, counts: RunCounts | None = None) -> None:
    """Runs a job for this tick, unless another process has done so."""
    counts = counts or RunCounts()
    now = datetime.now(UTC)
    every = JOBS[name].every
    period = tick_of(now, every)
    try:
        with context.database.write() as holder:
            if runs.lock(holder, name, wait=False) and not runs.was_run(holder, name, period):
                with counts.running(name):
                    done = _run_and_record(name, replace(context, now=now), period=period)
                counts.ended(name, FAILED if done.failed else DONE)
    except Exception as error:  # the clock must go on ticking: the next run retries
        counts.ended(name, AWAY if _is_away(error) else FAILED)
        if _is_away(error):
            log.warning("the database is away, a job waits", job=name, why=_failed(error))
        elif sqlstate_of(error) == NO_LOCK:
            log.warning("another job holds what a job needs: it waits", job=name)
        else:
            log.exception("job failed", job=name)


def _is_away(error: Exception) -> bool:
    """Whether Postgres cannot be reached, starts or ends: a traceback would tell nothing."""
    state = sqlstate_of(error)
    cut_off = isinstance(error, OperationalError | psycopg.OperationalError)
    return cut_off and (state is None or state.startswith(("08", "57P")))


def _failed(error: Exception) -> str:
    """Why a run failed, in one line without a statement's values."""
    cause = getattr(error, "orig", None) or error
    return shorten(without_secrets(f"{type(cause).__name__}: {cause}"), 300, placeholder=" …")


def _run_and_record(name: str, context: JobContext, period: datetime | None = None) -> Done:
    """Runs a job; whether it does its work or raises, ``job_runs`` says so."""

    def record(done: Done, *, failed: bool = False) -> None:
        with context.database.write() as session:
            finished_at = runs.server_time(session)
            runs.record(
                session,
                name,
                period=period or context.now,
                started_at=context.now,
                finished_at=finished_at,
                complete_until=done.complete_until,
                note=done.note,
                failed=failed,
            )
            runs.forget_before(session, name, finished_at - REMEMBERED)

    try:
        with context.steps(f"job {name}", None) as told:
            done = _run(name, context)
            told.update(done.counts, outcome="failed" if done.failed else "done")
    except Exception as error:
        # If the database is the reason, it cannot take this down either.
        with suppress(Exception):
            record(Done(_failed(error)), failed=True)
        raise
    record(done, failed=done.failed)
    return done


def _run(name: str, context: JobContext) -> Done:
    """Runs a job, again where it met another one and Postgres made it give way.

    Roll and charge lock cells in different orders, and roll holds days still for as long as it
    takes. Whatever a job had committed, it goes on from.
    """
    for _try in range(TRIES - 1):
        try:
            return JOBS[name].run(context)
        except OperationalError as error:
            if sqlstate_of(error) not in (DEADLOCK, NO_LOCK):
                raise
            log.info("a job gave way to another, and begins again", job=name)
    return JOBS[name].run(context)
