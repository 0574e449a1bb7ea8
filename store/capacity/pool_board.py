"""All pools beside each other: what they cost by day, who used them, what was done on them.

A question each, however many pools there are. What one pool was made of:
``store/capacity/pool_use.py``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, DateTime, Integer, and_, case, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from spend.calls import Outcome
from spend.capacity.economics import Use
from spend.capacity.pools import HOUR, IDLE_METER, POOL_METER, Pool, hour_of
from spend.meters import METER_NAMES
from spend.owners import IDLE
from spend.periods import Period, day_start, days_in
from store import parties
from store.capacity.on_pool import ran_on
from store.spending.booked_lines import MONEY, Asked, added_up
from store.tables.heard import owners
from store.tables.pools import pool_hours
from store.tables.rollups import cells


@dataclass(frozen=True, slots=True)
class PoolDay:
    """What the settled hours of a pool that begin in a local day come to."""

    hours: int
    cost: Decimal
    idle: Decimal
    work: Decimal
    capacity: Decimal | None
    """Work units; None: not declared for all of them."""

    @property
    def busy_share(self) -> Decimal | None:
        """Of the cost, what calls were charged: 0 to 1, for showing; None: it cost nothing."""
        return 1 - self.idle / self.cost if self.cost else None


def full_hours(period: Period) -> Period:
    """The hours of UTC that begin in a period."""
    return Period(_next_hour(period.start), _next_hour(period.end))


def by_day(
    session: Session, tenant: int, period: Period, zone: ZoneInfo
) -> dict[int, dict[date, PoolDay]]:
    """Pool id -> local day -> its hours that begin in ``period``; days without are absent."""
    days = list(days_in(period, zone))
    starts = literal([day_start(day, zone) for day in days], ARRAY(DateTime(timezone=True)))
    piece = func.width_bucket(pool_hours.c.hour, starts, type_=Integer)
    declared = func.count(pool_hours.c.capacity)
    rows = session.execute(
        select(
            pool_hours.c.pool_id,
            piece,
            func.count(),
            func.sum(pool_hours.c.cost),
            func.sum(pool_hours.c.idle),
            func.sum(pool_hours.c.work_units),
            case((declared == func.count(), func.sum(pool_hours.c.capacity))),
        )
        .where(
            pool_hours.c.tenant_id == tenant,
            pool_hours.c.hour >= period.start,
            pool_hours.c.hour < period.end,
        )
        .group_by(pool_hours.c.pool_id, piece)
        .order_by(pool_hours.c.pool_id, piece)
    )
    found: dict[int, dict[date, PoolDay]] = {}
    for row in rows:
        found.setdefault(row[0], {})[days[row[1] - 1]] = PoolDay(*row[2:])
    return found


Share = tuple[int, str, str | None]
"""Pool id, currency, and team: of what no call used the team ``idle``."""


def all_shares(session: Session, tenant: int, period: Period) -> dict[Share, Decimal]:
    """What the ledger says of every pool's hours that begin in ``period``, for who pays it.

    Whole hours (``full_hours``); from the sums of days.
    """
    asked = Asked(tenant, period, of_use=True)
    keys = ("pool_id", "currency", "meter", "payer_id")
    lines = added_up(session, MONEY, asked, keys, only="pool_id")
    team = case((lines.c.meter == IDLE_METER, IDLE), else_=owners.c.team)
    rows = session.execute(
        select(lines.c.pool_id, lines.c.currency, team, func.sum(lines.c.amount))
        .outerjoin_from(
            lines,
            owners,
            and_(owners.c.tenant_id == tenant, owners.c.id == lines.c.payer_id),
        )
        .where(lines.c.meter.in_((POOL_METER, IDLE_METER)))
        .group_by(lines.c.pool_id, lines.c.currency, team)
    )
    return {(row[0], row[1], row[2]): row[3] for row in rows if row[3]}


def shares(session: Session, tenant: int, period: Period, pool: Pool) -> dict[str | None, Decimal]:
    """Likewise of one pool, by team, in its currency."""
    found = all_shares(session, tenant, period)
    return {
        team: amount
        for (id_, currency, team), amount in found.items()
        if id_ == pool.id and currency == pool.currency
    }


def done_on(
    session: Session, tenant: int, pools: Sequence[Pool], period: Period
) -> dict[int, dict[int, Use]]:
    """Pool id -> band -> what was done on it; without money, which ``shares`` has.

    ``pools`` are all that there are.
    """
    if not pools:
        return {}
    routes = parties.routes_of(session, tenant)
    fitting = [id_ for id_, route in routes.items() if any(p.fits_route(route) for p in pools)]
    pool = case(
        *((ran_on(each, pools, routes, tenant, cells), literal(each.id)) for each in pools)
    ).label("pool_id")
    ended_well = case((cells.c.outcome == Outcome.OK, cells.c.calls), else_=0)
    rows = session.execute(
        select(
            pool,
            cells.c.band,
            func.sum(cells.c.calls).label("calls"),
            func.sum(ended_well).label("answered"),
            func.sum(cells.c.unmetered_calls).label("unmetered"),
            *(func.sum(cells.c[name]).label(name) for name in METER_NAMES),
        )
        .where(
            cells.c.tenant_id == tenant,
            cells.c.slot >= period.start,
            cells.c.slot < period.end,
            cells.c.route_id == func.any(literal(fitting, ARRAY(BigInteger))),
        )
        .group_by(pool, cells.c.band)
    )
    found: dict[int, dict[int, Use]] = {}
    for row in rows:
        if row.pool_id is not None:
            found.setdefault(row.pool_id, {})[row.band] = Use(
                calls=int(row.calls),
                answered=int(row.answered),
                unmetered_calls=int(row.unmetered),
                usage={name: int(getattr(row, name)) for name in METER_NAMES},
            )
    return found


def models_of(session: Session, tenant: int, pools: Sequence[Pool]) -> dict[int, frozenset[str]]:
    """Pool id -> models that were called and can run on it, or that it is declared for by name."""
    routes = list(parties.routes_of(session, tenant).values())
    return {
        pool.id: frozenset(
            {route.model for route in routes if route.model and pool.fits_route(route)}
            | {name for name in pool.match.get("model", ()) if not name.endswith("*")}
        )
        for pool in pools
    }


def _next_hour(moment: datetime) -> datetime:
    begun = hour_of(moment)
    return begun if begun == moment else begun + HOUR
