"""Sightings joined so far, and the guards that keep real calls apart."""

from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

from spend.calls import Sighting
from spend.twins.witnesses import began, key_of

Key = tuple[str, int, date]
"""As ``spend.twins.witnesses.key_of`` gives it."""

Pair = tuple[timedelta, Sighting, Sighting]
"""Two that may be of one call, and how far apart they are."""

LARGEST: Final = 8
"""More sightings than this are not of one call, whatever they have in common."""


@dataclass(slots=True)
class Clusters:
    """Sightings joined so far."""

    members: dict[Key, list[Sighting]] = field(default_factory=dict)
    why: dict[Key, str] = field(default_factory=dict)

    def add(self, sighting: Sighting) -> None:
        """A sighting that is a call by itself, until it is joined to others."""
        self.members[key_of(sighting)] = [sighting]

    def of(self, sighting: Sighting) -> list[Sighting]:
        """All that are of its call, itself among them."""
        return self.members[key_of(sighting)]

    def may_join(self, one: Sighting, other: Sighting, *, wraps_itself: bool = False) -> bool:
        """Whether no guard forbids that two sightings are of one call.

        ``wraps_itself``: that one instrumentation saw both is no objection.
        """
        left, right = self.of(one), self.of(other)
        both = (*left, *right)
        apart = {_seer(sighting) for sighting in right}.isdisjoint(map(_seer, left))
        ids = {sighting.response_id for sighting in both if sighting.response_id}
        return (apart or wraps_itself) and len(both) <= LARGEST and len(ids) <= 1

    def join(
        self, one: Sighting, other: Sighting, rule: str, *, wraps_itself: bool = False
    ) -> bool:
        """Makes two sightings one call; False where a guard forbids it."""
        left, right = self.of(one), self.of(other)
        if left is right:
            return True
        if not self.may_join(one, other, wraps_itself=wraps_itself):
            return False
        for sighting in sorted((*left, *right), key=began)[1:]:
            self.why.setdefault(key_of(sighting), rule)
        left.extend(right)
        for sighting in right:
            self.members[key_of(sighting)] = left
        return True

    def pair_off(self, pairs: Iterable[Pair], rule: str) -> None:
        """Joins candidates for one call, each with one partner of another instrumentation."""
        groups: dict[tuple[tuple[str, str], tuple[str, str]], list[Pair]] = defaultdict(list)
        for distance, one, other in pairs:
            first, second = sorted((one, other), key=lambda each: each.emitter.instrumentation)
            seen_by = first.emitter.instrumentation, second.emitter.instrumentation
            groups[seen_by].append((distance, first, second))
        for seen_by in sorted(groups):
            free = [pair for pair in groups[seen_by] if self.may_join(*pair[1:])]
            for one, other in _matched(free):
                self.join(one, other, rule)


def _seer(one: Sighting) -> tuple[str, str, str | None]:
    """What sees a call once: an instrumentation, in one service.

    A gateway may look at its own calls with the instrumentation that its clients use.
    """
    return *one.emitter.instrumentation, one.owner.service


def _matched(pairs: Iterable[Pair]) -> list[tuple[Sighting, Sighting]]:
    """Partners, nearest first; then as many as can be, so that of equal calls none is left over."""
    near: dict[Key, list[Sighting]] = defaultdict(list)
    sightings: dict[Key, Sighting] = {}
    partner: dict[Key, Sighting] = {}
    taken: dict[Key, Sighting] = {}
    for _, one, other in sorted(pairs, key=lambda pair: (pair[0], began(pair[1]), began(pair[2]))):
        left, right = key_of(one), key_of(other)
        sightings[left] = one
        near[left].append(other)
        if left not in partner and right not in taken:
            partner[left], taken[right] = other, one
    asked: set[Key] = set()
    for left, one in sightings.items():
        if left not in partner and _swap(one, near, partner, taken, asked):
            asked = set()
        # What was asked in vain would be so again, until partners change.
    return [(one, partner[left]) for left, one in sightings.items() if left in partner]


def _swap(
    one: Sighting,
    near: dict[Key, list[Sighting]],
    partner: dict[Key, Sighting],
    taken: dict[Key, Sighting],
    asked: set[Key],
) -> bool:
    """Finds a partner for one, if need be one whose own partner finds another: nearest first."""
    wants: dict[Key, Sighting] = {}
    waiting = deque([one])
    while waiting:
        asking = waiting.popleft()
        for other in near[key_of(asking)]:
            right = key_of(other)
            if right in asked:
                continue
            asked.add(right)
            wants[right] = asking
            if right in taken:
                waiting.append(taken[right])
                continue
            free: Sighting | None = other
            while free is not None:
                left = wants[key_of(free)]
                given_up = partner.get(key_of(left))
                partner[key_of(left)], taken[key_of(free)] = free, left
                free = given_up
            return True
    return False
