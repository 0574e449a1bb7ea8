"""Why a month cost more or less than the one before, in parts that add up to the difference.

What a line (team, provider, model) costs goes from last month's amount to this month's over three
marks. Each part is a step, so nothing is left over, to the last 1e-12:

=========== ======================================================= ===========
 from        to                                                      part
=========== ======================================================= ===========
 last month  if it had grown as its team's units did                 ``volume``
 ..          this month's units at last month's cost of a unit       ``mix``
 ..          this month, at last month's exchange rates              ``price``
 ..          this month                                              ``fx``
=========== ======================================================= ===========

Units are tokens without a known price left out; calls, where a line has no tokens. Lines of both
units are apart from each other, as they cannot be added. By team: volume is the change of its units
at its average cost of last month, mix is that its units went to dearer or cheaper models, price is
that a unit of a model came to more or less. What a unit came to goes by everything: the price
lines, how much of it was output or from a cache, how busy a pool was.

What has no such way has a part of its own:

* ``new`` and ``gone``: lines with units in one of the two months only.
* ``capacity``: idle, unused and commitments: money that nobody's usage is behind.
* ``adjustments``: credits, true-ups and taxes.
* ``corrections``: what mends earlier months, this month's less last month's.
* ``other``: the rest, such as what has a price in one of the two months only, or was not counted
  in units in either.
* ``rounding``: exactly 0; in whole coins, what the other parts lack.
"""

import operator
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Final, Self

from spend.booked import USAGE
from spend.money import ATOM_DIGITS, EXACT, ROUNDING
from spend.owners import COMMITMENTS, IDLE, UNUSED
from spend.statements.statement_sides import LineKey, Side, exact_sum
from spend.totals import Totals

_NOTHING: Final = Decimal(0)
_NO_TOTALS: Final = Totals()
_ATOM: Final = Decimal(1).scaleb(-ATOM_DIGITS)
_CAPACITY: Final = frozenset({IDLE, UNUSED, COMMITMENTS})


@dataclass(frozen=True, slots=True)
class Why:
    """A difference in parts: what it would have been without, in the currency of the statement."""

    volume: Decimal = _NOTHING
    mix: Decimal = _NOTHING
    price: Decimal = _NOTHING
    new: Decimal = _NOTHING
    gone: Decimal = _NOTHING
    capacity: Decimal = _NOTHING
    adjustments: Decimal = _NOTHING
    corrections: Decimal = _NOTHING
    fx: Decimal = _NOTHING
    other: Decimal = _NOTHING
    rounding: Decimal = _NOTHING

    @property
    def total(self) -> Decimal:
        """The difference: cost less last month's, as far as both are known."""
        return exact_sum(amounts_of(self))

    @classmethod
    def together(cls, parts: Iterable[Self]) -> Self:
        """Of several lines."""
        columns = zip(*map(amounts_of, parts), strict=True)
        return cls(*(exact_sum(column) for column in columns))


PART_NAMES: Final = tuple(part.name for part in fields(Why))
"""In the order in which they are told."""

amounts_of: Final = operator.attrgetter(*PART_NAMES)
"""The parts of a Why, in that order."""

NO_CHANGE: Final = Why()

Units = tuple[str, int, int]
"""What is counted, and how many this month and last."""


def why_changed(now: Side, last: Side, at_last_rates: Side) -> dict[LineKey, Why]:
    """Why each line is not what it was last month.

    ``at_last_rates``: this month, its currencies converted as last month's were.
    """
    keys = {*now.totals, *last.totals}
    units = {
        key: found
        for key in keys
        if key[0] not in _CAPACITY
        and key[3] == USAGE
        and (found := _units(now.own.get(key, _NO_TOTALS), last.own.get(key, _NO_TOTALS)))
    }
    this_month: Counter[tuple[str, str]] = Counter()
    last_month: Counter[tuple[str, str]] = Counter()
    for key, (unit, here, there) in units.items():
        this_month[key[0], unit] += here
        last_month[key[0], unit] += there
    changed = {}
    for key in keys:
        cost_there, mended_there = last.cost(key), last.corrections(key)
        cost_here, mended = at_last_rates.cost(key), at_last_rates.corrections(key)
        parts = {
            "corrections": EXACT.subtract(mended, mended_there),
            "fx": EXACT.subtract(now.cost(key), cost_here),
        }
        before = EXACT.subtract(cost_there, mended_there)
        after = EXACT.subtract(cost_here, mended)
        if key in units:
            group = key[0], units[key][0]
            parts |= _steps(before, after, units[key], this_month[group], last_month[group])
        else:
            parts |= _by_itself(key, before, after, now, last)
        changed[key] = Why(**parts)
    return changed


def _units(now: Totals, last: Totals) -> Units | None:
    """What both months count of a line, whose cost they know; None where they don't."""
    if now.cost is None or last.cost is None:
        return None
    for unit, here, there in (
        ("token", _tokens(now), _tokens(last)),
        ("call", now.calls - now.unpriced_calls, last.calls - last.unpriced_calls),
    ):
        if here > 0 and there > 0:
            return unit, here, there
    return None


def _tokens(totals: Totals) -> int:
    return totals.tokens - totals.unpriced_tokens


def _steps(
    before: Decimal, after: Decimal, units: Units, this_month: int, last_month: int
) -> dict[str, Decimal]:
    _unit, here, there = units
    grown = _scaled(before, this_month, last_month)
    at_last_price = _scaled(before, here, there)
    return {
        "volume": EXACT.subtract(grown, before),
        "mix": EXACT.subtract(at_last_price, grown),
        "price": EXACT.subtract(after, at_last_price),
    }


def _scaled(amount: Decimal, here: int, there: int) -> Decimal:
    if here == there:
        return amount
    product = EXACT.multiply(amount, here)
    return ROUNDING.divide(product, Decimal(there)).quantize(_ATOM, context=ROUNDING)


def _by_itself(
    key: LineKey, before: Decimal, after: Decimal, now: Side, last: Side
) -> dict[str, Decimal]:
    if key[3] != USAGE:
        return {"adjustments": EXACT.subtract(after, before)}
    if key[0] in _CAPACITY:
        return {"capacity": EXACT.subtract(after, before)}
    here, there = now.own.get(key), last.own.get(key)
    if there is None and here is not None and here.calls + _tokens(here) > 0:
        return {"new": after}
    if here is None and there is not None and there.calls + _tokens(there) > 0:
        return {"gone": EXACT.minus(before)}
    return {"other": EXACT.subtract(after, before)}
