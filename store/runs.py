"""Which periods each job has been run for, one process at a time, and what the run did."""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, Select, func, select, text, true
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from sqlalchemy.sql.selectable import LateralFromClause

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
    """A job's latest run, by whichever process, and its latest one that went well. Times are UTC.

    Of runs that are remembered.
    """

    finished_at: datetime
    took_seconds: float
    note: str
    """What it did, or why it failed."""
    failed: bool
    good_at: datetime | None
    """When the latest one ended that went well; None: none did."""
    good_for: datetime | None
    """The tick that it was for; of a run by hand, when that was started."""


def latest(session: Session) -> dict[str, Run]:
    """Job -> its latest run.

    Looks at two records of each job, of the half million that there are after a month.
    """
    names = select(func.min(job_runs.c.job).label("job")).cte("names", recursive=True)
    following = select(func.min(job_runs.c.job)).where(job_runs.c.job > names.c.job)
    names = names.union_all(select(following.scalar_subquery()).where(names.c.job.is_not(None)))
    of_it = select(job_runs).where(job_runs.c.job == names.c.job)
    last = _latest(of_it, "last")
    good = _latest(of_it.where(~job_runs.c.failed), "good")
    found = session.execute(
        select(
            names.c.job,
            last.c.finished_at,
            func.extract("epoch", last.c.finished_at - last.c.started_at).label("took"),
            last.c.note,
            last.c.failed,
            good.c.finished_at.label("good_at"),
            good.c.period.label("good_for"),
        )
        .join_from(names, last, true())
        .outerjoin(good, true())
    )
    return {
        row.job: Run(
            finished_at=row.finished_at.astimezone(UTC),
            took_seconds=max(0.0, float(row.took)),
            note=row.note,
            failed=row.failed,
            good_at=row.good_at and row.good_at.astimezone(UTC),
            good_for=row.good_for and row.good_for.astimezone(UTC),
        )
        for row in found
    }


def _latest(of_it: Select[tuple[object, ...]], name: str) -> LateralFromClause:
    return of_it.order_by(job_runs.c.finished_at.desc()).limit(1).lateral(name)


@dataclass(frozen=True, slots=True)
class Past:
    """What a job's runs of some time came to."""

    runs: int
    failed: int
    usual_seconds: float
    """Half of them took no longer."""
    longest_seconds: float


def past(session: Session, since: datetime) -> dict[str, Past]:
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
        job: Past(runs, failed, float(usual), float(longest))
        for job, runs, failed, usual, longest in found
    }


def server_time(session: Session) -> datetime:
    """The database's clock, which all processes share (UTC)."""
    moment: datetime = session.execute(select(func.clock_timestamp())).scalar_one()
    return moment
