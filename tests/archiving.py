"""Archives days of a test's database, as the job does."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sighted import NOON

from jobs import archive_days, charge, roll
from jobs.context import Done, JobContext, JobSettings
from store.sessions import Database

KEPT = 30
LATER = NOON + timedelta(days=KEPT + 5)
"""When the calls of NOON's day, and of two after it, are to go."""


def context(database: Database, place: Path | str | None, **changes: Any) -> JobContext:
    settings = JobSettings(retention_days=KEPT, archive=None if place is None else str(place))
    return JobContext(
        **{"database": database, "now": LATER, "settings": settings, "by_hand": True, **changes}
    )


def settle(database: Database, now: datetime = NOON + timedelta(hours=2)) -> None:
    settled = JobContext(database=database, now=now, settings=JobSettings(), by_hand=True)
    roll.run(settled)
    charge.run(settled)


def archive(database: Database, place: Path | str, **changes: Any) -> Done:
    return archive_days.run(context(database, place, **changes))
