"""The books of a period in one currency, as a statement is drawn up from them."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import groupby
from typing import TypeVar

from sqlalchemy.orm import Session

from spend.booked import Booked, BookedCommitment, BookedPool
from spend.currencies.exchange import DAILY, Exchange, UsedRate
from spend.currencies.one_currency import at_rates_of, in_one_currency
from spend.money import EXACT
from spend.periods import Period
from store.conversion import Conversion
from store.spending.booked import booked, booked_commitments, booked_pools


@dataclass(frozen=True, slots=True)
class ConvertedBooks:
    """Rows in one currency, but for those that have no rate: they are in their own."""

    rows: tuple[Booked, ...]
    exchange: Exchange
    own: tuple[Booked, ...]
    """The rows, each in its own currency."""
    used: tuple[UsedRate, ...]

    def at_rates_of(self, before: "ConvertedBooks") -> tuple[Booked, ...] | None:
        """The same rows at the rates of another period; None: nothing was converted."""
        if not self.used:
            return None
        return at_rates_of(before.exchange, self.own, self.exchange).rows


def converted_books(
    session: Session,
    tenant: int,
    period: Period,
    asked: Conversion,
    *,
    also: Collection[str | None] = (),
) -> ConvertedBooks:
    """What is booked in a period. ``also``: currencies that rates are wanted of beside."""
    own = booked(
        session,
        tenant,
        period,
        as_known_at=asked.as_known_at,
        named_at=asked.closed_at,
        for_rates_to=asked.to if asked.policy == DAILY else None,
    )
    currencies = {*(row.currency for row in own), *also}
    exchange = asked.exchange(session, tenant, period, currencies)
    found = in_one_currency(own, exchange)
    return ConvertedBooks(found.rows, exchange, tuple(own), found.used)


def converted_pools(
    session: Session, tenant: int, period: Period, asked: Conversion, exchange: Exchange
) -> list[BookedPool]:
    """What pools cost by what is booked in a period: each once, or once in each currency."""
    own = booked_pools(
        session,
        tenant,
        period,
        as_known_at=asked.as_known_at,
        for_rates_to=asked.to if exchange.by_day else None,
    )
    return [
        replace(one, day=None, cost=_sum(its, "cost"), idle=_sum(its, "idle"))
        for one, its in _alike(in_one_currency(own, exchange).rows)
    ]


def converted_commitments(
    session: Session, tenant: int, period: Period, asked: Conversion, exchange: Exchange
) -> list[BookedCommitment]:
    """What commitments came to by what is booked in a period, likewise."""
    own = booked_commitments(
        session,
        tenant,
        period,
        as_known_at=asked.as_known_at,
        for_rates_to=asked.to if exchange.by_day else None,
    )
    return [
        replace(
            one,
            day=None,
            paid=_sum(its, "paid"),
            covered=_sum(its, "covered"),
            used=_sum(its, "used"),
            wasted=_sum(its, "wasted"),
        )
        for one, its in _alike(in_one_currency(own, exchange).rows)
    ]


_Row = TypeVar("_Row", BookedPool, BookedCommitment)


def _alike(rows: Iterable[_Row]) -> Iterator[tuple[_Row, list[_Row]]]:
    """What is of one pool or commitment, in one currency: the first of it, and all."""

    def key(row: BookedPool | BookedCommitment) -> tuple[str, int, str]:
        return row.name, row.id, row.currency

    for _key, its in groupby(sorted(rows, key=key), key):
        alike = list(its)
        yield alike[0], alike


def _sum(rows: Iterable[BookedPool | BookedCommitment], name: str) -> Decimal:
    total = Decimal(0)
    for row in rows:
        total = EXACT.add(total, getattr(row, name))
    return total
