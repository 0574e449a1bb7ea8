"""All attributes that any dialect knows, numbered, and finding them in a batch.

A batch has thousands of attributes and some dozens of distinct names. Each attribute's name is
looked up once, in Arrow; what nobody knows (prompts, completions, headers) is left there,
unread.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from collector.dialects import DIALECTS
from collector.dialects.table import COLUMNS, MEANINGS, MOMENTS, TEXTS, Event, Mark, Unpacked
from collector.understanding.otlp import Attributes, Ints
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
    [NUMBER[key] for column in TEXTS | MOMENTS for key in COLUMN_KEYS[column]]
    + [NUMBER[key] for key in OWN],
)
"""Whether an attribute is meant to be text, by number."""

KEY_SET: Final = pa.array([key.encode() for key in KEYS], pa.binary())


@dataclass(frozen=True, slots=True)
class Known:
    """The attributes of a batch that some dialect knows, sorted by their number."""

    holder: Ints
    number: Ints
    starts: Ints
    """``starts[n]:starts[n + 1]`` are the rows of attribute n."""
    values: dict[str, pa.Array]

    def rows_of(self, key: str) -> Ints:
        """Rows of an attribute."""
        number = NUMBER[key]
        return np.arange(self.starts[number], self.starts[number + 1])

    def texts(self, rows: Ints) -> Any:
        """The text of some rows (bytes), null where the value is no text."""
        texts = self.values.get("text")
        # The rows of one attribute are adjacent.
        return (
            pa.nulls(len(rows), pa.binary()) if texts is None else texts.slice(rows[0], len(rows))
        )

    def only(self, row_of_holder: Ints) -> "Known":
        """Those of some holders, renumbered; ``row_of_holder`` is -1 for the others."""
        rows = row_of_holder[self.holder]
        kept = np.flatnonzero(rows >= 0)
        if len(kept) == len(rows):
            return Known(rows, self.number, self.starts, self.values)
        at = pa.array(kept)
        values = {name: column.take(at) for name, column in self.values.items()}
        return Known(rows[kept], self.number[kept], _starts(self.number[kept]), values)


def _starts(numbers: Ints) -> Ints:
    return np.searchsorted(numbers, np.arange(len(KEYS) + 1))


def find_known(attributes: Attributes) -> Known:
    """The attributes that some dialect knows."""
    found = pc.index_in(attributes.key, value_set=KEY_SET).fill_null(-1)
    numbers = found.to_numpy(zero_copy_only=False)
    known = np.flatnonzero(numbers >= 0)
    rows = known[np.argsort(numbers[known], kind="stable")]
    sorted_numbers = numbers[rows].astype(np.int64)
    at = pa.array(rows)
    values = {kind: column.take(at) for kind, column in attributes.values.items()}
    return Known(attributes.holder[rows], sorted_numbers, _starts(sorted_numbers), values)
