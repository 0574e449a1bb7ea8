"""Which sightings are of one call, and which repeat the usage of others.

Summing every span that carries usage counted 21 of 44 captured scenarios 1.2 to 2.7 times. So
sightings are joined by evidence, strongest first:

- *nested*: a call within a call (a wrapper around its client, a server or gateway beneath it);
- *response id*: the provider's id of its answer, in whatever trace;
- *failed together*: failed without an id, other instrumentation, same service and model, one
  within the other's time.

Two guards keep real calls apart: sightings with different response ids are never one call, nor are
two of the same instrumentation on the same signal. An aggregate (agent, chain) counts only where
nothing beneath does.

The result depends on the set of sightings alone: not on order, splitting or repetition.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

from spend.calls import Outcome, Role, Sighting
from spend.witnesses import Joined, agree, began, has_usage, join, key_of, totals

Key = tuple[str, int, date]
"""As ``spend.witnesses.key_of`` gives it."""

LARGEST: Final = 8
"""More sightings than this are not of one call, whatever they have in common."""

SAME_TIME: Final = timedelta(milliseconds=2)
"""How far clocks of one process may disagree about what lies within what."""

MOST_SIGHTED: Final = 64
"""An id that more sightings carry is no id of an answer: a stand-in server gives it to all. What
is linked by it would grow with every call, and with it the time to settle the next one."""

OVERLAP: Final = timedelta(seconds=2)
"""How far apart sightings of one answer may be, where ids alone do not tell calls apart."""

ANSWERED: Final = timedelta(hours=1)
"""How far apart they may be at all: clocks may be off, but an id that comes back after that is a
stand-in's."""

NESTED_AGREE: Final = 0.1
"""A wrapper's count may be off by a tenth (a stream's first count added twice) and still repeat."""


_KINDS: Final = {
    "chat": "text",
    "text_completion": "text",
    "embeddings": "embeddings",
    "rerank": "rerank",
    "image": "image",
    "audio": "audio",
}
"""Operation -> kind of work. Others, and what is not told, may be any of them."""


@dataclass(frozen=True, slots=True)
class Settlement:
    """What a set of sightings amounts to. A sighting in neither list is a call by itself."""

    joined: tuple[Joined, ...]
    held: frozenset[Key]
    """Sightings that repeat others and do not count."""


@dataclass(slots=True)
class _Clusters:
    """Sightings joined so far, with the guards."""

    members: dict[Key, list[Sighting]] = field(default_factory=dict)
    why: dict[Key, str] = field(default_factory=dict)

    def add(self, sighting: Sighting) -> None:
        self.members[key_of(sighting)] = [sighting]

    def join(self, one: Sighting, other: Sighting, rule: str) -> bool:
        """Makes two sightings one call; False where a guard forbids it."""
        left, right = self.members[key_of(one)], self.members[key_of(other)]
        if left is right:
            return True
        seen_by = [sighting.emitter.instrumentation for sighting in (*left, *right)]
        ids = {sighting.response_id for sighting in (*left, *right) if sighting.response_id}
        if len(set(seen_by)) < len(seen_by) or len(ids) > 1 or len(seen_by) > LARGEST:
            return False
        for sighting in sorted((*left, *right), key=began)[1:]:
            self.why.setdefault(key_of(sighting), rule)
        left.extend(right)
        for sighting in right:
            self.members[key_of(sighting)] = left
        return True


def settle(sightings: Iterable[Sighting]) -> Settlement:
    """Tells calls from repetitions, among sightings of one tenant that may have to do with others.

    ``sightings`` must hold every sighting that is linked to one of them, directly or through
    others, by parent, response id, time or (for aggregates) trace.
    """
    ordered = sorted({key_of(one): one for one in sightings}.values(), key=began)
    calls = [one for one in ordered if one.role is not Role.AGGREGATE]
    clusters = _Clusters()
    for one in ordered:
        clusters.add(one)
    parents = _parents(ordered)
    held = _join_nested(calls, parents, clusters)
    counting = [one for one in calls if key_of(one) not in held]
    _join_by_response_id(counting, clusters)
    _join_failed_together(counting, clusters)
    aggregates = [one for one in ordered if one.role is Role.AGGREGATE]
    promoted = _weigh_aggregates(aggregates, counting, parents, clusters, held)
    groups = {id(group): group for group in clusters.members.values()}
    joined = [
        join(group, clusters.why)
        for group in groups.values()
        if len(group) > 1 or key_of(group[0]) in promoted
    ]
    return Settlement(tuple(joined), frozenset(held))


def _parents(sightings: Sequence[Sighting]) -> dict[Key, Key]:
    """The key of each one's parent, whether that is there or not.

    Ids can come again on another day: the parent is that of the same day, or of one beside it.
    """
    there = {key_of(one) for one in sightings}
    found: dict[Key, Key] = {}
    for one in sightings:
        key = trace, _, day = key_of(one)
        if one.parent_span_id is None:
            continue
        near = ((trace, one.parent_span_id, day + timedelta(days)) for days in (0, -1, 1))
        parent = next((around for around in near if around in there), None)
        found[key] = parent or (trace, one.parent_span_id, day)
    return found


