"""The economics of a pool: what its hours cost, what was done in them, what an API would ask."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from spend.capacity.against_api import SHARED, PoolEconomics, Volume, compared
from spend.capacity.pools import Pool
from spend.capacity.targets import ApiTarget, TargetRefusedError, asked_for
from spend.periods import Period
from spend.prices.prices import PriceBook
from spend.slots import slot_of
from store.capacity.pool_use import daily_use, pool_use, tokens_by_day
from store.prices.price_book import book_for


def pool_economics(
    session: Session,
    tenant: int,
    pool: Pool,
    period: Period,
    zone: ZoneInfo,
    against: Sequence[ApiTarget],
    *,
    now: datetime,
    shared: Collection[str] = SHARED,
) -> PoolEconomics:
    """A pool's economics over the hours of UTC that begin in ``period``; ``zone`` cuts its days.

    APIs are asked by the prices of the period's last quarter hour, or of ``now`` (UTC) if that is
    earlier, as known today. ``shared``: kinds of components that a further machine does not cost
    again. TargetRefusedError for an API that the price book has no line of.
    """
    whole, by_band = pool_use(session, tenant, pool, period, zone)
    at = min(slot_of(now), slot_of(period.end - timedelta(microseconds=1)))
    comparisons, daily = [], {}
    if against:
        gone = Period(period.start, max(period.start, min(period.end, now)))
        daily = daily_use(session, tenant, pool, gone, zone)
        last_day, tokens = tokens_by_day(pool, gone, zone, daily)
        volume = Volume(tokens, last_day)
        book = book_of(session, tenant, against, currency=pool.currency)
        for target in against:
            asked = asked_for(book, target, by_band, at)
            comparisons.append((target, compared(whole, *asked, volume, shared)))
    return PoolEconomics(pool, whole, at, tuple(comparisons), daily)


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
