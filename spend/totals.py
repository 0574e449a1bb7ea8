"""What a group of calls comes to: cost, counts and usage; and how groups add up."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from spend.money import EXACT

NO_USAGE: Final[Mapping[str, int]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Totals:
    """A group of calls. ``usage`` is by meter (``spend/meters.py``)."""

    cost: Decimal | None = None
    """The sum of its ledger lines, exact; None when there are none: nothing in it is priced."""
    calls: int = 0
    errors: int = 0
    """Calls that did not end well."""
    unpriced_calls: int = 0
    """Calls whose cost is unknown: they are not in ``cost``."""
    unpriced_tokens: int = 0
    """What those used, as far as they said."""
    unmetered_calls: int = 0
    """Calls that ended well and did not say what they used."""
    waiting_calls: int = 0
    """Calls whose charges are still to be posted, or looked at again."""
    usage: Mapping[str, int] = field(default_factory=lambda: NO_USAGE)

    @property
    def is_nothing(self) -> bool:
        """No calls, usage or money: what a late correction leaves of a group that was none."""
        return not self.calls and not self.cost and not any(self.usage.values())

    @property
    def lacks_price(self) -> bool:
        """Whether the cost of some of it is unknown. Metrics tell of tokens, and of no calls."""
        return bool(self.unpriced_calls or self.unpriced_tokens)


def together(groups: Iterable[Totals]) -> Totals:
    """The sum of groups; its cost is None only where no group has one."""
    cost: Decimal | None = None
    counts: Counter[str] = Counter()
    usage: Counter[str] = Counter()
    for group in groups:
        cost = plus(cost, group.cost)
        counts["calls"] += group.calls
        counts["errors"] += group.errors
        counts["unpriced_calls"] += group.unpriced_calls
        counts["unpriced_tokens"] += group.unpriced_tokens
        counts["unmetered_calls"] += group.unmetered_calls
        counts["waiting_calls"] += group.waiting_calls
        for meter, tokens in group.usage.items():
            usage[meter] += tokens
    return Totals(cost=cost, usage=dict(usage), **counts)


def plus(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    """The exact sum of two amounts, of which either may be unknown."""
    if one is None or other is None:
        return one if other is None else other
    return EXACT.add(one, other)
