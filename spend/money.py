"""Exact money: integers of 1e-12 of a currency, split and rounded so that nothing is lost.

A unit price has at most 6 decimals per 1,000,000 units, so one unit costs a whole number of 1e-12
(*atoms*), and so does any number of units. Nothing is rounded before it is shown.
"""

from collections.abc import Sequence
from decimal import (
    ROUND_HALF_EVEN,
    Context,
    Decimal,
    DivisionByZero,
    Inexact,
    InvalidOperation,
    Overflow,
)
from typing import Final

ATOM_DIGITS: Final = 12
"""An amount's decimals."""

PRICE_DIGITS: Final = 6
"""A unit price's decimals, per 1,000,000 units."""

PRICE_LIMIT: Final = Decimal(10) ** 12
"""A unit price is less than this, so that any stored count times it fits into 38 digits."""

EXACT: Final = Context(prec=60, traps=[Inexact, InvalidOperation, DivisionByZero, Overflow])
"""Raises ``decimal.Inexact`` where a digit would be lost."""

ROUNDING: Final = Context(
    prec=60, rounding=ROUND_HALF_EVEN, traps=[InvalidOperation, DivisionByZero, Overflow]
)

_ATOM: Final = Decimal(1).scaleb(-ATOM_DIGITS)

# ISO 4217 (2026): every currency that is not listed has two decimals.
_MINOR_DIGITS: Final = {
    currency: digits
    for digits, currencies in {
        0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
        3: "BHD IQD JOD KWD LYD OMR TND",
        4: "CLF UYW",
    }.items()
    for currency in currencies.split()
}


def minor_digits(currency: str) -> int:
    """Decimals of a currency's smallest coin: 2 for USD, 0 for JPY."""
    return _MINOR_DIGITS.get(currency, 2)


def quantised(price: Decimal) -> Decimal:
    """A unit price as the book keeps it: 6 decimals, half to even. Done once, when it enters."""
    return price.quantize(Decimal(1).scaleb(-PRICE_DIGITS), context=ROUNDING)


def atoms(amount: Decimal) -> int:
    """An amount as a whole number of 1e-12; raises ``decimal.Inexact`` if it is finer than that."""
    return int(amount.scaleb(ATOM_DIGITS, EXACT).to_integral_exact(context=EXACT))


def amount(number: int) -> Decimal:
    """The amount that a number of atoms is, with 12 decimals."""
    return Decimal(number).scaleb(-ATOM_DIGITS, EXACT)


def cost(quantity: int, unit_price: Decimal) -> Decimal:
    """What ``quantity`` units cost at a price per 1,000,000: exact, with 12 decimals."""
    return amount(quantity * atoms(per_unit(unit_price)))


def per_unit(unit_price: Decimal) -> Decimal:
    """The price of one unit, with 12 decimals, from a price per 1,000,000."""
    return amount(int(unit_price.scaleb(ATOM_DIGITS - 6, EXACT).to_integral_exact(context=EXACT)))


def total(amounts: Sequence[Decimal]) -> Decimal:
    """The exact sum, with 12 decimals."""
    return amount(sum(atoms(each) for each in amounts))


def split(whole: Decimal, weights: Sequence[int]) -> tuple[Decimal, ...]:
    """Parts of ``whole`` in proportion to ``weights``, that add up to it to the last atom.

    Largest remainder: each part is rounded towards zero, what is left goes one atom each to the
    largest remainders; of equal ones the first gets it. Weights that are all zero split evenly.
    Raises ValueError for a negative weight, and for no weights.
    """
    return tuple(map(amount, split_units(atoms(whole), weights)))


def split_units(whole: int, weights: Sequence[int]) -> list[int]:
    """The same of whole units."""
    if not weights:
        raise ValueError("nothing to split by")
    if min(weights) < 0:
        raise ValueError("a weight must not be negative")
    if whole < 0:
        return [-part for part in split_units(-whole, weights)]
    if not any(weights):
        weights = [1] * len(weights)
    divisor = sum(weights)
    parts = [whole * weight // divisor for weight in weights]
    remainders = [whole * weight % divisor for weight in weights]
    left = whole - sum(parts)
    for position in sorted(range(len(weights)), key=lambda each: -remainders[each])[:left]:
        parts[position] += 1
    return parts


def rounded(value: Decimal, currency: str) -> Decimal:
    """An amount in whole coins of its currency, half to even: for showing, never for adding."""
    return value.quantize(Decimal(1).scaleb(-minor_digits(currency)), context=ROUNDING)


def rounded_lines(
    amounts: Sequence[Decimal], currency: str, *, shown: Decimal | None = None
) -> tuple[Decimal, ...]:
    """The lines of a statement in whole coins, that add up to the rounded total.

    No line is a whole coin or more away from its exact amount; coins go to the largest remainders,
    of equal ones to the first. ``shown`` is their total where they are the parts of a line that
    was rounded before, up or down. What was converted may have more decimals than an atom.
    """
    digits = minor_digits(currency)
    finest = ATOM_DIGITS
    if not all(map(_ATOM.same_quantum, amounts)):
        finest = max([finest, *(-int(each.as_tuple().exponent) for each in amounts)])
    coin = 10 ** (finest - digits)
    exact = [int(each.scaleb(finest, EXACT)) for each in amounts]
    coins = [each // coin for each in exact]
    remainders = [each % coin for each in exact]
    if shown is None:
        shown = rounded(Decimal(sum(exact)).scaleb(-finest, EXACT), currency)
    left = int(shown.scaleb(digits, EXACT)) - sum(coins)
    for position in sorted(range(len(exact)), key=remainders.__getitem__, reverse=True)[:left]:
        coins[position] += 1
    return tuple(Decimal(each).scaleb(-digits, EXACT) for each in coins)


def coins(value: Decimal, currency: str) -> str:
    """An amount for people, without its currency: in whole coins, thousands set off."""
    return f"{rounded(value, currency):,f}"


def shown(value: Decimal, currency: str) -> str:
    """The same, but of less than 1 all its digits: few calls cost a coin."""
    return plain(value) if 0 < abs(value) < 1 else coins(value, currency)


def plain(value: Decimal) -> str:
    """An amount as the API writes it: no exponent, at least two decimals, no zeros beyond."""
    whole, _, decimals = format(value, "f").partition(".")
    return f"{whole}.{decimals.rstrip('0').ljust(2, '0')}"
