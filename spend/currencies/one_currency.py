"""Books in many currencies, told in one: exact sums at the rates of a policy.

What has no rate stays as it is, in its own currency: whoever shows it names it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Generic, TypeVar

from spend.booked import Booked, BookedCommitment, BookedPool
from spend.currencies.exchange import Exchange, UsedRate, converted
from spend.totals import Totals

Row = TypeVar("Row", Booked, BookedPool, BookedCommitment)


@dataclass(frozen=True, slots=True)
class InOneCurrency(Generic[Row]):
    """Rows with the rates that they were converted at."""

    rows: tuple[Row, ...]
    """As many as there were, in their order: in the one currency, or in their own."""
    used: tuple[UsedRate, ...]
    """By currency and day."""


def in_one_currency(rows: Iterable[Row], exchange: Exchange) -> InOneCurrency[Row]:
    """Rows in the currency of ``exchange``, where they have a rate.

    By a daily policy their day is that of the use, also of what is booked later: so a charge is
    taken back at the rate at which it was told.
    """
    return _all(rows, exchange.to, exchange.rate)


def at_rates_of(before: Exchange, rows: Iterable[Row], exchange: Exchange) -> InOneCurrency[Row]:
    """Rows at the rates of the period before: how much less they are is the effect of rates.

    One rate for the whole period (``Exchange.of_period``). Where ``before`` has none, there is
    nothing to compare with: they are at the rates of ``exchange``, as in ``in_one_currency``.
    """
    return _all(
        rows,
        exchange.to,
        lambda currency, day: (
            (before.of_period(currency) if exchange.rate(currency, day) else None)
            or exchange.rate(currency, day)
        ),
    )


def _all(
    rows: Iterable[Row], to: str, rate: Callable[[str, date | None], UsedRate | None]
) -> InOneCurrency[Row]:
    found: list[Row] = []
    used: dict[UsedRate, None] = {}
    for row in rows:
        each = None if row.currency in {None, to} else rate(str(row.currency), row.day)
        if each is not None:
            used[each] = None
        found.append(row if each is None else _at(row, each))
    return InOneCurrency(
        tuple(found), tuple(sorted(used, key=lambda each: (each.from_currency, each.day)))
    )


def _at(row: Row, rate: UsedRate) -> Row:
    if isinstance(row, Booked):
        return replace(row, currency=rate.to_currency, totals=totals_at(row.totals, rate))
    if isinstance(row, BookedPool):
        cost, idle = converted(row.cost, rate), converted(row.idle, rate)
        return replace(row, currency=rate.to_currency, cost=cost, idle=idle)
    return replace(
        row,
        currency=rate.to_currency,
        paid=converted(row.paid, rate),
        covered=converted(row.covered, rate),
        used=converted(row.used, rate),
        wasted=converted(row.wasted, rate),
    )


def totals_at(totals: Totals, rate: UsedRate) -> Totals:
    """Money at a rate, in all four bases; what is unknown stays so."""

    def at(amount: Decimal | None) -> Decimal | None:
        return None if amount is None else converted(amount, rate)

    return replace(
        totals,
        cost=at(totals.cost),
        list_cost=at(totals.list_cost),
        contracted_cost=at(totals.contracted_cost),
        billed_cost=at(totals.billed_cost),
    )
