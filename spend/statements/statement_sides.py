"""What is booked in a month, together by the lines of its statement."""

import functools
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from spend.booked import USAGE, Booked, spent
from spend.money import EXACT
from spend.totals import Totals

BASES: Final = ("cost", "list_cost", "contracted_cost", "billed_cost")
"""The four cost bases of Totals, effective first."""

_NOTHING: Final = Decimal(0)

LineKey = tuple[str, str | None, str | None, str]
"""Team, provider, model, kind."""


@dataclass(frozen=True, slots=True)
class Side:
    """One month by lines: this one, or the one before. All money in one currency."""

    totals: Mapping[LineKey, Totals]
    own: Mapping[LineKey, Totals]
    """Without what corrects earlier months."""

    def cost(self, key: LineKey) -> Decimal:
        """What is known of a line's cost."""
        found = self.totals.get(key)
        return (found and found.cost) or _NOTHING

    def corrections(self, key: LineKey) -> Decimal:
        """The part of it that mends earlier months."""
        own = self.own.get(key)
        return EXACT.subtract(self.cost(key), (own and own.cost) or _NOTHING)


def side_of(rows: Iterable[Booked]) -> Side:
    """What is booked in a month, all of its money in one currency."""
    groups: defaultdict[LineKey, list[Booked]] = defaultdict(list)
    corrected: set[LineKey] = set()
    for row in rows:
        key = (row.team, row.provider, row.model, row.kind or USAGE)
        groups[key].append(row)
        if row.belongs_to is not None:
            corrected.add(key)
    totals = {key: spent(parts) for key, parts in groups.items()}
    # Nothing was corrected, as nearly always: the same.
    own = dict(totals)
    for key in corrected:
        parts = [row for row in groups[key] if row.belongs_to is None]
        if parts:
            own[key] = spent(parts)
        else:
            del own[key]
    return Side({key: each for key, each in totals.items() if not each.is_nothing}, own)


def exact_sum(amounts: Iterable[Decimal]) -> Decimal:
    """The sum of amounts of one currency; 0 of none."""
    return functools.reduce(EXACT.add, amounts, _NOTHING)
