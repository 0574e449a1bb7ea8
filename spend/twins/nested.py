"""Joins calls to the calls they lie in, as far as parents tell."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from spend.calls import Outcome, Sighting
from spend.meters import INPUTS
from spend.twins.clusters import Clusters, Key
from spend.twins.nearness import NESTED_AGREE, conflicting_ids, end_of, is_server, same_work, used
from spend.twins.witnesses import agree, began, has_usage, key_of

_CACHED: Final = tuple(name for name in INPUTS if name != "input")


def join_nested(
    calls: Sequence[Sighting], parents: Mapping[Key, Key], clusters: Clusters
) -> set[Key]:
    """Joins calls to the calls they lie in; answers the wrappers that only repeat."""
    by_key = {key_of(one): one for one in calls}
    inner: dict[Key, list[Sighting]] = defaultdict(list)
    for one in calls:
        around = parents.get(key_of(one))
        if around in by_key and around != key_of(one):
            inner[around].append(one)
    held: set[Key] = set()
    # Innermost first, so that a chain of wrappers collapses from within.
    for outer_key in sorted(inner, key=lambda key: began(by_key[key]), reverse=True):
        outer = by_key[outer_key]
        alike = [one for one in inner[outer_key] if same_work(outer, one) and _lies_in(one, outer)]
        if _repeats_several(outer, alike):
            held.add(outer_key)
            continue
        twin = _twin_within(outer, alike)
        if twin is None or clusters.join(outer, twin, "nested"):
            continue
        if conflicting_ids(outer, twin):
            continue
        # The same instrumentation wraps itself (an agent kit's own two layers).
        both = has_usage(outer) and has_usage(twin)
        same = not both or used(outer) == used(twin) or _left_out_thoughts(twin, outer)
        if not (same and clusters.join(outer, twin, "nested", wraps_itself=True)):
            held.add(outer_key)
    return held


def _lies_in(inner: Sighting, outer: Sighting) -> bool:
    """Whether a child began while its parent ran.

    Some instrumentations forget whom they left, and hang each call beneath the one before it.
    """
    if inner.owner.service != outer.owner.service or is_server(inner) or outer.duration_us is None:
        return True  # clocks of two machines do not agree
    return inner.start_at <= end_of(outer)


def _repeats_several(outer: Sighting, inner: Sequence[Sighting]) -> bool:
    """Whether a wrapper around several calls only repeats what they used together."""
    told: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    for one in inner:
        if has_usage(one):
            told[one.emitter.instrumentation].append(used(one))
    counts = [count for seen in told.values() for count in seen]
    # What two instrumentations tell alike, once each, is one call.
    several = len(counts) > len(told) or len(set(counts)) > 1
    if not several or not has_usage(outer):
        return several
    sums = [_added(seen) for seen in (counts, *told.values()) if len(seen) > 1]
    return any(agree(used(outer), together, NESTED_AGREE) for together in sums)


def _added(counts: Sequence[tuple[int, int]]) -> tuple[int, int]:
    return sum(prompt for prompt, _ in counts), sum(answer for _, answer in counts)


def _twin_within(outer: Sighting, inner: Sequence[Sighting]) -> Sighting | None:
    """The inner call that the outer is another sighting of, if any."""
    if outer.response_id is not None:
        for one in inner:
            if one.response_id == outer.response_id:
                return one
    fitting = [one for one in inner if not conflicting_ids(outer, one)]
    told = [one for one in fitting if has_usage(one)]
    if not told:
        # Failed attempts, or streams that told nothing: the wrapper ends with the last of them.
        return fitting[-1] if fitting else None
    if not has_usage(outer):
        return told[-1] if outer.outcome is Outcome.OK or len(told) == 1 else None
    same = [one for one in told if _tell_alike(one, outer)]
    # A failed attempt may have been billed as much: the wrapper's answer is that of a good one.
    ended_so = [one for one in same if (one.outcome is Outcome.OK) is (outer.outcome is Outcome.OK)]
    return next(iter(ended_so or same), None)


def _tell_alike(inner: Sighting, outer: Sighting) -> bool:
    """Whether two told of the same usage, as far as both told of it."""
    (prompt, answer), (around, answered) = used(inner), used(outer)
    both_asked = _tells(inner, INPUTS) and _tells(outer, INPUTS)
    both_answered = "output" in inner.usage and "output" in outer.usage
    if _left_out_thoughts(inner, outer) or _left_out_thoughts(outer, inner):
        return True
    if both_answered and not agree((0, answer), (0, answered), NESTED_AGREE):
        return False
    if not both_asked or agree((prompt, 0), (around, 0), NESTED_AGREE):
        return both_asked or both_answered
    # One of them knows only what was not cached, and does not know that it is not all.
    fresh = inner.usage.get("input"), outer.usage.get("input")
    knows = _tells(inner, _CACHED), _tells(outer, _CACHED)
    return both_answered and fresh[0] == fresh[1] and not all(knows)


def _left_out_thoughts(one: Sighting, other: Sighting) -> bool:
    """Whether one told of the same usage, and knew nothing of the reasoning that the other has."""
    thoughts = other.usage.get("reasoning", 0)
    (prompt, answer), (its_prompt, its_answer) = used(one), used(other)
    knew = "reasoning" in one.usage or not thoughts
    return not knew and prompt == its_prompt and answer + thoughts == its_answer


def _tells(one: Sighting, meters: Sequence[str]) -> bool:
    return any(name in one.usage for name in meters)
