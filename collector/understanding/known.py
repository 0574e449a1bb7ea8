"""The attributes of a batch that some dialect knows.

A batch has thousands of attributes and some dozens of distinct names. What nobody knows (prompts,
completions, headers) is left where it is, unread.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from collector.understanding.attributes import KEY_SET, KEYS, NUMBER
from collector.understanding.otlp import Attributes, Ints


@dataclass(frozen=True, slots=True)
class Known:
    """Attributes sorted by their number; those of one number in the order in which they came."""

    holder: Ints
    said: Ints
    """Row of ``values``, which hold each distinct attribute once."""
    starts: list[int]
    """``starts[n]:starts[n + 1]`` are the rows of attribute n."""
    values: dict[str, pa.Array]
    """As in ``Attributes``."""

    def rows_of(self, key: str) -> slice:
        """Rows of an attribute."""
        number = NUMBER[key]
        return slice(self.starts[number], self.starts[number + 1])

    def only(self, row_of_holder: Ints) -> "Known":
        """Those of some holders, renumbered; ``row_of_holder`` is -1 for the others."""
        rows = row_of_holder[self.holder]
        kept = rows >= 0
        if kept.all():
            return Known(rows, self.said, self.starts, self.values)
        before = np.concatenate(([0], np.cumsum(kept)))
        return Known(rows[kept], self.said[kept], before[self.starts].tolist(), self.values)


def find_known(attributes: Attributes) -> Known:
    """The attributes that some dialect knows."""
    found = pc.index_in(attributes.key, value_set=KEY_SET).fill_null(-1)
    # A short type: numpy sorts it without comparing.
    numbers = found.to_numpy(zero_copy_only=False).astype(np.int16)[attributes.said]
    rows = np.flatnonzero(numbers >= 0)
    rows = rows[np.argsort(numbers[rows], kind="stable")]
    counts = np.bincount(numbers[rows], minlength=len(KEYS))
    starts = [0, *np.cumsum(counts).tolist()]
    return Known(attributes.holder[rows], attributes.said[rows], starts, attributes.values)


def distinct_of(places: Ints, below: int) -> Ints:
    """The distinct ones of some places in a table of so many rows, ascending."""
    there = np.zeros(below, dtype=bool)
    there[places] = True
    return np.flatnonzero(there)
