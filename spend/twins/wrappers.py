"""Aggregates: what stands around calls, repeats what they used, and may know what they do not.

An aggregate (agent, chain, workflow) counts only where nothing that it can stand for does.
"""

from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from itertools import islice

from spend.calls import Outcome, Route, Sighting
from spend.twins.clusters import Clusters, Key
from spend.twins.nearness import SAME_TIME, end_of, models, within
from spend.twins.parents import above, tops_of
from spend.twins.witnesses import has_usage, key_of


def weigh_aggregates(
    aggregates: Sequence[Sighting],
    counting: Sequence[Sighting],
    parents: Mapping[Key, Key],
    clusters: Clusters,
    held: set[Key],
) -> set[Key]:
    """Holds the aggregates that repeat what counts beneath them; answers those that count."""
    beneath = _Beneath(parents)
    for one in counting:
        beneath.counts(one)
    promoted: set[Key] = set()
    # Innermost first: what an inner aggregate stands for, an outer one repeats.
    for aggregate in sorted(aggregates, key=_inwards, reverse=True):
        key = key_of(aggregate)
        if not has_usage(aggregate) or beneath.tells(aggregate):
            held.add(key)
            continue
        silent = beneath.silent(aggregate)
        if len(silent) == 1 and clusters.join(aggregate, silent[0], "told by its wrapper"):
            beneath.counts(aggregate)
        else:
            promoted.add(key)
            clusters.why[key] = "no call with usage beneath"
            beneath.counts(aggregate)
    return promoted


class _Beneath:
    """What counts beneath whom. A line of parents is walked up to where it says nothing new.

    Some instrumentations hang each call beneath the one before it: thousands in one line.
    """

    def __init__(self, parents: Mapping[Key, Key]) -> None:
        self._parents = parents
        self._tops = tops_of(parents)
        self._told: set[Key] = set()
        self._silent: dict[Key, dict[Key, Sighting]] = defaultdict(dict)
        self._in_trace: dict[str, list[Sighting]] = defaultdict(list)

    def counts(self, one: Sighting) -> None:
        """Notes a call, or an aggregate that counts as one."""
        insort(self._in_trace[one.trace_id.hex], one, key=_start)
        tells = has_usage(one)
        if not tells and one.outcome is not Outcome.OK:
            return
        key = key_of(one)
        around = self._parents.get(key)
        while around is not None and around not in self._told:
            silent = self._silent[around]
            if not tells and (key in silent or len(silent) > 1):
                return
            if tells:
                self._told.add(around)
            else:
                silent[key] = one
            around = self._parents.get(around)

    def tells(self, aggregate: Sighting) -> bool:
        """Whether anything beneath it told of usage."""
        return key_of(aggregate) in self._told or any(
            has_usage(one) for one in self._in_its_time(aggregate)
        )

    def silent(self, aggregate: Sighting) -> list[Sighting]:
        """What went well beneath it and told nothing: two of several are answered."""
        found = dict(self._silent.get(key_of(aggregate), {}))
        for one in self._in_its_time(aggregate):
            if len(found) > 1:
                break
            if one.outcome is Outcome.OK:
                found[key_of(one)] = one
        return list(found.values())

    def _in_its_time(self, aggregate: Sighting) -> Iterator[Sighting]:
        """What lies within it by time, as spans in between are not kept; and not beside it."""
        key = key_of(aggregate)
        top = self._tops.get(key)
        trace = self._in_trace[aggregate.trace_id.hex]
        first = bisect_left(trace, aggregate.start_at - SAME_TIME, key=_start)
        until = end_of(aggregate) + SAME_TIME
        for one in islice(trace, first, None):
            if one.start_at > until:
                return
            # What meets the aggregate's own parents, and not the aggregate, stands beside it.
            beside = top is not None and self._tops.get(key_of(one)) == top
            if not beside and key_of(one) != key and within(one, aggregate):
                yield one


def _start(one: Sighting) -> datetime:
    return one.start_at


def names_of(
    calls: Sequence[Sighting],
    aggregates: Sequence[Sighting],
    parents: Mapping[Key, Key],
    clusters: Clusters,
) -> dict[Key, Route]:
    """The routes of calls that name no model, as the tightest wrapper around each names it.

    Keyed by the first sighting of the call's cluster.
    """
    naming: dict[str, list[Sighting]] = defaultdict(list)
    for aggregate in sorted(aggregates, key=_inwards):
        if models(aggregate):
            naming[aggregate.trace_id.hex].append(aggregate)
    named: dict[Key, Route] = {}
    for one in calls:
        wrappers = naming.get(one.trace_id.hex)
        cluster = clusters.of(one)
        first = key_of(cluster[0])
        if not wrappers or first in named or any(models(each) for each in cluster):
            continue
        around = _tightest(one, wrappers, parents)
        if around is not None:
            named[first] = around.route
            clusters.why.setdefault(first, "its model told by a wrapper")
    return named


def _tightest(
    one: Sighting, wrappers: Sequence[Sighting], parents: Mapping[Key, Key]
) -> Sighting | None:
    """The wrapper that began last, of those that one lies in; ``wrappers`` are in ``_inwards``."""
    # Not all of them: a session of a coding agent can be one trace with thousands.
    begun = bisect_right(wrappers, one.start_at + SAME_TIME, key=lambda each: each.start_at)
    latest = (wrappers[at] for at in range(begun - 1, -1, -1))
    return next((each for each in latest if _is_beneath(one, each, parents)), None)


def _inwards(sighting: Sighting) -> tuple[datetime, int, str, int, date]:
    """The order from the outermost wrapper to the innermost."""
    return sighting.start_at, -(sighting.duration_us or 0), *key_of(sighting)


def _is_beneath(one: Sighting, aggregate: Sighting, parents: Mapping[Key, Key]) -> bool:
    """By its parents; or, as spans in between are not kept, by lying within the time."""
    over = above(one, parents)
    if key_of(aggregate) in over:
        return True
    if key_of(one) == key_of(aggregate):
        return False
    # What meets the aggregate's own parents, and not the aggregate, stands beside it.
    beside = not over.isdisjoint(above(aggregate, parents))
    return not beside and within(one, aggregate)
