"""What was done on a pool and what its hours cost: from cells and charges, never from sightings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Row, func
from sqlalchemy.orm import Session

from spend import money
from spend.economics import Use, tokens_of
from spend.meters import METER_NAMES
from spend.periods import Period, day_start, days_in
from spend.pools import HOUR, IDLE_METER, POOL_METER, Pool
from store import parties, pools
from store.dimensions import Question
from store.grouping import Part, added_up
from store.on_pool import ran_on
from store.tables.ledger import charges
from store.tables.rollups import cells

Band = int
_NOTHING: Final = money.amount(0)


@dataclass(frozen=True, slots=True)
class PoolUse:
    """A pool's hours of a period, and what was done in them."""

    pool: Pool
    hours: Period
    """Those that are posted, of the ones asked for; of no length where none is."""
    idle_cost: Decimal
    by_team: Mapping[str | None, Use]
    """Teams with calls or shares."""
    by_band: Mapping[Band, Use]
    """By the size of prompts, which a price can depend on."""

    @property
    def count(self) -> int:
        """How many hours."""
        return (self.hours.end - self.hours.start) // HOUR


def pool_use(session: Session, tenant: int, pool: Pool, period: Period, zone: ZoneInfo) -> PoolUse:
    """The use of a pool over the hours of UTC that begin in ``period``, as far as posted."""
    hours = posted_hours(pool, period)
    question = Question(hours, zone, ("team",))
    usage = Part(
        cells,
        {
            "calls": func.sum(cells.c.calls),
            "unmetered": func.sum(cells.c.unmetered_calls),
            **{name: func.sum(cells.c[name]) for name in METER_NAMES},
        },
        (_ran_on(session, tenant, pool),),
    )
    of_pool = (charges.c.pool_id == pool.id, charges.c.currency == pool.currency)
    shares = Part(
        charges,
        {
            name: func.sum(charges.c.amount).filter(charges.c.meter == meter)
            for name, meter in (("busy", POOL_METER), ("idle", IDLE_METER))
        },
        of_pool,
    )
    idle = _NOTHING
    teams: dict[str | None, list[Use]] = {}
    bands: dict[Band, list[Use]] = {}
    if hours.start < hours.end:
        found = added_up(session, question, tenant, (usage, shares), also_by=("band",))
        for (team,), row in found:
            idle = money.total([idle, row.idle or _NOTHING])
            use = _use(row)
            if use.calls or use.busy_cost or use.tokens:
                teams.setdefault(team, []).append(use)
                bands.setdefault(row.band, []).append(use)
    return PoolUse(
        pool=pool,
        hours=hours,
        idle_cost=idle,
        by_team={team: together(uses) for team, uses in teams.items()},
        by_band={band: together(uses) for band, uses in sorted(bands.items())},
    )


def together(uses: Sequence[Use]) -> Use:
    """The sum of what several did."""
    return Use(
        busy_cost=money.total([use.busy_cost for use in uses]),
        calls=sum(use.calls for use in uses),
        unmetered_calls=sum(use.unmetered_calls for use in uses),
        usage={name: sum(use.usage.get(name, 0) for use in uses) for name in METER_NAMES},
    )


def daily_tokens(
    session: Session, tenant: int, pool: Pool, period: Period, zone: ZoneInfo, *, now: datetime
) -> tuple[date | None, list[int]]:
    """Tokens of each whole local day of a period in which the pool was in force, and the last day.

    Days follow each other, those without calls too.
    """
    first, last = max(period.start, pool.valid_from), min(period.end, pool.valid_to or now, now)
    days = [
        day
        for day in days_in(period, zone)
        if day_start(day, zone) >= first and day_start(day + timedelta(days=1), zone) <= last
    ]
    if not days:
        return None, []
    whole = Period(day_start(days[0], zone), day_start(days[-1] + timedelta(days=1), zone))
    usage = Part(
        cells,
        {name: func.sum(cells.c[name]) for name in METER_NAMES},
        (_ran_on(session, tenant, pool),),
    )
    found = added_up(session, Question(whole, zone, ("day",)), tenant, (usage,))
    tokens = {day: tokens_of(_usage(row)) for (day,), row in found}
    return days[-1], [tokens.get(day.isoformat(), 0) for day in days]


def posted_hours(pool: Pool, period: Period) -> Period:
    """The hours of UTC that begin in ``period``, that the pool is paid for and that are posted."""
    start = max(_hour_from(period.start), pool.valid_from)
    end = min(_hour_from(period.end), pool.charged_to or start, pool.valid_to or period.end + HOUR)
    return Period(start, max(start, end))


def _hour_from(moment: datetime) -> datetime:
    """The first full hour that does not begin before ``moment``."""
    full = moment.replace(minute=0, second=0, microsecond=0)
    return full if full == moment else full + HOUR


def _ran_on(session: Session, tenant: int, pool: Pool) -> Any:
    every = pools.all_pools(session, tenant)
    return ran_on(pool, every, parties.routes_of(session, tenant), tenant, cells)


def _use(row: Row[Any]) -> Use:
    return Use(
        busy_cost=row.busy or _NOTHING,
        calls=int(row.calls or 0),
        unmetered_calls=int(row.unmetered or 0),
        usage=_usage(row),
    )


def _usage(row: Row[Any]) -> dict[str, int]:
    return {name: int(getattr(row, name) or 0) for name in METER_NAMES}
