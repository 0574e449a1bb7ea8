"""A trace as a tree: what each span reported, what it cost, and what was not counted again."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from api.calls.call_explained import Explained
from spend.calls import Role
from spend.meters import INPUTS
from spend.money import EXACT
from store.twins.twins import Key, Stored

DEEPEST = 12
"""Steps that a row is set in by; what lies deeper stands there too."""


@dataclass(frozen=True, slots=True)
class Sums:
    """What calls came to, each counted once."""

    calls: int
    errors: int
    input: int
    output: int
    costs: Mapping[str, Decimal]
    """By currency."""
    unpriced: int
    """Calls whose cost is not known."""


NOTHING: Final = Sums(0, 0, 0, 0, {}, 0)


@dataclass(frozen=True, slots=True)
class Node:
    """A sighting in the tree."""

    stored: Stored
    found: Explained
    """What it is a sighting of."""
    evidence: str
    depth: int
    is_head: bool
    """Whether its call's cost stands here: at the first of its sightings."""
    is_witness: bool
    """Whether its usage is what counts."""
    elsewhere: bool
    """It lies in another trace."""
    under_unknown: bool
    """The span above it is none of those that are stored."""
    beneath: Sums
    """Of the calls beneath it; its own is not among them."""

    @property
    def is_aggregate(self) -> bool:
        """Whether it repeats what lies beneath."""
        return self.stored.sighting.role is Role.AGGREGATE

    @property
    def counts(self) -> bool:
        """Whether its own cost and tokens are in the sums."""
        return self.is_head and self.found.call.counts


@dataclass(frozen=True, slots=True)
class Tree:
    """All nodes, each beneath its parent, by start."""

    nodes: tuple[Node, ...]
    whole: Sums
    start: datetime
    """UTC."""
    end: datetime

    def place(self, moment: datetime) -> float:
        """Where a moment lies between start and end, in per cent."""
        length = (self.end - self.start) / timedelta(microseconds=1)
        passed = (moment - self.start) / timedelta(microseconds=1)
        return round(min(max(100 * passed / length, 0), 100), 2) if length else 0.0


def tree_of(sightings: Sequence[Stored], calls: Sequence[Explained]) -> Tree:
    """The tree of a trace's ``sightings`` as far as they are of ``calls``, of which there are some.

    Sightings of these calls in other traces stand beneath the call's first one here.
    """
    return _Planting(sightings, calls).tree()


@dataclass(slots=True)
class _Seen:
    stored: Stored
    found: Explained
    evidence: str
    is_witness: bool
    is_head: bool = False
    elsewhere: bool = False
    parent: Key | None = None
    beneath: Sums = NOTHING


class _Planting:
    """Finds each sighting's place."""

    def __init__(self, sightings: Sequence[Stored], calls: Sequence[Explained]) -> None:
        here = {each.key for each in sightings}
        self._seen: dict[Key, _Seen] = {}
        for found in calls:
            of_call = [
                _Seen(stored, found, evidence, place == 0 and found.call.counts)
                for place, (stored, evidence) in enumerate(found.call.sightings)
            ]
            of_call.sort(key=lambda one: (one.stored.key not in here, _by_start(one)))
            for place, seen in enumerate(of_call):
                seen.is_head = place == 0
                seen.elsewhere = seen.stored.key not in here
                if place:
                    seen.parent = of_call[0].stored.key
                self._seen[seen.stored.key] = seen
        self._by_span = {
            each.stored.sighting.span_id: each for each in self._seen.values() if not each.elsewhere
        }
        for seen in self._seen.values():
            parent = self._by_span.get(seen.stored.sighting.parent_span_id or 0)
            if parent is not None and parent is not seen and not seen.elsewhere:
                seen.parent = parent.stored.key

    def tree(self) -> Tree:
        """All of it."""
        children: dict[Key | None, list[_Seen]] = defaultdict(list)
        for seen in self._seen.values():
            children[seen.parent].append(seen)
        for of_one in children.values():
            of_one.sort(key=_by_start)
        placed: dict[Key, int] = {}
        self._place(children[None], 0, children, placed)
        # Spans that are each other's parents have no root: hostile, or broken.
        for seen in sorted(self._seen.values(), key=_by_start):
            if seen.stored.key not in placed:
                seen.parent = None
                self._place([seen], 0, children, placed)
        self._add_up(placed)
        shown = [(self._seen[key], depth) for key, depth in placed.items()]
        starts = [seen.stored.sighting.start_at for seen, _depth in shown]
        return Tree(
            tuple(self._node(seen, depth) for seen, depth in shown),
            together([sums_of([seen.found]) for seen, _depth in shown if seen.is_head]),
            min(starts),
            max(_end(seen.stored) for seen, _depth in shown),
        )

    def _place(
        self,
        roots: Iterable[_Seen],
        depth: int,
        children: Mapping[Key | None, list[_Seen]],
        placed: dict[Key, int],
    ) -> None:
        waiting = [(seen, depth) for seen in roots][::-1]
        while waiting:
            seen, at = waiting.pop()
            if seen.stored.key in placed:
                continue
            placed[seen.stored.key] = at
            beneath = children.get(seen.stored.key, [])
            waiting += [(each, at + 1) for each in reversed(beneath)]

    def _add_up(self, placed: dict[Key, int]) -> None:
        # Who stands last lies deepest: children before their parents.
        for key in reversed(placed):
            seen = self._seen[key]
            above = self._seen.get(seen.parent) if seen.parent is not None else None
            if above is not None and placed[above.stored.key] < placed[key]:
                own = [sums_of([seen.found])] if seen.is_head else []
                above.beneath = together([above.beneath, seen.beneath, *own])

    def _node(self, seen: _Seen, depth: int) -> Node:
        above = seen.stored.sighting.parent_span_id
        return Node(
            stored=seen.stored,
            found=seen.found,
            evidence=seen.evidence,
            depth=min(depth, DEEPEST),
            is_head=seen.is_head,
            is_witness=seen.is_witness,
            elsewhere=seen.elsewhere,
            under_unknown=above is not None and depth == 0,
            beneath=seen.beneath,
        )


def sums_of(calls: Iterable[Explained]) -> Sums:
    """What those that count of some calls came to."""
    return together([_sums(each) for each in calls if each.call.counts])


def _sums(found: Explained) -> Sums:
    call, cost = found.call, found.cost
    return Sums(
        calls=1,
        errors=int(bool(call.outcome)),
        input=sum(call.usage.get(name, 0) for name in INPUTS),
        output=call.usage.get("output", 0),
        costs={cost.currency: cost.amount} if cost.amount is not None and cost.currency else {},
        unpriced=int(cost.amount is None),
    )


def together(sums: Sequence[Sums]) -> Sums:
    """All of them as one."""
    costs: dict[str, Decimal] = {}
    for each in sums:
        for currency, cost in each.costs.items():
            costs[currency] = EXACT.add(costs.get(currency, Decimal(0)), cost)
    return Sums(
        calls=sum(each.calls for each in sums),
        errors=sum(each.errors for each in sums),
        input=sum(each.input for each in sums),
        output=sum(each.output for each in sums),
        costs=costs,
        unpriced=sum(each.unpriced for each in sums),
    )


def _by_start(seen: _Seen) -> tuple[datetime, bool, int]:
    one = seen.stored.sighting
    # An agent begins no later than what it calls.
    return one.start_at, one.role is not Role.AGGREGATE, one.span_id


def _end(stored: Stored) -> datetime:
    one = stored.sighting
    return one.start_at + timedelta(microseconds=one.duration_us or 0)
