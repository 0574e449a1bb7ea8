"""How far the reports are complete."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from store.tables.jobs import job_runs

JOBS_THAT_REPORTS_WAIT_FOR = ("roll", "charge")


def complete_until(session: Session) -> datetime | None:
    """Everything heard before this moment (UTC) is in the reports; None: nothing is for sure."""
    latest = [
        session.scalar(
            select(job_runs.c.complete_until)
            .where(job_runs.c.job == job, job_runs.c.complete_until.is_not(None))
            .order_by(job_runs.c.finished_at.desc())
            .limit(1)
        )
        for job in JOBS_THAT_REPORTS_WAIT_FOR
    ]
    known = [moment for moment in latest if moment is not None]
    return min(known) if len(known) == len(latest) else None
