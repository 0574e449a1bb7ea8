"""How far the reports are complete."""

from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from store.tables.jobs import job_runs

ROLL: Final = "roll"
JOBS_THAT_REPORTS_WAIT_FOR: Final = (ROLL, "charge")


def complete_until(session: Session) -> datetime | None:
    """Everything heard before this moment (UTC) is in the reports; None: nothing is for sure."""
    latest = [dealt_with_by(session, job) for job in JOBS_THAT_REPORTS_WAIT_FOR]
    known = [moment for moment in latest if moment is not None]
    return min(known) if len(known) == len(latest) else None


def rolled_until(session: Session) -> datetime | None:
    """Everything heard before this moment (UTC) is in the cells; None: nobody has said so."""
    return dealt_with_by(session, ROLL)


def dealt_with_by(session: Session, job: str) -> datetime | None:
    """Everything heard before this moment (UTC) a job has dealt with; None: it has not said so."""
    return session.scalar(
        select(job_runs.c.complete_until)
        .where(job_runs.c.job == job, job_runs.c.complete_until.is_not(None))
        .order_by(job_runs.c.finished_at.desc())
        .limit(1)
    )
