"""Moments as text, for programs: in answers, messages, files and records."""

from datetime import UTC, datetime


def moment_text(moment: datetime) -> str:
    """A moment as RFC 3339 of UTC.

    >>> moment_text(datetime(2026, 11, 22, 11, 31, tzinfo=UTC))
    '2026-11-22T11:31:00Z'
    """
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
