"""Break-even: from which volume on a pool costs less than an API asks for the same tokens.

What is compared is the pool's *allocation* cost, its hours whole. Its busy share alone would say
that every pool is cheap, however empty. A pool costs the same whatever runs on it, until it is
full: then the next machine's cost enters, all of it. Volumes are tokens of the pool's own mix of
meters, and the API's price is what it asks for that mix. docs/economics.md
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import Final

MONTH_HOURS: Final = 730
"""Hours of a month: those of a year (365 days), over twelve."""

SHORTEST_TREND: Final = 7
"""Days: fewer say nothing of growth."""
LONGEST_TREND: Final = 3653
"""Days ahead: nobody's growth of today holds for more than ten years."""
MOST_MACHINES: Final = 1000

NOTHING_ASKED: Final = "the API asks nothing for this traffic"
NEVER_FULL: Final = "also at full load its tokens cost more than the API's"
TOO_MANY: Final = f"it would take more than {MOST_MACHINES:,} machines"
NO_TREND: Final = f"fewer than {SHORTEST_TREND} whole days to see a trend in"
NO_GROWTH: Final = "its daily volume does not grow"
THERE: Final = "its daily volume is there already"
TOO_FAR: Final = "not within ten years at the growth of these days"


@dataclass(frozen=True, slots=True)
class Machines:
    """What capacity costs and can do in a month (730 hours), machine by machine."""

    each: Fraction
    """What one machine costs."""
    shared: Fraction = Fraction(0)
    """What is paid once, however many there are."""
    tokens: Fraction | None = None
    """What one machine can do, of the pool's mix; None: its capacity is not known."""

    def cost(self, machines: int) -> Fraction:
        """Of so many machines."""
        return self.shared + machines * self.each


@dataclass(frozen=True, slots=True)
class BreakEven:
    """Where a pool and an API cost the same."""

    tokens: int | None
    """A month: from so many on the pool costs no more. None: never, see ``reason``."""
    machines: int | None
    """That it takes to do so many; None: not known, or never."""
    utilisation: Fraction | None
    """Of one machine, at which its tokens cost what the API asks; above 1 it cannot be reached.
    None: its capacity is not known, or the API asks nothing."""
    reason: str | None = None


def break_even(pool: Machines, price: Fraction) -> BreakEven:
    """Where ``pool`` costs what an API asks that charges ``price`` for a token, on average.

    One machine: T* = cost / price. Where that is more than it can do, the next one's cost enters,
    and T* moves on, until so many machines can do what pays for them.
    """
    if price <= 0:
        return BreakEven(None, None, None, NOTHING_ASKED)
    if pool.tokens is None:
        return BreakEven(ceil(pool.cost(1) / price), None, None)
    utilisation = pool.cost(1) / (price * pool.tokens)
    # What a further machine earns when it is full, beyond what it costs.
    gain = price * pool.tokens - pool.each
    if gain < 0 or (gain == 0 and pool.shared):
        return BreakEven(None, None, utilisation, NEVER_FULL)
    machines = max(1, ceil(pool.shared / gain)) if gain else 1
    if machines > MOST_MACHINES:
        return BreakEven(None, None, utilisation, TOO_MANY)
    tokens = ceil(pool.cost(machines) / price)
    return BreakEven(tokens, machines, utilisation)


@dataclass(frozen=True, slots=True)
class Step:
    """So many machines: what they cost, and the volumes (tokens a month) at which they pay."""

    machines: int
    cost: Fraction
    up_to: int
    """What they can do."""
    cheaper_from: int | None
    """From here up to ``up_to`` they cost no more than the API; None: at no volume that needs
    them."""


def steps(pool: Machines, price: Fraction, most: int) -> Iterator[Step]:
    """The first ``most`` steps of a pool's cost; none where its capacity is not known."""
    if pool.tokens is None:
        return
    for machines in range(1, most + 1):
        cost = pool.cost(machines)
        up_to = int(machines * pool.tokens)
        needed_from = int((machines - 1) * pool.tokens) + 1
        pays = max(needed_from, ceil(cost / price)) if price > 0 else up_to + 1
        yield Step(machines, cost, up_to, pays if pays <= up_to else None)


def machines_for(pool: Machines, tokens: int) -> int | None:
    """How many machines a month's tokens need, evenly spread; None: not known."""
    if not pool.tokens:
        return None
    return max(1, ceil(Fraction(tokens) / pool.tokens))


@dataclass(frozen=True, slots=True)
class Trend:
    """The straight line through daily volumes that is nearest to them (least squares)."""

    level: Fraction
    """Of the last day, on the line."""
    growth: Fraction
    """A day."""


def trend(daily: Sequence[int]) -> Trend | None:
    """The trend of the volumes of days that follow each other; None: there are too few."""
    days = len(daily)
    if days < SHORTEST_TREND:
        return None
    middle = Fraction(days - 1, 2)
    mean = Fraction(sum(daily), days)
    across = sum(((day - middle) ** 2 for day in range(days)), Fraction(0))
    along = sum(((day - middle) * volume for day, volume in enumerate(daily)), Fraction(0))
    growth = along / across
    return Trend(level=mean + growth * middle, growth=growth)


def days_until(found: Trend | None, wanted: Fraction) -> tuple[int | None, str | None]:
    """Days after the last one until a day's volume is ``wanted``, or None and the reason."""
    if found is None:
        return None, NO_TREND
    if found.level >= wanted:
        return None, THERE
    if found.growth <= 0:
        return None, NO_GROWTH
    days = ceil((wanted - found.level) / found.growth)
    return (days, None) if days <= LONGEST_TREND else (None, TOO_FAR)
