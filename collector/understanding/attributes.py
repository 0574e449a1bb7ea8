"""All attributes that any dialect knows, numbered."""

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from collector.dialects import DIALECTS
from collector.dialects.table import (
    COLUMNS,
    MEANINGS,
    MOMENTS,
    TEXTS,
    Dialect,
    Event,
    Mark,
    Unpacked,
)
from spend.owners import ATTRIBUTES as OWN

MARKS: Final[tuple[tuple[Mark, int], ...]] = tuple(
    (mark, number)
    for number, dialect in reversed(list(enumerate(DIALECTS)))
    for mark in dialect.marks
)
"""Every mark with its dialect's index, in the order in which they are asked."""

EVENTS: Final[tuple[tuple[Event, int], ...]] = tuple(
    (event, number)
    for number, dialect in reversed(list(enumerate(DIALECTS)))
    for event in dialect.events
)
"""Every log event with its dialect's index, in the order in which they are asked."""

ANY: Final = -1
"""Spans of any dialect, or of none."""


def dialects_that(fit: Callable[[Dialect], object]) -> npt.NDArray[np.bool_]:
    """Which dialects fit, by number; the last is for none, whose number is -1, and does not."""
    return np.array([*(bool(fit(dialect)) for dialect in DIALECTS), False])


def _sources(column: str) -> tuple[tuple[str, int], ...]:
    own = (
        (key, number)
        for number, dialect in enumerate(DIALECTS)
        for key in dialect.own.get(column, ())
    )
    shared = ((key, ANY) for dialect in DIALECTS for key in dialect.columns.get(column, ()))
    return tuple(dict.fromkeys((*own, *shared)))


_SOURCES: Final = {column: _sources(column) for column in sorted(COLUMNS)}

COLUMN_KEYS: Final[dict[str, tuple[str, ...]]] = {
    column: tuple(dict.fromkeys(key for key, _ in sources)) for column, sources in _SOURCES.items()
}
"""Column -> attributes that hold it on some span, best first."""


def _unpacks() -> dict[str, tuple[tuple[Unpacked, int], ...]]:
    found: dict[str, tuple[tuple[Unpacked, int], ...]] = {}
    for number, dialect in enumerate(DIALECTS):
        for unpacked in dialect.unpacks:
            whose = number if unpacked.own else ANY
            found[unpacked.attribute] = (*found.get(unpacked.attribute, ()), (unpacked, whose))
    return found


UNPACKS: Final = _unpacks()
"""Attribute -> what is taken out of it, and on the spans of which dialect."""

_PLAIN: Final = dict.fromkeys(
    (
        *(key for keys in COLUMN_KEYS.values() for key in keys),
        *OWN,
        *(mark.attribute for mark, _ in MARKS),
        *(key for event, _ in EVENTS for key in (*event.needs, *event.where)),
        *(
            key
            for dialect in DIALECTS
            for flag in MEANINGS
            for meaning in getattr(dialect, flag)
            for key in (meaning.unless, meaning.given, *meaning.where)
        ),
    )
)
KEYS: Final[tuple[str, ...]] = (
    *(key for key in _PLAIN if key and key not in UNPACKS),
    *UNPACKS,
)
"""Attributes by number. Those that hold JSON come last, so that a sort by number parts them."""

NUMBER: Final[dict[str, int]] = {key: number for number, key in enumerate(KEYS)}
FIRST_UNPACKED: Final = len(KEYS) - len(UNPACKS)

SOURCES: Final[dict[str, tuple[tuple[int, int], ...]]] = {
    column: tuple((NUMBER[key], whose) for key, whose in sources)
    for column, sources in _SOURCES.items()
}
"""Column -> number of an attribute, and the dialect on whose spans it holds the column; best
first."""


def _owned() -> npt.NDArray[np.bool_]:
    owned = np.zeros((len(KEYS), len(DIALECTS) + 1), dtype=bool)
    for number, dialect in enumerate(DIALECTS):
        for keys in dialect.own.values():
            owned[[NUMBER[key] for key in keys], number] = True
    return owned


OWNED: Final = _owned()
"""By an attribute's and a dialect's number: whether the dialect knows it better than the others.
The last column is for spans of no dialect, whose number is -1."""

TEXT_KEYS: Final = np.isin(
    np.arange(len(KEYS)),
    [NUMBER[key] for column in (*TEXTS, *MOMENTS) for key in COLUMN_KEYS[column]]
    + [NUMBER[key] for key in OWN],
)
"""Whether an attribute is meant to be text, by number."""

KEY_SET: Final = pa.array([key.encode() for key in KEYS], pa.binary())
