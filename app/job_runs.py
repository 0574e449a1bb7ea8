"""What jobs are told, and what they did last."""

from datetime import UTC, datetime

from sqlalchemy import func, select

from app.settings import Settings
from jobs.context import JobSettings
from store.sessions import Database
from store.tables.jobs import job_runs


def job_settings(settings: Settings) -> JobSettings:
    """What the jobs are told of the settings."""
    return JobSettings(
        currency=settings.currency,
        timezone=settings.timezone,
        slack_webhook_url=settings.slack_webhook_url,
        allow_private_destinations=settings.allow_private_destinations,
        api_url=settings.api_addr.url,
    )


def latest_runs(database: Database) -> dict[str, tuple[datetime, str]]:
    """Job -> when it finished last (UTC), and what it did."""
    newest = select(func.max(job_runs.c.id)).group_by(job_runs.c.job)
    question = select(job_runs.c.job, job_runs.c.finished_at, job_runs.c.note)
    with database.read() as session:
        found = session.execute(question.where(job_runs.c.id.in_(newest)))
        return {job: (finished.astimezone(UTC), note) for job, finished, note in found}
