"""What the page of all pools tells: each pool's figures over a time, an API's price beside them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from sqlalchemy.orm import Session

from api.pages.formats import Formats
from api.pages.ranges import Range
from api.pages.visitor import Visitor
from spend import money
from spend.capacity.economics import MILLION, Use, per_million, together
from spend.capacity.pools import Pool
from spend.capacity.same_model import weights_of
from spend.capacity.targets import ApiTarget, asked_for
from spend.owners import IDLE
from spend.prices.prices import PriceBook
from spend.slots import slot_of
from store.capacity import pool_board, pools
from store.capacity.pool_board import PoolDay
from store.capacity.pool_economics import book_of
from store.prices.offers import offers_of


@dataclass(frozen=True, slots=True)
class Offer:
    """What an API would ask for what was done on a pool."""

    target: ApiTarget
    cost: Decimal
    price: Decimal
    """For 1,000,000 tokens of this mix."""


@dataclass(frozen=True, slots=True)
class PoolNow:
    """A pool over a time. Money is exact, in the pool's currency."""

    pool: Pool
    models: frozenset[str]
    days: Mapping[date, PoolDay]
    teams: Mapping[str | None, Decimal]
    """Busy cost by who pays."""
    use: Use
    offers: tuple[Offer, ...]
    """The cheapest first."""

    @property
    def hours(self) -> int:
        """That are settled."""
        return sum(day.hours for day in self.days.values())

    @property
    def cost(self) -> Decimal:
        """Of those hours."""
        return money.total([day.cost for day in self.days.values()])

    @property
    def idle(self) -> Decimal:
        """Of the cost, what no call used."""
        return money.total([day.idle for day in self.days.values()])

    @property
    def idle_share(self) -> Decimal | None:
        """Of the cost; None: it cost nothing."""
        return share(self.idle, self.cost)

    @property
    def of_capacity(self) -> Decimal | None:
        """Work done, of what could have been; None: no capacity is declared for all hours."""
        could = [day.capacity for day in self.days.values()]
        known = [each for each in could if each is not None]
        if len(known) != len(could):
            return None
        done = sum((day.work for day in self.days.values()), Decimal(0))
        return share(done, sum(known, Decimal(0)))

    @property
    def per_million(self) -> Decimal | None:
        """Cost, idle hours paid for, over all tokens; None: there are none."""
        tokens = self.use.tokens
        return (
            per_million(Fraction(self.cost) * MILLION / tokens) if tokens and self.hours else None
        )


@dataclass(frozen=True, slots=True)
class Board:
    """All pools, in the order of their declaration."""

    pools: tuple[PoolNow, ...]

    def within(self, currency: str) -> list[PoolNow]:
        """Pools whose money is of a currency."""
        return [each for each in self.pools if each.pool.currency == currency]


def board_of(session: Session, tenant: int, asked: Range, visitor: Visitor) -> Board:
    """Every pool over the hours of UTC that begin in a range."""
    every = pools.all_pools(session, tenant)
    hours = pool_board.full_hours(asked.period)
    days = pool_board.by_day(session, tenant, hours, visitor.zone)
    paid = pool_board.all_shares(session, tenant, hours)
    bands = pool_board.done_on(session, tenant, every, hours)
    models = pool_board.models_of(session, tenant, every)
    at = min(slot_of(visitor.now), slot_of(asked.period.end - timedelta(microseconds=1)))
    found = []
    books: dict[str, tuple[list[ApiTarget], PriceBook | None]] = {}
    for pool in every:
        if pool.currency not in books:
            called = {m for p in every if p.currency == pool.currency for m in models[p.id]}
            targets = offers_of(session, tenant, called, currency=pool.currency, at=at)
            book = book_of(session, tenant, targets, currency=pool.currency) if targets else None
            books[pool.currency] = (targets, book)
        targets, book = books[pool.currency]
        used = bands.get(pool.id, {})
        found.append(
            PoolNow(
                pool=pool,
                models=models[pool.id],
                days=days.get(pool.id, {}),
                teams={
                    team: amount
                    for (id_, currency, team), amount in paid.items()
                    if id_ == pool.id and currency == pool.currency and team != IDLE
                },
                use=together(list(used.values())),
                offers=offers(book, same_weights(targets, models[pool.id]), used, at),
            )
        )
    return Board(tuple(found))


def same_weights(targets: Sequence[ApiTarget], models: frozenset[str]) -> list[ApiTarget]:
    """Targets with the one model that a pool runs; of a pool with several, none is the same."""
    wanted = {weights_of(model) for model in models} - {()}
    if len(wanted) != 1:
        return []
    return [target for target in targets if weights_of(target.model) in wanted]


def offers(
    book: PriceBook | None, targets: Sequence[ApiTarget], used: Mapping[int, Use], at: datetime
) -> tuple[Offer, ...]:
    """What each would ask for what was done, the cheapest first; without those that cannot say."""
    tokens = sum(use.tokens for use in used.values())
    if book is None or not tokens:
        return ()
    found = []
    for target in targets:
        cost, _why = asked_for(book, target, used, at)
        if cost is not None:
            price = per_million(Fraction(cost) * MILLION / tokens)
            found.append(Offer(target, cost, price))
    return tuple(sorted(found, key=lambda each: (each.cost, each.target.name)))


def share(part: Decimal, whole: Decimal) -> Decimal | None:
    """As 0 to 1, six decimals; None: there is no whole."""
    return round(money.ROUNDING.divide(part, whole), 6) if whole else None


def shown(ratio: Fraction | None) -> Decimal | None:
    """A ratio as a decimal, six decimals."""
    return None if ratio is None else Decimal(round(ratio * 10**6)).scaleb(-6)


def beside(own: Decimal | None, price: Decimal, told: Formats) -> tuple[str, str]:
    """Whether a pool's tokens are cheaper than an API's: a tone, and in words."""
    if own is None or not price:
        return "", "not comparable"
    ratio = money.ROUNDING.divide(own, price)
    if ratio == 1:
        return "", "the same"
    if ratio < 1:
        return "good", f"{told.percent(1 - ratio, 0)} cheaper"
    if ratio < 2:  # noqa: PLR2004 - beyond twice, per cents say little
        return "bad", f"{told.percent(ratio - 1, 0)} dearer"
    return "bad", f"{told.number(round(ratio, 1 if ratio < 10 else 0))}× dearer"  # noqa: PLR2004, RUF001 - two digits; a sign of multiplication


def models_told(models: frozenset[str]) -> str:
    """The models of a pool in a few words."""
    names = sorted(models)
    if not names:
        return "no model called yet"
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
