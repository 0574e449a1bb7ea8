"""What of spend is out of the ordinary: held against the same hours of past weeks; and why it is.

What is expected is the median of the past weeks, how far they are apart the median of their
distances from it (MAD): neither is moved by one week in which something went wrong. 1.4826 times
the MAD is a standard deviation, were they spread normally (Rousseeuw and Croux 1993).

Amounts are whole numbers of 1e-12 in here.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final

from spend import money

FEWEST_WEEKS: Final = 3
"""Of fewer past weeks nothing is expected."""

DRIVERS: Final = ("feature", "model", "customer", "project", "service", "environment", "team")
OTHER_DRIVERS: Final = ("region", "deployment", "operation", "provider")
DRIVEN_BY: Final = (*DRIVERS, *OTHER_DRIVERS)
"""What a difference can be put down to; of equally good ones the first."""
MOST_DRIVERS: Final = 3
LEAST_SHARE: Final = Fraction(1, 20)
"""Of the difference: what explains less is not named."""

_MAD_TO_DEVIATION: Final = Fraction(14826, 10000)


@dataclass(frozen=True, slots=True)
class Judged:
    """Spend of a window beside what was expected."""

    value: Decimal
    expected: Decimal
    deviation: Decimal
    """By how much the past weeks are apart, rounded to 1e-12."""
    weeks: int
    """How many of them there are."""
    stands_out: bool
    """Whether it is out of the ordinary; whether it is worth telling depends on the amount."""

    @property
    def excess(self) -> Decimal:
        """By how much it is more than expected; negative where it is less."""
        return money.EXACT.subtract(self.value, self.expected)


def judged(
    value: int, past: Sequence[int], *, sensitivity: Decimal, ratio: Decimal
) -> Judged | None:
    """What to think of ``value`` after ``past``: one amount a week, in any order.

    It stands out when it is more than ``sensitivity`` deviations above what is expected, and at
    least ``ratio`` times that. Where nothing was spent before, anything stands out. None: of fewer
    than FEWEST_WEEKS nothing is expected.
    """
    if len(past) < FEWEST_WEEKS:
        return None
    expected = median(past)
    deviation = _MAD_TO_DEVIATION * median([abs(each - expected) for each in past])
    excess = value - expected
    return Judged(
        value=money.amount(value),
        expected=money.amount(expected),
        deviation=money.amount(round(deviation)),
        weeks=len(past),
        stands_out=excess > 0
        and excess > Fraction(sensitivity) * deviation
        and value >= Fraction(ratio) * expected,
    )


def median(amounts: Sequence[int]) -> int:
    """The middle one; of an even number, what is halfway between the middle two, rounded down."""
    ordered = sorted(amounts)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) // 2


@dataclass(frozen=True, slots=True)
class Piece:
    """What was spent under one set of names, in the window and in each of the past weeks."""

    names: Mapping[str, str]
    """Dimension -> value; without those that nothing is said of."""
    now: int
    past: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Driver:
    """Spend that has one value in a dimension, and rose."""

    dimension: str
    value: str
    now: Decimal
    was: Decimal
    """In the middle of the past weeks."""

    @property
    def more(self) -> Decimal:
        """By how much it rose."""
        return money.EXACT.subtract(self.now, self.was)


def drivers(pieces: Iterable[Piece]) -> list[Driver]:
    """What most of a rise comes from, the best explanation first; no spend is in two of them.

    An explanation is good when it holds much of the rise and little else: a feature that went from
    3 to 415 explains more than the model it uses, which went from 500 to 912. What has the same
    value in all pieces explains nothing, unless nothing is told apart at all.
    """
    left = list(pieces)
    told_apart = _told_apart(left)
    rise = _rise(left)
    found: list[Driver] = []
    while len(found) < MOST_DRIVERS:
        best = _best(left, told_apart)
        if best is None:
            break
        dimension, value, now, was = best
        if now - was < LEAST_SHARE * rise:
            break
        found.append(Driver(dimension, value, money.amount(now), money.amount(was)))
        left = [each for each in left if each.names.get(dimension) != value]
    return found


def explained(named: Sequence[Driver], rise: Decimal) -> int:
    """Which share of a rise drivers explain, in whole per cent, at most 100."""
    if rise <= 0:
        return 0
    more = sum((Fraction(each.more) for each in named), Fraction(0))
    return min(100, int(100 * more / Fraction(rise)))


def _told_apart(pieces: Sequence[Piece]) -> tuple[str, ...]:
    said = [name for name in DRIVEN_BY if any(name in each.names for each in pieces)]
    apart = [name for name in said if len({each.names.get(name) for each in pieces}) > 1]
    return tuple(apart or said[:1])


def _rise(pieces: Sequence[Piece]) -> int:
    now, past = _sums(pieces)
    return now - median(past) if past else now


def _best(pieces: Sequence[Piece], dimensions: Sequence[str]) -> tuple[str, str, int, int] | None:
    """Dimension, value, what it is now, and what it was."""
    best, most = None, Fraction(0)
    for dimension in dimensions:
        groups: dict[str, list[Piece]] = defaultdict(list)
        for each in pieces:
            if dimension in each.names:
                groups[each.names[dimension]].append(each)
        for value in sorted(groups):
            now, past = _sums(groups[value])
            was = median(past) if past else 0
            if now <= was or now <= 0:
                continue
            # The rise, times its share of what is spent there now: what was there before does not
            # help to explain.
            worth = Fraction((now - was) ** 2, now)
            if worth > most:
                best, most = (dimension, value, now, was), worth
    return best


def _sums(pieces: Sequence[Piece]) -> tuple[int, list[int]]:
    now = sum(each.now for each in pieces)
    return now, [sum(week) for week in zip(*(each.past for each in pieces), strict=True)]
