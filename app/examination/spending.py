"""Whether what was used has its cost."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select

from app.examination.findings import Finding, Looking, State
from spend.capacity.pools import HOUR, Pool, hour_of
from spend.currencies.exchange import DAILY
from spend.money import rounded
from spend.periods import Period
from store.capacity import pools as all_of_them
from store.rates import exchange
from store.tables.days import charge_days
from store.tables.pools import pool_hours
from store.tables.prices import prices
from store.tables.rollups import cells
from store.tenants import PUBLIC, TENANT

_LOOKS_BACK: Final = timedelta(days=31)
_TOO_MANY: Final = 0.2
"""A share of calls without a price that makes sums of money say little."""
_OLD: Final = timedelta(days=120)
_WEEK: Final = timedelta(days=7)
_SETTLING: Final = timedelta(hours=2)


def unpriced(looking: Looking) -> Iterator[Finding]:
    """How many calls have no price."""
    calls, without, tokens = looking.session.execute(
        select(
            func.coalesce(func.sum(cells.c.calls), 0),
            func.coalesce(func.sum(cells.c.unpriced_calls), 0),
            func.coalesce(func.sum(cells.c.unpriced_tokens), 0),
        ).where(cells.c.tenant_id == TENANT, cells.c.slot >= looking.now - _LOOKS_BACK)
    ).one()
    do = "spanledger prices unpriced; docs/prices.md"
    if without:
        said = f"{without:,} of {calls:,} calls of the last month have no price"
        state = State.WRONG if without / max(1, calls) > _TOO_MANY else State.LOOK
        yield Finding("prices", state, said, do)
    elif tokens:
        yield Finding(
            "prices", State.LOOK, f"{tokens:,} tokens of the last month have no price", do
        )
    else:
        yield Finding("prices", State.WELL, f"all {calls:,} calls of the last month have one")


def price_list(looking: Looking) -> Iterator[Finding]:
    """How long nothing new is known of public prices: they come with new versions."""
    last: datetime | None = looking.session.scalar(
        select(func.max(prices.c.known_from)).where(prices.c.tenant_id == PUBLIC)
    )
    if last is None:
        said = "there is no public price list yet"
        yield Finding("price list", State.WRONG, said, "spanledger jobs run prices")
    elif looking.now - last > _OLD:
        said = f"nothing new is known of public prices since {last:%Y-%m-%d}"
        yield Finding("price list", State.LOOK, said, "upgrade: the list comes with versions")
    else:
        yield Finding("price list", State.WELL, f"of {last:%Y-%m-%d}")


def rates(looking: Looking) -> Iterator[Finding]:
    """Whether what was spent in other currencies can be told in ours."""
    settings = looking.settings
    period = Period(looking.now - _LOOKS_BACK, looking.now)
    spent = (
        select(charge_days.c.currency, func.sum(func.abs(charge_days.c.amount)))
        .where(
            charge_days.c.tenant_id == TENANT,
            charge_days.c.day >= period.start.date(),
            charge_days.c.currency != settings.currency,
        )
        .group_by(charge_days.c.currency)
    )
    # Not what comes to no coin, as a canary's calls.
    others = sorted(
        code for code, amount in looking.session.execute(spent) if rounded(amount, code)
    )
    if not others:
        return
    found = exchange(
        looking.session,
        TENANT,
        others,
        period,
        settings.zone,
        to=settings.currency,
        policy=DAILY,
        now=looking.now,
    )
    lacking = [code for code in others if found.of_period(code) is None]
    if lacking:
        said = f"there is none to {settings.currency} from {', '.join(lacking)}"
        yield Finding("rates", State.WRONG, said, "spanledger rates import: docs/currencies.md")
    else:
        yield Finding("rates", State.WELL, f"from {', '.join(others)} to {settings.currency}")


def pools(looking: Looking) -> Iterator[Finding]:
    """Whether the hours of pools were settled, cost something, and had calls."""
    there = [
        each for each in all_of_them.all_pools(looking.session, TENANT) if _is_paid(each, looking)
    ]
    found = [one for pool in there for one in _of_pool(pool, looking)]
    if there and not found:
        yield Finding("pools", State.WELL, f"{len(there)}, each hour of the last week settled")
    yield from found


def _is_paid(pool: Pool, looking: Looking) -> bool:
    last = looking.now - _SETTLING
    return pool.valid_from < last and (pool.valid_to is None or pool.valid_to > last - _WEEK)


def _of_pool(pool: Pool, looking: Looking) -> Iterator[Finding]:
    """What is wrong with a pool's hours of the last week."""
    until = hour_of(min(looking.now - _SETTLING, pool.valid_to or looking.now))
    since = max(hour_of(until - _WEEK), pool.valid_from)
    c = pool_hours.c
    settled, free, unused = looking.session.execute(
        select(
            func.count(),
            func.count().filter(c.cost == 0),
            func.count().filter(c.work_units == 0, c.timed_us == 0),
        ).where(c.tenant_id == TENANT, c.pool_id == pool.id, c.hour >= since, c.hour < until)
    ).one()
    expected = (until - since) // HOUR
    if expected > settled:
        said = f"{expected - settled} hours of {pool.name} in the last week are not settled"
        yield Finding("pools", State.WRONG, said, "spanledger jobs run charge")
    if free:
        said = f"{free} hours of {pool.name} in the last week cost nothing"
        do = "did its components end? spanledger pools show"
        yield Finding("pools", State.LOOK, said, do)
    if settled and unused == settled:
        said = f"no call ran on {pool.name} in the last week"
        yield Finding("pools", State.LOOK, said, "does its match still fit? docs/pools.md")
