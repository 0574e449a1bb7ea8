"""A pool beside an API, on the pool's own traffic: which is cheaper, and from when or where on."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Final

from spend import money
from spend.capacity.break_even import (
    MONTH_HOURS,
    BreakEven,
    Machines,
    Step,
    break_even,
    days_until,
    machines_for,
    steps,
    trend,
)
from spend.capacity.economics import Economics, Use
from spend.capacity.pools import Pool
from spend.capacity.targets import ApiTarget

NO_TOKENS: Final = "no tokens are known in these hours"
NO_CAPACITY: Final = "the pool has no declared capacity: what it could do is not known"
SHOWN_STEPS: Final = 4
"""Steps of the cost that are shown beyond those that it takes."""
MOST_SHOWN: Final = 20
SHARED: Final = ("engineering",)
"""Kinds of components that a further machine does not cost again, unless somebody says others."""

_0: Final = Fraction(0)


@dataclass(frozen=True, slots=True)
class Volume:
    """Tokens of whole days that follow each other, up to ``last_day``; None: there are none."""

    daily: Sequence[int]
    last_day: date | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """A pool against an API, on the pool's own traffic. What is None has its reason."""

    pool_cost: Decimal
    """Of the hours, busy and idle."""
    api_cost: Decimal | None
    """What the API would have asked for what was done in them."""
    price: Fraction | None
    """Of a token, on average over this traffic."""
    tokens_now: int | None
    """A month (730 hours), at the volume of these hours."""
    machines_now: int | None
    """That those need, evenly spread."""
    even: BreakEven
    on: date | None
    """The day on which the daily volume gets to where both cost the same."""
    steps: tuple[Step, ...]
    reasons: Mapping[str, str]
    """What is None, by its name in answers -> why."""

    @property
    def difference(self) -> Decimal | None:
        """What the API would have cost more (below 0: less)."""
        if self.api_cost is None:
            return None
        return money.EXACT.subtract(self.api_cost, self.pool_cost)

    @property
    def cheaper(self) -> str | None:
        """``pool``, ``api`` or ``same``, as things are; None: not known."""
        if self.difference is None:
            return None
        if not self.difference:
            return "same"
        return "pool" if self.difference > 0 else "api"


def compared(
    economics: Economics,
    api_cost: Decimal | None,
    why_unknown: str | None,
    volume: Volume,
    shared: Collection[str] = SHARED,
) -> Comparison:
    """A pool beside an API that would have asked ``api_cost`` for the same usage.

    ``shared`` are kinds of components that a further machine does not cost again.
    """
    tokens, hours = economics.whole.tokens, economics.hours
    nothing = BreakEven(None, None, None, why_unknown if api_cost is None else NO_TOKENS)
    if api_cost is None or not tokens or not hours:
        names = ("break_even_tokens", "break_even_utilisation", "break_even_date")
        reasons = dict.fromkeys(names, nothing.reason or NO_TOKENS)
        if api_cost is None:
            reasons["api_cost"] = why_unknown or NO_TOKENS
        return Comparison(economics.cost, api_cost, None, None, None, nothing, None, (), reasons)
    price = Fraction(api_cost) / tokens
    pool = machines(economics, shared)
    now = round(Fraction(tokens * MONTH_HOURS, hours))
    needed = machines_for(pool, now)
    even = break_even(pool, price)
    reasons = {} if even.reason is None else {"break_even_tokens": even.reason}
    if even.utilisation is None:
        reasons["break_even_utilisation"] = even.reason or NO_CAPACITY
    days, why = None, even.reason
    if even.tokens is not None:
        days, why = days_until(trend(volume.daily), Fraction(even.tokens * 24, MONTH_HOURS))
    if why is not None:
        reasons["break_even_date"] = why
    on = volume.last_day + timedelta(days) if volume.last_day and days is not None else None
    most = max(needed or 1, even.machines or 1) + SHOWN_STEPS
    shown = tuple(steps(pool, price, min(most, MOST_SHOWN)))
    return Comparison(economics.cost, api_cost, price, now, needed, even, on, shown, reasons)


def machines(economics: Economics, shared: Collection[str] = SHARED) -> Machines:
    """A month of a pool as it was in these hours, with at least one of them and some tokens."""
    month = Fraction(MONTH_HOURS, economics.hours)
    once = sum((Fraction(each.amount) for each in economics.components if each.kind in shared), _0)
    tokens = None
    if economics.capacity and economics.work:
        mix = Fraction(economics.whole.tokens) / Fraction(economics.work)
        tokens = Fraction(economics.capacity) * month * mix
    return Machines((Fraction(economics.cost) - once) * month, once * month, tokens)


@dataclass(frozen=True, slots=True)
class PoolEconomics:
    """A pool over a period, and against APIs."""

    pool: Pool
    whole: Economics
    prices_at: datetime
    """By whose prices the APIs were asked (UTC)."""
    against: tuple[tuple[ApiTarget, Comparison], ...]
    daily: Mapping[date, Mapping[int, Use]] = field(default_factory=dict)
    """Day -> size of prompt (spend/prices/bands.py) -> what was done, where APIs were asked."""
