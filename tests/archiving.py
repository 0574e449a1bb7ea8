"""Archives days of a test's database, as the job does."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sighted import NOON, OTEL, hear, sighting
from sqlalchemy import func, select
from test_calls import LITELLM, set_prices

from jobs import roll
from jobs.charging import charge
from jobs.context import Done, JobContext, JobSettings
from jobs.keeping import archive_days
from spend.calls import Role
from store.postgres.sessions import Database
from store.tables.heard import sightings

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


def kept(database: Database) -> int:
    with database.read() as session:
        return session.execute(select(func.count()).select_from(sightings)).scalar_one()


def hear_some(database: Database) -> list[tuple[int, int]]:
    """Calls that one saw, that two saw, in one trace and in two; the ids of all sightings."""
    set_prices(database, input="2.5", output="10")
    midnight = NOON.replace(hour=23, minute=59, second=59)
    seen = [
        *(sighting(n, details={"finish_reason": "stop", "n": n}) for n in range(1, 5)),
        sighting(7, 1, response_id="chatcmpl-123456789", start_at=midnight),
        sighting(
            8,
            2,
            emitter=LITELLM,
            role=Role.SERVER,
            response_id="chatcmpl-123456789",
            start_at=midnight + timedelta(seconds=2),
        ),
        sighting(9, 1, usage={}, emitter=OTEL),
    ]
    hear(database, seen)
    settle(database)
    return [(each.trace_id.int, each.span_id) for each in seen]
