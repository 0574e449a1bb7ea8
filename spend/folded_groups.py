"""Keeps a breakdown of spend within so many groups: the largest stay, the rest is folded.

For whoever keeps a series for each group (monitoring): names come from what applications send, so
there could be any number. Nothing is left out: the sum of the groups stays what it was, to the last
digit, and that of each team too, up to half as many teams as there may be groups.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from spend.totals import Totals, together

OTHER: Final = "other"
"""What folded groups are called, of what they have not in common. Who calls a team or a model so
is counted with them."""

Place = tuple[str, str | None, str | None]
"""Team, provider and model; None: nobody said which."""
ALL_OTHERS: Final[Place] = (OTHER, OTHER, OTHER)


@dataclass(frozen=True, slots=True)
class Folded:
    """Groups, few enough."""

    groups: Mapping[Place, Totals]
    folded: int
    """How many groups were put together into those called OTHER; 0: each has its own."""


def fold(groups: Mapping[Place, Totals], at_most: int) -> Folded:
    """At most so many groups (4 or more), the most expensive first.

    The rest of a team becomes (team, OTHER, OTHER), and of teams too many, ALL_OTHERS.
    """
    if len(groups) <= at_most:
        return Folded(dict(sorted(groups.items(), key=_largest_first)), 0)
    ranked = sorted(groups.items(), key=_largest_first)
    own, rest = ranked[: at_most // 2], ranked[at_most // 2 :]
    by_team: dict[str, list[Totals]] = defaultdict(list)
    for (team, _provider, _model), totals in rest:
        by_team[team].append(totals)
    teams: dict[Place, Totals] = {
        (team, OTHER, OTHER): together(each) for team, each in by_team.items()
    }
    of_teams = sorted(teams.items(), key=_largest_first)
    most_teams = at_most - len(own) - 1
    found: dict[Place, list[Totals]] = defaultdict(list)
    for place, totals in (*own, *of_teams[:most_teams]):
        found[place].append(totals)
    for _place, totals in of_teams[most_teams:]:
        found[ALL_OTHERS].append(totals)
    return Folded({place: together(each) for place, each in found.items()}, len(rest))


def _largest_first(group: tuple[Place, Totals]) -> tuple[Decimal, int, tuple[str, ...]]:
    place, totals = group
    # By name at last, so that two replicas tell the same ones apart.
    return -(totals.cost or Decimal(0)), -totals.calls, tuple(each or "" for each in place)
