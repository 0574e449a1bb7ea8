"""Joins sightings that share no id: by kinship, likeness and time, each with one partner.

Every rule here asks for another instrumentation or signal, no contradicting id or model, and
nearness in time. Two equal real calls that one instrumentation saw stay two, as each sighting has
one partner among those of another.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from heapq import nsmallest
from itertools import islice
from typing import Final

from spend.calls import Outcome, Sighting
from spend.twins.clusters import Clusters, Pair
from spend.twins.kin import stream_kin
from spend.twins.nearness import (
    ALIKE_REACH,
    KIN_REACH,
    OVERLAP,
    SAME_TIME,
    conflicting_ids,
    distance,
    end_of,
    is_server,
    models,
    of_different_clients,
    of_different_sessions,
    overlap,
    same_answer,
    same_model,
    same_prompt,
    same_work,
    tells_prompt,
    used,
    within,
    wraps_closely,
)
from spend.twins.witnesses import has_usage

Fits = Callable[[Sighting, Sighting], bool]

_Ran = tuple[int, int, Sighting]
"""A sighting, and when it began and ended: microseconds since 1970, which compare faster."""

_TOGETHER: Final = timedelta(milliseconds=250)

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_MOST_TRIED: Final = 256
_MOST_FITTING: Final = 64
"""Of thousands of equal calls at once each is compared with its nearest, and may be one with a few:
all of them would cost time by the square. Which of them is the partner of which changes no sum."""


def join_halves(calls: Sequence[Sighting], clusters: Clusters) -> None:
    """Joins the two halves of a stream that an emitter tells apart: asked, and then answered.

    The first ends when the answer begins; the second stands for a log (``spend/twins/kin.py``).
    """
    halves: dict[Hashable, list[Sighting]] = defaultdict(list)
    for one in calls:
        if one.kin_id is not None and one.kin_id == _stream_kin(one):
            halves[one.kin_id].append(one)
    for group in halves.values():
        asked = [one for one in group if one.emitter.signal == "span" and not has_usage(one)]
        answered = [one for one in group if one.emitter.signal == "log"]
        pairs: list[Pair] = [
            (abs(end_of(one) - other.start_at), one, other)
            for one in asked
            for other in answered
            if abs(end_of(one) - other.start_at) <= OVERLAP
        ]
        clusters.pair_off(pairs, "two halves of a stream")


def _stream_kin(one: Sighting) -> int:
    return stream_kin(
        one.owner.service, one.emitter.scope, one.route.request_model or one.route.model
    )


def join_kin(calls: Sequence[Sighting], clusters: Clusters) -> None:
    """Joins what one service told of one session on several signals, by prompt and time."""
    clusters.pair_off(_pairs(calls, _kin, _are_kin, OVERLAP), "one session, prompt and time")


def join_alike(calls: Sequence[Sighting], clusters: Clusters) -> None:
    """Joins what two instrumentations, in one trace or of one service, saw of one answer."""
    metered = [one for one in calls if has_usage(one)]
    in_trace = _pairs(metered, _trace_and_prompt, _alike_in_trace, OVERLAP)
    clusters.pair_off(in_trace, "one trace, usage and time")
    quiet = {one.trace_id for one in calls if not has_usage(one)}
    around = [one for one in calls if one.trace_id in quiet and one.outcome is Outcome.OK]
    wrapping = _pairs(around, _trace, _wraps_in_trace, SAME_TIME)
    clusters.pair_off(wrapping, "around it in one trace")
    apart = _pairs(calls, _service_and_usage, _alike_apart, SAME_TIME)
    clusters.pair_off(apart, "one service, usage and time")
    partly = _pairs(calls, _service_and_answer, _alike_partly, SAME_TIME)
    clusters.pair_off(partly, "one service, answer and time")


def join_failed(calls: Sequence[Sighting], clusters: Clusters) -> None:
    """Joins what several saw of one failure: there is neither an id nor usage to tell by."""
    failed = [
        one
        for one in calls
        if one.outcome is not Outcome.OK and one.response_id is None and not has_usage(one)
    ]
    clusters.pair_off(_pairs(failed, _trace, _near_in_trace, OVERLAP), "failed together")
    clusters.pair_off(_pairs(failed, _kin, _near_kin, OVERLAP), "failed together")
    clusters.pair_off(_pairs(failed, _service, _one_within, SAME_TIME), "failed together")


def _kin(one: Sighting) -> Hashable:
    return one.kin_id


def _trace(one: Sighting) -> Hashable:
    return one.trace_id


def _service(one: Sighting) -> Hashable:
    # Without a name of the service all that failed at the time may have to do with each other.
    return one.owner.service or ""


def _trace_and_prompt(one: Sighting) -> Hashable:
    return one.trace_id, used(one)[0]


def _service_and_usage(one: Sighting) -> Hashable:
    quiet = not has_usage(one)
    if one.owner.service is None or is_server(one) or (quiet and one.outcome is not Outcome.OK):
        return None
    return one.owner.service, quiet, used(one)


def _service_and_answer(one: Sighting) -> Hashable:
    if one.owner.service is None or is_server(one) or not used(one)[1]:
        return None
    return one.owner.service, used(one)[1]


def _pairs(
    calls: Iterable[Sighting],
    group_of: Callable[[Sighting], Hashable],
    fits: Fits,
    apart: timedelta,
) -> Iterator[Pair]:
    """Pairs of one group that ran at one time and fit; those of no group (None) have no pairs."""
    groups: dict[Hashable, list[Sighting]] = defaultdict(list)
    for one in calls:
        group = group_of(one)
        if group is not None:
            groups[group].append(one)
    for alike in groups.values():
        if len({one.emitter.instrumentation for one in alike}) > 1:
            yield from _running_together(alike, fits, apart)


def _running_together(alike: Iterable[Sighting], fits: Fits, apart: timedelta) -> Iterator[Pair]:
    reach = _microseconds(apart)
    running: dict[Hashable, list[_Ran]] = defaultdict(list)
    for one in alike:
        seen_by = one.emitter.instrumentation
        begins = _microseconds(one.start_at - _EPOCH)
        ends = begins + (one.duration_us or 0)
        for others in (name for name in running if name != seen_by):
            # In an outage there are thousands: only those that had not ended are looked at.
            running[others] = [each for each in running[others] if begins <= each[1] + reach]
            fitting = (
                earlier
                for _, _, earlier in _nearest(running[others], begins, ends)
                if _may_be_one(earlier, one) and fits(earlier, one)
            )
            for earlier in islice(fitting, _MOST_FITTING):
                yield distance(earlier, one), earlier, one
        running[seen_by].append((begins, ends, one))


def _nearest(running: list[_Ran], begins: int, ends: int) -> list[_Ran]:
    """Those that may be one with what began and ended then: of very many, the nearest in time."""
    if len(running) <= _MOST_TRIED:
        return running
    return nsmallest(
        _MOST_TRIED,
        running,
        key=lambda each: 1000 * abs(ends - each[1]) + abs(begins - each[0]),
    )


def _microseconds(length: timedelta) -> int:
    return length // timedelta(microseconds=1)


def _may_be_one(one: Sighting, other: Sighting) -> bool:
    return (
        one.emitter.instrumentation != other.emitter.instrumentation
        and not conflicting_ids(one, other)
        and not of_different_sessions(one, other)
        and same_work(one, other)
        and same_model(one, other)
    )


def _near_kin(one: Sighting, other: Sighting) -> bool:
    return abs(one.start_at - other.start_at) <= KIN_REACH and overlap(one, other, OVERLAP)


def _are_kin(one: Sighting, other: Sighting) -> bool:
    if has_usage(one) is not has_usage(other):
        # One tells that there was a call (Gemini CLI's span), the other what it used.
        ended_alike = (one.outcome is Outcome.OK) is (other.outcome is Outcome.OK)
        return (
            ended_alike and one.emitter.signal != other.emitter.signal and _one_within(one, other)
        )
    return same_prompt(one, other) and _near_kin(one, other)


def _one_within(one: Sighting, other: Sighting) -> bool:
    return within(one, other) or within(other, one)


def _near_in_trace(one: Sighting, other: Sighting) -> bool:
    """One within the other; if they are of two processes, as far as their clocks agree."""
    apart = is_server(one) is not is_server(other) or one.owner.service != other.owner.service
    return overlap(one, other, OVERLAP) if apart else _one_within(one, other)


def _alike_in_trace(one: Sighting, other: Sighting) -> bool:
    return same_answer(one, other) and _near_in_trace(one, other)


def _wraps_in_trace(one: Sighting, other: Sighting) -> bool:
    """One tells nothing of usage, and lies around the other, or within it."""
    told = one.route.operation and other.route.operation and models(one) and models(other)
    return bool(told) and not (has_usage(one) and has_usage(other)) and _one_within(one, other)


def _alike_partly(one: Sighting, other: Sighting) -> bool:
    """As ``_alike_apart``, but one was told of no prompt: frameworks' streams often are not."""
    silent = tells_prompt(one) is not tells_prompt(other)
    # With so little in common they have to begin and end together.
    together = max(abs(one.start_at - other.start_at), abs(end_of(one) - end_of(other)))
    named = bool(models(one) and models(other))
    return silent and named and together <= _TOGETHER and _alike_apart(one, other)


def _of_different_programs(one: Sighting, other: Sighting) -> bool:
    """Whether they tell what one program's sightings of one call cannot tell apart."""
    told = (
        (one.owner.environment, other.owner.environment),
        (one.owner.feature, other.owner.feature),
        (one.owner.customer, other.owner.customer),
        (one.route.server, other.route.server),
    )
    return any(first and second and first != second for first, second in told)


def _alike_apart(one: Sighting, other: Sighting) -> bool:
    """In different traces of one service: a framework and its client, that do not know each other.

    The usage is the same to the token (or nobody told any); one took as long as the other, within
    the other's time; and they do not look at different clients, or work for different customers.
    """
    return (
        abs(one.start_at - other.start_at) <= ALIKE_REACH
        and wraps_closely(one, other)
        and not of_different_clients(one, other)
        and not _of_different_programs(one, other)
        and (has_usage(one) or bool(models(one) and models(other)))
    )
