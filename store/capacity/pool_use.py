"""What was done on a pool and what its hours cost: from rollups and charges, never sightings."""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Row, case, func
from sqlalchemy.orm import Session

from spend import money
from spend.calls import Outcome
from spend.capacity.economics import Economics, Use, together
from spend.capacity.pools import HOUR, Pool
from spend.meters import METER_NAMES
from spend.owners import IDLE
from spend.periods import Period, day_start, days_in
from store import parties
from store.breakdowns.dimensions import Question
from store.breakdowns.grouping import Part, added_up
from store.capacity import pool_board, pool_hours, pools
from store.capacity.on_pool import ran_on
from store.tables.rollups import cells

Band = int
_NOTHING: Final = money.amount(0)


def pool_use(
    session: Session, tenant: int, pool: Pool, period: Period, zone: ZoneInfo
) -> tuple[Economics, Mapping[Band, Use]]:
    """A pool's settled hours of UTC that begin in ``period``: by team, and by size of prompt."""
    settled = pool_hours.hours(session, tenant, pool.id, period.start, period.end)
    paid: dict[str | None, Decimal] = {}
    teams: dict[str | None, list[Use]] = {}
    bands: dict[Band, list[Use]] = {}
    if settled:
        hours = Period(settled[0].hour, settled[-1].hour + HOUR)
        paid = pool_board.shares(session, tenant, hours, pool)
        parts = (_usage_of(session, tenant, pool),)
        question = Question(hours, zone, ("team",))
        for (team,), row in added_up(session, question, tenant, parts, also_by=("band",)):
            use = _use(row)
            if use.calls or any(use.usage.values()):
                teams.setdefault(team, []).append(use)
                bands.setdefault(row.band, []).append(use)
    idle = paid.pop(IDLE, _NOTHING)
    for team, busy in paid.items():
        teams.setdefault(team, []).append(Use(busy_cost=busy))
    capacities = [hour.capacity for hour in settled if hour.capacity is not None]
    economics = Economics(
        hours=len(settled),
        idle_cost=idle,
        by_team={team: together(uses) for team, uses in teams.items()},
        work=sum((hour.work_units for hour in settled), Decimal(0)),
        capacity=sum(capacities, Decimal(0)) if len(capacities) == len(settled) else None,
        components=pool_hours.components_of(settled),
        output_weight=pool.output_weight,
    )
    return economics, {band: together(uses) for band, uses in sorted(bands.items())}


def daily_use(
    session: Session, tenant: int, pool: Pool, period: Period, zone: ZoneInfo
) -> dict[date, dict[Band, Use]]:
    """What was done on a pool by local day and size of prompt; days without are absent.

    Without money.
    """
    parts = (_usage_of(session, tenant, pool),)
    found: dict[date, dict[Band, Use]] = {}
    question = Question(period, zone, ("day",))
    for (day,), row in added_up(session, question, tenant, parts, also_by=("band",)):
        bands = found.setdefault(date.fromisoformat(str(day)), {})
        bands[row.band] = Use(
            calls=int(row.calls or 0),
            answered=int(row.answered or 0),
            unmetered_calls=int(row.unmetered or 0),
            usage=_usage(row),
        )
    return found


def tokens_by_day(
    pool: Pool, period: Period, zone: ZoneInfo, used: Mapping[date, Mapping[Band, Use]]
) -> tuple[date | None, list[int]]:
    """Tokens of each whole local day of a period in which the pool was in force, and the last day.

    Days follow each other, those without calls too. ``period`` ends at the present at the latest,
    and ``used`` is what was done in it.
    """
    first, last = max(period.start, pool.valid_from), min(period.end, pool.valid_to or period.end)
    days = [
        day
        for day in days_in(period, zone)
        if day_start(day, zone) >= first and day_start(day + timedelta(days=1), zone) <= last
    ]
    tokens = [sum(use.tokens for use in used.get(day, {}).values()) for day in days]
    return (days[-1] if days else None), tokens


def runs_on(session: Session, tenant: int, pool: Pool) -> ColumnElement[bool]:
    """Whether a cell ran on a pool."""
    every = pools.all_pools(session, tenant)
    return ran_on(pool, every, parties.routes_of(session, tenant), tenant, cells)


def _usage_of(session: Session, tenant: int, pool: Pool) -> Part:
    sums: dict[str, ColumnElement[Any]] = {
        "calls": func.sum(cells.c.calls),
        "answered": func.sum(case((cells.c.outcome == Outcome.OK, cells.c.calls), else_=0)),
        "unmetered": func.sum(cells.c.unmetered_calls),
        **{name: func.sum(cells.c[name]) for name in METER_NAMES},
    }
    return Part(cells, sums, (runs_on(session, tenant, pool),))


def _use(row: Row[Any]) -> Use:
    return Use(
        calls=int(row.calls or 0),
        answered=int(row.answered or 0),
        unmetered_calls=int(row.unmetered or 0),
        usage=_usage(row),
    )


def _usage(row: Row[Any]) -> dict[str, int]:
    return {name: int(getattr(row, name) or 0) for name in METER_NAMES}
