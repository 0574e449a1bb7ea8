"""How each job stands: when it ran well last, by any process, and how its latest run went."""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Select, func, select, true
from sqlalchemy.orm import Session
from sqlalchemy.sql.selectable import LateralFromClause

from store.tables.jobs import job_runs


@dataclass(frozen=True, slots=True)
class JobStanding:
    """A job that was run at least once. Times are UTC."""

    took_seconds: float
    """Its latest run."""
    failed: bool
    """Likewise."""
    good_at: datetime | None
    """When the latest run ended that went well; None: none of those that are remembered did."""
    good_for: datetime | None
    """The tick that it was for; of a run by hand, when that was started."""


def job_standings(session: Session) -> dict[str, JobStanding]:
    """Job -> how it stands. A look at two records of each job, as ``runs.latest``."""
    names = select(func.min(job_runs.c.job).label("job")).cte("names", recursive=True)
    following = select(func.min(job_runs.c.job)).where(job_runs.c.job > names.c.job)
    names = names.union_all(select(following.scalar_subquery()).where(names.c.job.is_not(None)))
    of_it = select(job_runs).where(job_runs.c.job == names.c.job)
    last = _latest(of_it, "last")
    good = _latest(of_it.where(~job_runs.c.failed), "good")
    found = session.execute(
        select(
            names.c.job,
            func.extract("epoch", last.c.finished_at - last.c.started_at).label("took"),
            last.c.failed,
            good.c.finished_at.label("good_at"),
            good.c.period.label("good_for"),
        )
        .join_from(names, last, true())
        .outerjoin(good, true())
    )
    return {
        row.job: JobStanding(
            max(0.0, float(row.took)), row.failed, _utc(row.good_at), _utc(row.good_for)
        )
        for row in found
    }


def _latest(of_it: Select[tuple[object, ...]], name: str) -> LateralFromClause:
    return of_it.order_by(job_runs.c.finished_at.desc()).limit(1).lateral(name)


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.astimezone(UTC)
