"""Aggregates: what stands around calls, repeats what they used, and may know what they do not.

An aggregate (agent, chain, workflow) counts only where nothing that it can stand for does.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime

from spend.calls import Outcome, Route, Sighting
from spend.clusters import Clusters, Key
from spend.nearness import SAME_TIME, models, within
from spend.parents import above
from spend.witnesses import has_usage, key_of


def weigh_aggregates(
    aggregates: Sequence[Sighting],
    counting: Sequence[Sighting],
    parents: Mapping[Key, Key],
    clusters: Clusters,
    held: set[Key],
) -> set[Key]:
    """Holds the aggregates that repeat what counts beneath them; answers those that count."""
    by_trace: dict[str, list[Sighting]] = defaultdict(list)
    below: dict[Key, list[Sighting]] = defaultdict(list)

    def counts(one: Sighting) -> None:
        by_trace[one.trace_id.hex].append(one)
        for around in above(one, parents):
            below[around].append(one)

    for one in counting:
        counts(one)
    promoted: set[Key] = set()
    # Innermost first: what an inner aggregate stands for, an outer one repeats.
    for aggregate in sorted(aggregates, key=_inwards, reverse=True):
        key = key_of(aggregate)
        if not has_usage(aggregate):
            held.add(key)
            continue
        beneath = below[key]
        if not any(has_usage(one) for one in beneath):
            trace = by_trace[aggregate.trace_id.hex]
            beneath = [one for one in trace if _is_beneath(one, aggregate, parents)]
        silent = [one for one in beneath if one.outcome is Outcome.OK]
        if any(has_usage(one) for one in beneath):
            held.add(key)
        elif len(silent) == 1 and clusters.join(aggregate, silent[0], "told by its wrapper"):
            counts(aggregate)
        else:
            promoted.add(key)
            clusters.why[key] = "no call with usage beneath"
            counts(aggregate)
    return promoted


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
    latest = reversed(wrappers[:begun])
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
