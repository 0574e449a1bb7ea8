"""What is booked in a month, together by the lines of its statement."""

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
        return (found and found.cost) or Decimal(0)

    def corrections(self, key: LineKey) -> Decimal:
        """The part of it that mends earlier months."""
        own = self.own.get(key)
        return EXACT.subtract(self.cost(key), (own and own.cost) or Decimal(0))


def side_of(rows: Iterable[Booked]) -> Side:
    """What is booked in a month, all of its money in one currency."""
    groups: defaultdict[LineKey, list[Booked]] = defaultdict(list)
    own: defaultdict[LineKey, list[Booked]] = defaultdict(list)
    for row in rows:
        key = (row.team, row.provider, row.model, row.kind or USAGE)
        groups[key].append(row)
        if row.belongs_to is None:
            own[key].append(row)
    totals = {key: spent(parts) for key, parts in groups.items()}
    return Side(
        {key: each for key, each in totals.items() if not each.is_nothing},
        {
            # Nothing was corrected, as nearly always: the same.
            key: totals[key] if len(parts) == len(groups[key]) else spent(parts)
            for key, parts in own.items()
        },
    )


def exact_sum(amounts: Iterable[Decimal]) -> Decimal:
    """The sum of amounts of one currency; 0 of none."""
    found = Decimal(0)
    for each in amounts:
        found = EXACT.add(found, each)
    return found
