"""What a pool had to do over the hours of a question, and what would come beside it."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from sqlalchemy import ColumnElement, func, not_, select
from sqlalchemy.orm import Session

from spend import money
from spend.capacity.against_api import SHARED
from spend.capacity.pools import HOUR, Pool
from spend.capacity.what_if_pool import PoolLoad
from spend.meters import METER_NAMES
from spend.periods import Period
from store.breakdowns.dimensions import Question
from store.breakdowns.grouping import Part, added_up
from store.capacity import pool_hours
from store.tables.rollups import cells


def load_of(session: Session, tenant: int, pool: Pool, period: Period, now: datetime) -> PoolLoad:
    """A pool over the hours of UTC that begin in ``period`` before ``now``."""
    end = max(period.start, min(period.end, now))
    settled = pool_hours.hours(session, tenant, pool.id, period.start, end)
    capacities = [hour.capacity for hour in settled if hour.capacity is not None]
    parts = pool_hours.components_of(settled)
    return PoolLoad(
        hours=-((period.start - end) // HOUR),
        settled=len(settled),
        cost=money.total([hour.cost for hour in settled]),
        shared=money.total([part.amount for part in parts if part.kind in SHARED]),
        capacity=sum(capacities, Decimal(0)) if len(capacities) == len(settled) else None,
        by_hour={hour.hour: hour.work_units for hour in settled},
    )


def coming(
    session: Session, question: Question, tenant: int, ran_there: ColumnElement[bool]
) -> Mapping[datetime, Mapping[str, int]]:
    """What the calls of a question used that did not run on a pool, by hour of UTC."""
    hour = func.date_trunc("hour", cells.c.slot, "UTC").label("hour")
    rows = select(*cells.c, hour).where(cells.c.tenant_id == tenant, not_(ran_there)).subquery()
    usage = Part(rows, {name: func.sum(rows.c[name]) for name in METER_NAMES})
    whole = Question(question.period, question.zone, (), question.filters)
    found = added_up(session, whole, tenant, (usage,), also_by=("hour",))
    return {
        row.hour: {name: int(getattr(row, name)) for name in METER_NAMES} for _key, row in found
    }
