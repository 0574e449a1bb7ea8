"""What gateways and model servers tell beneath a client's call: parts of it, failed attempts."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import islice

from spend.calls import Outcome, Sighting
from spend.twins.clusters import Clusters, Key
from spend.twins.nearness import OVERLAP, end_of, is_server, same_model, same_work, used, within
from spend.twins.parents import above
from spend.twins.witnesses import CHOICES, agree, has_usage, key_of


def join_choices(
    calls: Sequence[Sighting], parents: Mapping[Key, Key], clusters: Clusters
) -> set[Key]:
    """Joins an engine's several answers to one request (n > 1) to the client's call.

    The engine tells the whole prompt with each answer; the client tells the prompt once, and all
    answers together. Answers the sightings that are parts of what is counted.
    """
    served: dict[tuple[str, int], list[Sighting]] = defaultdict(list)
    clients: dict[tuple[str, int], list[Sighting]] = defaultdict(list)
    for one in calls:
        if has_usage(one):
            of_side = served if is_server(one) else clients
            of_side[one.trace_id.hex, used(one)[0]].append(one)
    held: set[Key] = set()
    taken: set[Key] = set()
    for prompt, servers in served.items():
        alone = [one for one in servers if len(clusters.of(one)) == 1]
        if len(alone) < 2:  # noqa: PLR2004  # several
            continue
        asked = _asked_by(clients[prompt], alone, parents)
        for client in clients[prompt]:
            parts = [one for one in asked[key_of(client)] if key_of(one) not in taken]
            of_one = len({one.emitter.instrumentation for one in parts}) == 1
            answers = used(client)[0], sum(used(one)[1] for one in parts)
            if len(parts) < 2 or not of_one or not agree(used(client), answers):  # noqa: PLR2004  # several
                continue
            if clusters.join(client, parts[0], CHOICES):
                taken.update(map(key_of, parts))
                held.update(key_of(one) for one in parts[1:])
    return held


def _asked_by(
    clients: Sequence[Sighting], servers: Sequence[Sighting], parents: Mapping[Key, Key]
) -> Mapping[Key, list[Sighting]]:
    """What servers told beneath each client's call."""
    near = _InTime(clients)
    asked: dict[Key, list[Sighting]] = defaultdict(list)
    for one in servers:
        around = {key_of(each): each for each in near.around(one, above(one, parents))}
        for key, client in around.items():
            if _beneath(one, client, parents):
                asked[key].append(one)
    return asked


def hold_attempts(
    calls: Sequence[Sighting], parents: Mapping[Key, Key], clusters: Clusters
) -> set[Key]:
    """Failed attempts that a gateway made for one call of a client, and that nobody billed.

    The client's call is one, however often the gateway asked: it is joined with the gateway's last
    attempt. A failed attempt that was billed stays a call.
    """
    failed = [
        one
        for one in calls
        if one.outcome is not Outcome.OK
        and not has_usage(one)
        and one.response_id is None
        and len(clusters.of(one)) == 1
    ]
    traces: dict[str, list[Sighting]] = {one.trace_id.hex: [] for one in failed}
    for one in calls:
        if one.trace_id.hex in traces and len(clusters.of(one)) > 1 and not is_server(one):
            traces[one.trace_id.hex].append(one)
    near = {trace: _InTime(clients) for trace, clients in traces.items()}
    return {
        key_of(one)
        for one in failed
        if any(
            _is_attempt(one, client, parents, clusters)
            for client in near[one.trace_id.hex].around(one, above(one, parents))
        )
    }


class _InTime:
    """Sightings of a trace, of which not all need be looked at: there can be thousands."""

    def __init__(self, ordered: Sequence[Sighting]) -> None:
        self._ordered = ordered
        self._by_key = {key_of(one): one for one in ordered}
        self._longest = max((end_of(one) - one.start_at for one in ordered), default=timedelta())

    def around(self, one: Sighting, over: Collection[Key]) -> Iterator[Sighting]:
        """Those that stand over one, and those that may have run around it."""
        yield from (self._by_key[key] for key in over if key in self._by_key)
        reach = one.start_at - self._longest - OVERLAP, one.start_at + OVERLAP
        first, last = (
            cut(self._ordered, moment, key=lambda each: each.start_at)
            for cut, moment in zip((bisect_left, bisect_right), reach, strict=True)
        )
        yield from islice(self._ordered, first, last)


def _is_attempt(
    one: Sighting, client: Sighting, parents: Mapping[Key, Key], clusters: Clusters
) -> bool:
    seen_by = {member.emitter.instrumentation for member in clusters.of(client)}
    behind = is_server(one) or one.owner.service != client.owner.service
    return (
        behind
        and one.emitter.instrumentation != client.emitter.instrumentation
        # The gateway was seen to ask again, or a wrapper that failed may be all there was.
        and one.emitter.instrumentation in seen_by
        and same_work(one, client)
        and same_model(one, client)
        and _beneath(one, client, parents)
    )


def _beneath(one: Sighting, client: Sighting, parents: Mapping[Key, Key]) -> bool:
    """By its parents; or by time, as far as clocks of two processes agree."""
    return key_of(client) in above(one, parents) or within(one, client, OVERLAP)
