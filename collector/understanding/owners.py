"""Who pays for each sighting: one decision for each distinct set of claims in a batch."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from collector.understanding.attributes import COLUMN_KEYS, KEYS
from collector.understanding.columns import ABSENT, Columns
from collector.understanding.distinct import distinct
from collector.understanding.otlp import Attributes, Ints
from collector.understanding.scrub import scrub
from spend.calls import Owner
from spend.ids import content_id
from spend.owners import DIMENSIONS, LAST_RESORT, TEAM, owner_of

Claims = tuple[tuple[str, str], ...]

SPAN_KEYS: Final = (*TEAM, LAST_RESORT, *(key for keys in DIMENSIONS.values() for key in keys))
RESOURCE_KEYS: Final = tuple(
    dict.fromkeys((*SPAN_KEYS, *COLUMN_KEYS["team"], *COLUMN_KEYS["project"]))
)
_WANTED_SET: Final = pa.array([key.encode() for key in RESOURCE_KEYS], pa.binary())


def resource_claims(attributes: Attributes, resources: int) -> list[Claims]:
    """What each resource says of owners: attribute and value, in a fixed order."""
    found: list[dict[str, str]] = [{} for _ in range(resources)]
    numbers = pc.index_in(attributes.key, value_set=_WANTED_SET)
    wanted = numbers.is_valid().to_numpy(zero_copy_only=False)
    claims = {
        place: (RESOURCE_KEYS[numbers[place].as_py()], _scalar(attributes, place))
        for place in np.flatnonzero(wanted).tolist()
    }
    rows = np.flatnonzero(wanted[attributes.said])
    holders, places = attributes.holder[rows].tolist(), attributes.said[rows].tolist()
    for holder, place in zip(holders, places, strict=True):
        key, value = claims[place]
        if value is not None:
            found[holder][key] = value
    return [tuple(sorted(said.items())) for said in found]


def _scalar(attributes: Attributes, place: int) -> str | None:
    for kind in ("text", "whole", "real", "flag"):
        if kind in attributes.values and attributes.values[kind][place].is_valid:
            value = attributes.values[kind][place].as_py()
            return scrub(value.decode("utf-8", "replace") if kind == "text" else str(value))
    return None


@lru_cache(maxsize=16384)
def owner_from(
    span: Claims,
    resource: Claims,
    claim: tuple[str, str] | None,
    project: str | None,
    key_team: str | None,
) -> tuple[int, Owner]:
    """The owner of what said this, and its id.

    ``span`` holds attributes of SPAN_KEYS, ``resource`` of RESOURCE_KEYS; ``claim`` is what else
    names a team, and its name.
    """
    said = dict(resource)
    claims = [claim] if claim else []
    claims += [
        (f"resource attribute {key}", said[key]) for key in COLUMN_KEYS["team"] if key in said
    ]
    if project is None:
        project = next((said[key] for key in COLUMN_KEYS["project"] if key in said), None)
    owner = owner_of(
        span=dict(span), resource=said, claims=claims, key_team=key_team, project=project
    )
    return content_id(owner), owner


def owners_of(
    columns: Columns, resource: Ints, claims: list[Claims], key_team: str | None
) -> tuple[Ints, Mapping[int, Owner]]:
    """Each span's owner id, and the owners.

    ``resource`` is each span's row in ``claims``.
    """
    said = {key: columns.text_of(key) for key in SPAN_KEYS if columns.has(key)}
    which = np.full(len(columns), ABSENT, dtype=np.int64)
    team = columns.text("team", which)
    project = columns.text("project")
    firsts, groups = distinct([*said.values(), team, which, project, resource], len(columns))
    texts = columns.texts
    ids = np.zeros(len(firsts), dtype=np.int64)
    owners: dict[int, Owner] = {}
    for group, row in enumerate(firsts.tolist()):
        span = tuple(
            (key, texts[column[row]]) for key, column in said.items() if column[row] != ABSENT
        )
        claim = None
        if team[row] != ABSENT:
            claim = (f"span attribute {KEYS[which[row]]}", texts[team[row]])
        named = texts[project[row]] if project[row] != ABSENT else None
        ids[group], owner = owner_from(span, claims[resource[row]], claim, named, key_team)
        owners[int(ids[group])] = owner
    return ids[groups], owners
