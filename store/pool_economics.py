"""The economics of a pool: what its hours cost, what was done in them, what an API would ask."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from spend import money
from spend.against_api import Comparison, Volume, compared
from spend.economics import Economics, Use, spread
from spend.owners import IDLE
from spend.periods import Period
from spend.pools import Pool
from spend.prices import PriceBook
from spend.slots import slot_of
from spend.targets import ApiTarget, TargetRefusedError, asked_for
from store.pool_use import PoolUse, daily_tokens, pool_use, together
from store.price_book import book_for


@dataclass(frozen=True, slots=True)
class TeamLine:
    """What a team did on a pool, and its part of what nobody used."""

    team: str | None
    use: Use
    idle_cost: Decimal

    @property
    def cost(self) -> Decimal:
        """Busy and idle."""
        return money.total([self.use.busy_cost, self.idle_cost])


@dataclass(frozen=True, slots=True)
class PoolEconomics:
    """A pool over a period: the whole, by team, and against APIs."""

    pool: Pool
    use: PoolUse
    whole: Economics
    prices_at: datetime
    """By whose prices the APIs were asked (UTC)."""
    against: tuple[tuple[ApiTarget, Comparison], ...]

    def teams(self, view: str) -> list[TeamLine]:
        """Teams, dearest first, that add up to the cost; idle as ``spend/economics.py`` has it."""
        by_team = list(self.use.by_team.items())
        parts = spread(self.whole.idle_cost, [use.busy_cost for _team, use in by_team], view)
        if parts is None:
            nothing = money.amount(0)
            lines = [TeamLine(team, use, nothing) for team, use in by_team]
            if self.whole.hours:
                lines.append(TeamLine(IDLE, Use(), self.whole.idle_cost))
        else:
            pairs = zip(by_team, parts, strict=True)
            lines = [TeamLine(team, use, part) for (team, use), part in pairs]
        return sorted(lines, key=lambda line: (-line.cost, line.team is None, line.team or ""))


def pool_economics(
    session: Session,
    tenant: int,
    pool: Pool,
    period: Period,
    zone: ZoneInfo,
    against: Sequence[ApiTarget],
    *,
    now: datetime,
) -> PoolEconomics:
    """A pool's economics over the hours of UTC that begin in ``period``; ``zone`` cuts its days.

    APIs are asked by the prices of the period's last quarter hour, or of ``now`` (UTC) if that is
    earlier, as known today. TargetRefusedError for one that the price book has no line of.
    """
    use = pool_use(session, tenant, pool, period, zone)
    capacity = pool.capacity_per_hour
    whole = Economics(
        hours=use.count,
        idle_cost=use.idle_cost,
        whole=together(list(use.by_team.values())),
        capacity=None if capacity is None else capacity * use.count,
    )
    at = min(slot_of(now), slot_of(period.end - timedelta(microseconds=1)))
    comparisons = []
    if against:
        last_day, daily = daily_tokens(session, tenant, pool, period, zone, now=now)
        volume = Volume(daily, last_day)
        book = book_of(session, tenant, against, currency=pool.currency)
        usage = {band: each.usage for band, each in use.by_band.items()}
        for target in against:
            asked: tuple[Decimal | None, str | None] = asked_for(book, target, usage, at)
            comparisons.append((target, compared(whole, *asked, volume)))
    return PoolEconomics(pool, use, whole, at, tuple(comparisons))


def book_of(
    session: Session, tenant: int, targets: Sequence[ApiTarget], *, currency: str
) -> PriceBook:
    """The price book as far as it can price ``targets``.

    TargetRefusedError for one that it has no line of, whenever in force.
    """
    book = book_for(session, tenant, [target.route for target in targets], currency=currency)
    for target in targets:
        if not book.has_lines(target.route):
            raise TargetRefusedError(
                f"{target.name} has no price in {currency}: name it as the price book does", target
            )
    return book
