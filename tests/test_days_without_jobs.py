"""No job ran for days, over the end of a month: afterwards it is as if they had."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from budgeted import budget
from filled_ledger import at
from sighted import hear, sighting
from sqlalchemy import func, select

from jobs import timetable
from jobs.context import JobContext
from store.postgres.sessions import Database
from store.tables.budgets import crossings
from store.tables.jobs import job_runs
from store.tables.ledger import charges

pytestmark = pytest.mark.one_server

FIRST = datetime(2026, 10, 29, 1, tzinfo=UTC)
CALLS = [
    sighting(number + 1, number + 1, start_at=FIRST + timedelta(hours=5 * number))
    for number in range(24)
]
DAYS = [at(f"2026-{day}T00:30") for day in ("10-31", "11-01", "11-03")]


def test_what_no_job_did_for_days_is_as_if_they_had_run(
    database: Database, another_database: Database
) -> None:
    lived(database, rounds=DAYS)
    lived(another_database, rounds=[DAYS[0], DAYS[-1]])
    assert posted(database) == posted(another_database) != []
    told = crossed(another_database)
    assert crossed(database) == told
    months = [f"{period:%m}" for period, _ in told]
    assert months == sorted(months), "what is caught up with comes in its order"
    assert set(months) == {"10", "11"}
    # Again at the same moment: nothing is done twice.
    lived(another_database, rounds=[DAYS[-1]], heard=False)
    assert posted(another_database) == posted(database)
    assert crossed(another_database) == told


def lived(database: Database, rounds: Sequence[datetime], *, heard: bool = True) -> None:
    """Each day its calls, and a round of the jobs on some of them."""
    if heard:
        for name in ("a", "b"):
            budget(database, at("2026-10-01"), name=name, amount="0.005", thresholds=[50, 100])
    before = FIRST
    for now in DAYS:
        if heard:
            calls = [call for call in CALLS if before <= call.start_at < now]
            hear(database, calls, now - timedelta(minutes=5))
        before = now
        if now in rounds:
            for name, done in timetable.run_all(JobContext(database, now)):
                assert done is not None, name


def posted(database: Database) -> list[tuple[Any, ...]]:
    asked = (
        select(charges.c.slot, charges.c.meter, func.sum(charges.c.quantity), *_amounts())
        .group_by(charges.c.slot, charges.c.meter)
        .order_by(charges.c.slot, charges.c.meter)
    )
    with database.read() as session:
        assert session.scalar(select(func.count()).where(job_runs.c.failed)) == 0
        return [tuple(row) for row in session.execute(asked)]


def _amounts() -> list[Any]:
    return [func.sum(charges.c.amount), func.sum(charges.c.billed_amount)]


def crossed(database: Database) -> list[tuple[Any, ...]]:
    asked = select(crossings.c.period_start, crossings.c.threshold).order_by(crossings.c.id)
    with database.read() as session:
        return [tuple(row) for row in session.execute(asked)]
