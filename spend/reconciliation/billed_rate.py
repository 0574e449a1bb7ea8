"""At which rate a provider turned its prices' currency into the bill's."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Final, TypeVar

from spend.money import ATOM_DIGITS, ROUNDING

Said = TypeVar("Said")

MOST_DIGITS: Final = 12
"""Decimals of a rate that is worked out."""

Priced = tuple[Fraction | int, int]
"""What as much usage costs in the prices' currency, and on the bill; in 1e-12."""


def told(rates: Iterable[tuple[Decimal, int]]) -> Decimal | None:
    """The rate that a bill's lines tell; of several, the one in the middle of the money.

    Each with the amount of its line, in 1e-12. None: they tell none.
    """
    found = [(Fraction(rate), Fraction(abs(amount)), rate) for rate, amount in rates if rate > 0]
    return _middle(found) if found else None


def implied(priced: Iterable[Priced]) -> Decimal | None:
    """The rate by which usage is billed, of as many units as are billed; None: there is none.

    That in the middle of the money: as long as most of a bill is priced as we expect, what is not
    does not move it. With as few decimals as give the bill's amount.
    """
    found = [
        (Fraction(billed) / ours, Fraction(ours), (ours, billed))
        for ours, billed in priced
        if ours > 0
    ]
    if not found:
        return None
    return _shortest(*_middle(found))


def _middle(weighted: Sequence[tuple[Fraction, Fraction, Said]]) -> Said:
    ordered = sorted(weighted, key=lambda each: each[:2])
    half = Fraction(sum(weight for _rate, weight, _said in ordered))
    passed = Fraction(0)
    for _rate, weight, said in ordered:
        passed += 2 * weight
        if passed >= half:
            return said
    return ordered[-1][2]


def _shortest(ours: Fraction | int, billed: int) -> Decimal:
    # An amount is rounded where it was written, at least by half of its last digit.
    last = 10 ** min(_zeros(billed), ATOM_DIGITS - 2)
    rate = Fraction(billed) / ours
    for digits in range(2, MOST_DIGITS):
        short = Fraction(round(rate * 10**digits), 10**digits)
        if abs(short * ours - billed) * 2 <= last:
            return _decimal(short, digits)
    return _decimal(Fraction(round(rate * 10**MOST_DIGITS), 10**MOST_DIGITS), MOST_DIGITS)


def _zeros(number: int) -> int:
    text = str(abs(number))
    return len(text) - len(text.rstrip("0")) if number else 0


def _decimal(rate: Fraction, digits: int) -> Decimal:
    return Decimal(int(rate * 10**digits)).scaleb(-digits, ROUNDING)
