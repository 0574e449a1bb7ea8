"""Who stands above a sighting, as far as it is known."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from spend.calls import Sighting
from spend.twins.clusters import Key
from spend.twins.witnesses import key_of


def parents_of(sightings: Sequence[Sighting]) -> dict[Key, Key]:
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


def above(one: Sighting, parents: Mapping[Key, Key]) -> set[Key]:
    """The spans above one, as far as they are known."""
    found: set[Key] = set()
    parent = parents.get(key_of(one))
    while parent is not None and parent not in found:  # a cycle of parents must not hang us
        found.add(parent)
        parent = parents.get(parent)
    return found


def tops_of(parents: Mapping[Key, Key]) -> dict[Key, Key]:
    """The uppermost span above each one, as far as it is known.

    Two that have a parent have a span above them in common exactly if they have one top.
    """
    tops: dict[Key, Key] = {}
    for key in parents:
        line: dict[Key, None] = {}
        here = key
        while here not in tops and here not in line and here in parents:
            line[here] = None
            here = parents[here]
        # The top of a cycle is the same from wherever it is entered.
        top = tops.get(here) or (_least_of_cycle(here, parents) if here in line else here)
        tops.update(dict.fromkeys(line, top))
    return tops


def _least_of_cycle(key: Key, parents: Mapping[Key, Key]) -> Key:
    least, here = key, parents[key]
    while here != key:
        least, here = min(least, here), parents[here]
    return least
