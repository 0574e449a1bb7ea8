"""Rows that are alike in all of some columns of integers, found without a loop over rows."""

from collections.abc import Sequence

import numpy as np

from collector.understanding.otlp import Ints

_ROOM = 2**62
_SMALL = 2**31
"""So many values, for as many rows, have room."""
_TABLE = 16
"""So many possible combinations a row are counted in a table; more are sorted."""


def distinct(columns: Sequence[Ints], rows: int) -> tuple[Ints, Ints]:
    """A row of each distinct combination, and each row's place among them.

    Values are best small: ids of 64 bits cost a sort more.
    """
    key = np.zeros(rows, dtype=np.int64)
    used = 1
    for column in columns:
        low, high = (int(column.min()), int(column.max())) if rows else (0, 0)
        if low == high:
            continue
        width = high - low + 1
        if width >= _SMALL:
            values, column = np.unique(column, return_inverse=True)  # noqa: PLW2901  # the same, smaller
            low, width = 0, len(values)
        if used * width >= _ROOM:
            values, key = np.unique(key, return_inverse=True)
            used = len(values)
        key = key * width + (column - low)
        used *= width
    if used == 1:  # all alike
        return np.zeros(min(rows, 1), dtype=np.int64), key
    if used > _TABLE * rows:
        _, firsts, groups = np.unique(key, return_index=True, return_inverse=True)
        return firsts, groups
    first_of = np.full(used, -1, dtype=np.int64)
    first_of[key[::-1]] = np.arange(rows - 1, -1, -1)
    there = np.flatnonzero(first_of >= 0)
    place = np.zeros(used, dtype=np.int64)
    place[there] = np.arange(len(there))
    return first_of[there], place[key]
