"""Which periods each job has been run for, one process at a time, and what the run did."""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, func, select, text, true
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from store.tables.jobs import job_runs


def lock(session: Session, job: str, *, wait: bool) -> bool:
    """Takes the job for this transaction; False when another process is running it.

    With ``wait`` it waits for that process instead. The lock goes with the transaction, so a
    process that dies gives it back at once.
    """
    # This transaction idles for as long as the job works in others.
    session.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
    if wait:
        session.execute(text("SET LOCAL statement_timeout = 0"))
        session.execute(select(func.pg_advisory_xact_lock(*_key(job))))
        return True
    return bool(session.scalar(select(func.pg_try_advisory_xact_lock(*_key(job)))))


def _key(job: str) -> tuple[ColumnElement[int], ColumnElement[int]]:
    return func.hashtext("spanledger job"), func.hashtext(job)


def was_run(session: Session, job: str, period: datetime) -> bool:
    """Whether some process has already run the job for this tick of the clock, and it went well."""
    found = session.scalar(
        select(job_runs.c.id).where(
            job_runs.c.job == job, job_runs.c.period == period, ~job_runs.c.failed
        )
    )
    return found is not None


def record(
    session: Session,
    job: str,
    *,
    period: datetime,
    started_at: datetime,
    finished_at: datetime,
    complete_until: datetime | None,
    note: str,
    failed: bool = False,
) -> None:
    """Writes that the job was run.

    A second record of the same period changes nothing, unless the first says that it failed.
    """
    values = {
        "started_at": started_at,
        "finished_at": finished_at,
        "complete_until": complete_until,
        "note": note,
        "failed": failed,
    }
    session.execute(
        insert(job_runs)
        .values(job=job, period=period, **values)
        .on_conflict_do_update(
            index_elements=["job", "period"], set_=values, where=job_runs.c.failed
        )
    )


def forget_before(session: Session, job: str, moment: datetime) -> None:
    """Drops the records of a job's runs that finished before ``moment``."""
    session.execute(job_runs.delete().where(job_runs.c.job == job, job_runs.c.finished_at < moment))


@dataclass(frozen=True, slots=True)
class Run:
    """A job's latest run."""

    finished_at: datetime
    """UTC."""
    note: str
    """What it did, or why it failed."""
    failed: bool


def latest(session: Session) -> dict[str, Run]:
    """Job -> its latest run.

    Looks at one record of each job, of the half million that there are after a month.
    """
    names = select(func.min(job_runs.c.job).label("job")).cte("names", recursive=True)
    following = select(func.min(job_runs.c.job)).where(job_runs.c.job > names.c.job)
    names = names.union_all(select(following.scalar_subquery()).where(names.c.job.is_not(None)))
    last = (
        select(job_runs.c.finished_at, job_runs.c.note, job_runs.c.failed)
        .where(job_runs.c.job == names.c.job)
        .order_by(job_runs.c.finished_at.desc())
        .limit(1)
        .lateral("last")
    )
    found = session.execute(select(names.c.job, last).join_from(names, last, true()))
    return {
        job: Run(finished.astimezone(UTC), note, failed) for job, finished, note, failed in found
    }


@dataclass(frozen=True, slots=True)
class Record:
    """What a job's runs of some time came to."""

    runs: int
    failed: int
    usual_seconds: float
    """Half of them took no longer."""
    longest_seconds: float


def records(session: Session, since: datetime) -> dict[str, Record]:
    """Job -> its runs that ended since then (UTC); without jobs that had none."""
    took = func.extract("epoch", job_runs.c.finished_at - job_runs.c.started_at)
    found = session.execute(
        select(
            job_runs.c.job,
            func.count(),
            func.count().filter(job_runs.c.failed),
            func.percentile_cont(0.5).within_group(took),
            func.max(took),
        )
        .where(job_runs.c.finished_at >= since)
        .group_by(job_runs.c.job)
    )
    return {
        job: Record(runs, failed, float(usual), float(longest))
        for job, runs, failed, usual, longest in found
    }


def server_time(session: Session) -> datetime:
    """The database's clock, which all processes share (UTC)."""
    moment: datetime = session.execute(select(func.clock_timestamp())).scalar_one()
    return moment
