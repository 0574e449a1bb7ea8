"""What the jobs are told of the settings."""

from datetime import timedelta

from app.pepper import pepper_for
from app.settings import Settings
from jobs.context import JobSettings

MESSAGE_GAP = 1.0
"""Seconds: Slack takes a message a second, and short bursts."""


def job_settings(settings: Settings) -> JobSettings:
    """The few settings that jobs look at."""
    return JobSettings(
        currency=settings.currency,
        timezone=settings.timezone,
        rate_policy=settings.rate_policy,
        fiscal_year=settings.fiscal_year,
        slack_webhook_url=settings.slack_webhook_url,
        smtp_url=settings.smtp_url,
        mail_from=settings.mail_from,
        message_gap=MESSAGE_GAP,
        settle_window=timedelta(seconds=settings.settle_seconds),
        allow_private_destinations=settings.allow_private_destinations,
        api_url=settings.pages_url or settings.api_addr.url_of(settings.scheme),
        retention_days=settings.retention_days,
        spooled=spooled_for(settings),
        archive=settings.archive,
        key_pepper=pepper_for(settings),
        export_endpoint=settings.export_endpoint,
        export_headers=settings.export_headers,
    )


def spooled_for(settings: Settings) -> timedelta:
    """How long what was acknowledged may wait on a collector's disk."""
    return timedelta(hours=settings.spool_hours) if settings.spool else timedelta()