def _join_nested(
    calls: Sequence[Sighting], parents: Mapping[Key, Key], clusters: _Clusters
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
        alike = [one for one in inner[outer_key] if _same_work(outer, one)]
        if _repeats_several(outer, alike):
            held.add(outer_key)
            continue
        twin = _twin_within(outer, alike)
        if twin is None or clusters.join(outer, twin, "nested"):
            continue
        # The same instrumentation wraps itself (an agent kit's own two layers): the inner counts.
        if not _conflicting_ids(outer, twin):
            held.add(outer_key)
    return held


def _same_work(one: Sighting, other: Sighting) -> bool:
    """Whether two could be one call by what they did: a chat may hold embeddings, and is none."""
    kinds = {_KINDS.get(each.route.operation or "") for each in (one, other)} - {None}
    return len(kinds) < 2  # noqa: PLR2004  # two kinds of work


def _repeats_several(outer: Sighting, inner: Sequence[Sighting]) -> bool:
    """Whether a wrapper around several calls only repeats what they used together."""
    used = [totals(one.usage) for one in inner if has_usage(one)]
    if len(used) < 2:  # noqa: PLR2004  # several
        return False
    if not has_usage(outer):
        return True
    together = sum(count for count, _ in used), sum(count for _, count in used)
    return agree(totals(outer.usage), together, NESTED_AGREE)


def _twin_within(outer: Sighting, inner: Sequence[Sighting]) -> Sighting | None:
    """The inner call that the outer is another sighting of, if any."""
    if outer.response_id is not None:
        for one in inner:
            if one.response_id == outer.response_id:
                return one
    fitting = [one for one in inner if not _conflicting_ids(outer, one)]
    used = [one for one in fitting if has_usage(one)]
    if not used:
        # Failed attempts, or streams that told nothing: the wrapper ends with the last of them.
        return fitting[-1] if fitting else None
    if not has_usage(outer):
        return used[-1] if outer.outcome is Outcome.OK or len(used) == 1 else None
    same = [one for one in used if agree(totals(one.usage), totals(outer.usage), NESTED_AGREE)]
    return same[0] if same else None


def _conflicting_ids(one: Sighting, other: Sighting) -> bool:
    return bool(one.response_id and other.response_id and one.response_id != other.response_id)


def _join_by_response_id(calls: Sequence[Sighting], clusters: _Clusters) -> None:
    by_id: dict[str, list[Sighting]] = defaultdict(list)
    for one in calls:
        if one.response_id is not None:
            by_id[one.response_id].append(one)
    for group in by_id.values():
        seen_by = [one.emitter.instrumentation for one in group]
        if len(group) > MOST_SIGHTED:
            continue
        # A server that gives all its answers one id (a proxy, a test) must not make them one
        # call: where an instrumentation saw the id twice, time decides which copies belong.
        apart = OVERLAP if len(set(seen_by)) < len(seen_by) else ANSWERED
        for at, one in enumerate(group):
            for earlier in group[:at]:
                if _overlap(earlier, one, apart) and clusters.join(earlier, one, "response id"):
                    break


def _end(sighting: Sighting) -> datetime:
    return sighting.start_at + timedelta(microseconds=sighting.duration_us or 0)


def _overlap(one: Sighting, other: Sighting, apart: timedelta) -> bool:
    return one.start_at <= _end(other) + apart and other.start_at <= _end(one) + apart


def _within(inner: Sighting, outer: Sighting) -> bool:
    return outer.start_at - SAME_TIME <= inner.start_at and _end(inner) <= _end(outer) + SAME_TIME


def _join_failed_together(calls: Sequence[Sighting], clusters: _Clusters) -> None:
    failed: dict[tuple[str | None, str | None], list[Sighting]] = defaultdict(list)
    for one in calls:
        if one.outcome is not Outcome.OK and one.response_id is None and not has_usage(one):
            model = one.route.request_model or one.route.model
            failed[one.owner.service, model].append(one)
    for group in failed.values():
        # In an outage there are thousands: only those that had not ended are looked at.
        running: list[Sighting] = []
        for one in group:
            running = [earlier for earlier in running if one.start_at <= _end(earlier) + SAME_TIME]
            for earlier in reversed(running):
                if one.emitter.instrumentation == earlier.emitter.instrumentation:
                    continue
                if (_within(one, earlier) or _within(earlier, one)) and clusters.join(
                    earlier, one, "failed together"
                ):
                    break
            running.append(one)


def _weigh_aggregates(
    aggregates: Sequence[Sighting],
    counting: Sequence[Sighting],
    parents: Mapping[Key, Key],
    clusters: _Clusters,
    held: set[Key],
) -> set[Key]:
    """Holds the aggregates that repeat what counts beneath them; answers those that count."""
    by_trace: dict[str, list[Sighting]] = defaultdict(list)
    below: dict[Key, list[Sighting]] = defaultdict(list)

    def counts(one: Sighting) -> None:
        by_trace[one.trace_id.hex].append(one)
        for around in _above(one, parents):
            below[around].append(one)

    for one in counting:
        counts(one)
    promoted: set[Key] = set()
    # Innermost first: what an inner aggregate stands for, an outer one repeats.
    for aggregate in sorted(aggregates, key=_inwards, reverse=True):
        key = key_of(aggregate)
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


def _inwards(sighting: Sighting) -> tuple[datetime, int, str, int, date]:
    """The order from the outermost wrapper to the innermost."""
    return sighting.start_at, -(sighting.duration_us or 0), *key_of(sighting)


def _is_beneath(one: Sighting, aggregate: Sighting, parents: Mapping[Key, Key]) -> bool:
    """By its parents; or, as spans in between are not kept, by lying within the time."""
    above = _above(one, parents)
    if key_of(aggregate) in above:
        return True
    if key_of(one) == key_of(aggregate):
        return False
    # What meets the aggregate's own parents, and not the aggregate, stands beside it.
    beside = not above.isdisjoint(_above(aggregate, parents))
    return not beside and _within(one, aggregate)


def _above(one: Sighting, parents: Mapping[Key, Key]) -> set[Key]:
    """The spans above one, as far as they are known."""
    above: set[Key] = set()
    parent = parents.get(key_of(one))
    while parent is not None and parent not in above:  # a cycle of parents must not hang us
        above.add(parent)
        parent = parents.get(parent)
    return above
