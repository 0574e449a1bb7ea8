"""Usage that a bill has on another day than we have it: a lag, another zone's day, another month.

What lacks on one day is looked for among what is too much on days near by, before anything is
called a difference of quantity.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from math import floor

from spend.periods import Period
from spend.reconciliation.variance import LAG


@dataclass(frozen=True, slots=True)
class Moved:
    """So many units that we count in one piece of time are billed in another."""

    counted: Period
    billed: Period
    quantity: Fraction


def moved(
    differences: Mapping[Period, Fraction], counted: Mapping[Period, Fraction]
) -> list[Moved]:
    """What was billed elsewhere than counted, in the order of time.

    ``differences``: billed less counted, for each piece of time that both sides are known of. The
    nearest surplus takes what lacks, of two a later one, since bills come after usage. Pieces
    longer than LAG give and take only what LAG of them holds.
    """
    lacks = {piece: -each for piece, each in differences.items() if each < 0}
    surplus = {piece: each for piece, each in differences.items() if each > 0}
    for sums in (lacks, surplus):
        for piece in sums:
            sums[piece] = min(sums[piece], _movable(piece, counted, sums[piece]))
    found = []
    for piece in sorted(lacks, key=lambda each: each.start):
        for other in _nearest(piece, surplus):
            quantity = min(lacks[piece], surplus[other])
            if quantity > 0:
                lacks[piece] -= quantity
                surplus[other] -= quantity
                found.append(Moved(piece, other, quantity))
    return found


def _movable(piece: Period, counted: Mapping[Period, Fraction], whole: Fraction) -> Fraction:
    length = piece.end - piece.start
    if length <= LAG:
        return whole
    share = Fraction(LAG // timedelta(microseconds=1), length // timedelta(microseconds=1))
    return Fraction(floor(max(counted.get(piece, Fraction(0)), Fraction(0)) * share))


def _nearest(piece: Period, others: Collection[Period]) -> list[Period]:
    near = [(_gap(piece, other), other.start < piece.start, other.start, other) for other in others]
    return [each[-1] for each in sorted(near, key=lambda each: each[:-1]) if each[0] < LAG]


def _gap(piece: Period, other: Period) -> timedelta:
    first, second = sorted((piece, other), key=lambda each: each.start)
    return max(second.start - first.end, timedelta())
