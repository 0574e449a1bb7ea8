"""Token counts as attributes tell them: whole, plausible numbers, or a reason why they are not."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from collector.dialects.table import COUNTS
from collector.understanding.attributes import COLUMN_KEYS, KEYS, NUMBER
from collector.understanding.columns import ABSENT, Columns
from collector.understanding.otlp import Ints
from spend.meters import LARGEST_COUNT

Flags = npt.NDArray[np.bool_]

_DIGITS: Final = re.compile(r"[0-9]{1,19}")
_FAULTS: Final = (
    "",
    "is negative",
    "is too large",
    "is not a whole number",
    "is not a number",
    "is true or false, not a number",
    "is a list or a map, not a number",
)
_NEGATIVE, _LARGE, _FRACTION, _NO_NUMBER, _BOOLEAN, _ODD = range(1, len(_FAULTS))


_COUNT_KEYS: Final = np.isin(
    np.arange(len(KEYS)), [NUMBER[key] for column in COUNTS for key in COLUMN_KEYS[column]]
)
"""Whether an attribute is meant to be a count, by number."""


@dataclass(frozen=True)
class Counts:
    """A count on each span; ``told`` says where."""

    value: Ints
    told: Flags

    @cached_property
    def somewhere(self) -> bool:
        """Whether any span tells it: most counts are told by none."""
        return bool(self.told.any())

    @cached_property
    def or_zero(self) -> Ints:
        """The count, 0 where it is not told."""
        return np.where(self.told, self.value, 0)


@dataclass(frozen=True, slots=True)
class _Read:
    """Distinct values, one row each, read as counts."""

    count: Ints
    fault: Ints
    """Index of _FAULTS."""
    present: Flags
    faulty: bool
    """Some of them are."""


def reason(key: int, fault: int) -> str:
    """Why the usage of a call was refused. There are few: only known attributes are named."""
    return f"usage: {KEYS[key]} {_FAULTS[fault]}"


def nowhere(columns: Columns) -> Counts:
    """A count that no span tells."""
    return Counts(np.zeros(len(columns), dtype=np.int64), np.zeros(len(columns), dtype=bool))


def read_counts(columns: Columns) -> tuple[Mapping[str, Counts], dict[int, list[str]]]:
    """Each count on each span; and of spans with what is no count, why, by attribute."""
    told_nowhere = nowhere(columns)
    refused: dict[int, list[str]] = {}
    read = _read(columns)
    counts = {
        column: _count(columns, column, read, refused) if columns.tells(column) else told_nowhere
        for column in sorted(COUNTS)
    }
    return counts, refused


def _count(columns: Columns, column: str, read: _Read, refused: dict[int, list[str]]) -> Counts:
    values, faults, keys = np.zeros((3, len(columns)), dtype=np.int64)
    told = np.zeros(len(columns), dtype=bool)
    for number, at in columns.telling(column):
        cells = columns.cells.value[at]
        present = read.present[cells]
        cells, rows = cells[present], columns.cells.row[at][present]
        values[rows], told[rows] = read.count[cells], True
        if read.faulty:
            faults[rows], keys[rows] = read.fault[cells], number
    if not read.faulty:
        return Counts(values, told)
    for row in np.flatnonzero(faults).tolist():
        refused.setdefault(row, []).append(reason(int(keys[row]), int(faults[row])))
    values[faults > 0] = 0
    return Counts(values, told & (faults == 0))


def _read(columns: Columns) -> _Read:
    """The values of the attributes that are counts; of others, nothing."""
    values = columns.values
    at = np.flatnonzero(_COUNT_KEYS[values.number])
    counts, faults, present = values.whole[at], np.zeros(len(at), np.int64), values.is_whole[at]
    real, is_real, text = values.real[at], values.is_real[at], values.text[at]
    if is_real.any():
        sane = is_real & np.isfinite(real) & (np.abs(real) <= LARGEST_COUNT)
        counts[sane] = real[sane].astype(np.int64)
        faults[sane & (real != np.trunc(real))] = _FRACTION
        faults[is_real & ~sane] = _LARGE
        faults[is_real & np.isnan(real)] = _NO_NUMBER
        faults[is_real & (real < 0)] = _NEGATIVE
        present |= is_real
    is_text = text != ABSENT
    for place in np.flatnonzero(is_text).tolist():
        counts[place], faults[place] = _parsed(columns.texts[text[place]])
    faults[present & (counts < 0)] = _NEGATIVE
    faults[present & (counts > LARGEST_COUNT)] = _LARGE
    faults[values.flag[at] != ABSENT] = _BOOLEAN
    faults[values.odd[at]] = _ODD
    size = len(values.number)
    count, fault = np.zeros((2, size), dtype=np.int64)
    told = np.zeros(size, dtype=bool)
    count[at], fault[at], told[at] = counts, faults, present | is_text | (faults > 0)
    return _Read(count, fault, told, bool(faults.any()))


def _parsed(text: str) -> tuple[int, int]:
    """A count given as text, and its fault."""
    if not _DIGITS.fullmatch(text):
        return 0, _NEGATIVE if re.fullmatch(r"-[0-9.]+", text) else _NO_NUMBER
    # 19 digits can exceed int64.
    return (0, _LARGE) if int(text) > LARGEST_COUNT else (int(text), 0)
