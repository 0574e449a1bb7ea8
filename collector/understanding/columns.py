"""The known attributes of the spans that count, as columns of numbers.

Texts become indexes into one list of distinct texts, scrubbed once; so everything behind works
on integers, and on each distinct text only once.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from collector.dialects import DIALECTS
from collector.understanding.attributes import (
    ANY,
    FIRST_UNPACKED,
    KEYS,
    NUMBER,
    OWNED,
    SOURCES,
    TEXT_KEYS,
)
from collector.understanding.clocks import nanoseconds
from collector.understanding.known import Known, distinct_of
from collector.understanding.otlp import Ints
from collector.understanding.scrub import scrub, scrubbed, texts_of
from collector.understanding.unpack import Found, unpack
from collector.understanding.wrapped_ids import without_wrapping

Floats = npt.NDArray[np.float64]

ABSENT: Final = -1
"""No text, no flag, no attribute."""

_OWNED_BY_ONE: Final = [bool(owned.any()) for owned in OWNED]
_TRUE: Final = frozenset({"true", "1", "yes", "hit", "stream"})
_YES: Final = tuple(pattern for dialect in DIALECTS for pattern in dialect.yes)
_LARGEST_EXACT: Final = 2.0**53


def _tells() -> list[list[tuple[str, int, int]]]:
    tells: list[list[tuple[str, int, int]]] = [[] for _ in KEYS]
    for column, sources in SOURCES.items():
        for place, (number, whose) in enumerate(sources):
            tells[number].append((column, place, whose))
    return tells


_TELLS: Final = _tells()
"""By an attribute's number: the columns that it tells, its place among their attributes, and on
the spans of which dialect."""


@dataclass(frozen=True, slots=True)
class Values:
    """Distinct values of attributes, one row each; other kinds are ABSENT."""

    number: Ints
    """Of the attribute."""
    text: Ints
    """Index in ``Columns.texts``."""
    whole: Ints
    is_whole: npt.NDArray[np.bool_]
    real: Floats
    """NaN also where the value is no float."""
    is_real: npt.NDArray[np.bool_]
    flag: Ints
    """1 true, 0 false."""
    odd: npt.NDArray[np.bool_]
    """Arrays, maps and bytes."""


@dataclass(frozen=True, slots=True)
class Cells:
    """Attributes of spans, one row each, sorted by number."""

    row: Ints
    value: Ints
    """Row of ``Values``."""
    starts: list[int]
    """``starts[n]:starts[n + 1]`` are the rows of attribute n."""


class Columns:
    """The columns of some spans; built by ``columns_of``."""

    def __init__(self, dialect: Ints, texts: list[str], values: Values, cells: Cells) -> None:
        self.rows = len(dialect)
        self.texts = texts
        self.values = values
        self.cells = cells
        self._dialect = dialect
        self._tellers: dict[str, list[tuple[int, int, int]]] = {}
        counts = np.diff(cells.starts)
        for number in np.flatnonzero(counts).tolist():
            for column, place, whose in _TELLS[number]:
                self._tellers.setdefault(column, []).append((place, number, whose))

    def __len__(self) -> int:
        """How many spans."""
        return self.rows

    def of(self, key: str) -> slice:
        """The cells of an attribute."""
        number = NUMBER[key]
        return slice(self.cells.starts[number], self.cells.starts[number + 1])

    def has(self, key: str) -> bool:
        """Whether any span has an attribute."""
        number = NUMBER[key]
        return self.cells.starts[number] < self.cells.starts[number + 1]

    def tells(self, column: str) -> bool:
        """Whether any attribute may tell a column."""
        return column in self._tellers

    def telling(self, column: str) -> Iterator[tuple[int, slice | Ints]]:
        """The attributes that tell a column: number and cells, from the worst to the best."""
        for _, number, whose in sorted(self._tellers.get(column, ()), reverse=True):
            first, end = self.cells.starts[number], self.cells.starts[number + 1]
            if whose == ANY and not _OWNED_BY_ONE[number]:
                yield number, slice(first, end)
                continue
            spoken = self._dialect[self.cells.row[first:end]]
            at = spoken == whose if whose != ANY else ~OWNED[number, spoken]
            if at.any():
                yield number, first + np.flatnonzero(at)

    def present(self, key: str) -> npt.NDArray[np.bool_]:
        """Which spans have an attribute."""
        has = np.zeros(self.rows, dtype=bool)
        has[self.cells.row[self.of(key)]] = True
        return has

    def text(self, column: str, which: Ints | None = None) -> Ints:
        """A column's text on each span, as an index in ``texts``, or ABSENT.

        ``which`` is filled with the number of the attribute that told it.
        """
        found = np.full(self.rows, ABSENT, dtype=np.int64)
        for number, at in self.telling(column):
            rows = self._put_text(found, at)
            if which is not None:
                which[rows] = number
        return found

    def text_of(self, key: str) -> Ints:
        """An attribute's text on each span, as an index in ``texts``, or ABSENT."""
        found = np.full(self.rows, ABSENT, dtype=np.int64)
        self._put_text(found, self.of(key))
        return found

    def places_of(self, texts: frozenset[str]) -> list[int]:
        """The indexes in ``texts`` of some texts."""
        return [place for place, text in enumerate(self.texts) if text in texts]

    def _put_text(self, found: Ints, at: slice | Ints) -> Ints:
        texts = self.values.text[self.cells.value[at]]
        told = texts != ABSENT
        rows: Ints = self.cells.row[at][told]
        found[rows] = texts[told]
        return rows

    @cached_property
    def _plain_numbers(self) -> Floats:
        """Each value that is a number."""
        values = self.values
        return np.where(values.is_whole, values.whole.astype(np.float64), values.real)

    def number(self, column: str) -> Floats:
        """A column's number on each span, NaN where there is none."""
        numbers = np.full(self.rows, np.nan)
        for _, at in self.telling(column):
            cells = self.cells.value[at]
            values, texts = self._plain_numbers[cells], self.values.text[cells]
            for index in np.unique(texts[texts != ABSENT]):
                values[texts == index] = _number(self.texts[index])
            told = np.isfinite(values)
            numbers[self.cells.row[at][told]] = values[told]
        return numbers

    def flag(self, column: str) -> Ints:
        """A column's flag on each span: 1, 0 or ABSENT."""
        flags = np.full(self.rows, ABSENT, dtype=np.int64)
        for _, at in self.telling(column):
            cells = self.cells.value[at]
            values, texts = self.values.flag[cells], self.values.text[cells]
            for index in np.unique(texts[texts != ABSENT]):
                values[texts == index] = _means_yes(self.texts[index].lower())
            told = values != ABSENT
            flags[self.cells.row[at][told]] = values[told]
        return flags

    def moment(self, column: str) -> Ints:
        """A column's moment on each span: nanoseconds since 1970 (UTC), 0 where there is none."""
        moments: Ints = np.zeros(self.rows, dtype=np.int64)
        told = self.text(column)
        for index in np.unique(told[told != ABSENT]).tolist():
            moments[told == index] = nanoseconds(self.texts[index])
        return moments


def _means_yes(text: str) -> bool:
    return text in _TRUE or any(fnmatchcase(text, pattern) for pattern in _YES)


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        return float("nan")
    return number if abs(number) < _LARGEST_EXACT else float("nan")


def columns_of(known: Known, dialect: Ints) -> Columns:
    """The columns of some spans from their known attributes.

    ``dialect`` is each span's index in DIALECTS, or -1.
    """
    found = unpack(known, dialect)
    plain = known.starts[FIRST_UNPACKED]
    said = known.said[:plain]
    numbers = np.repeat(np.arange(len(KEYS)), np.diff(known.starts))[:plain]
    below = max((len(column) for column in known.values.values()), default=0)
    used = distinct_of(said, below)
    place, number_of = np.zeros((2, below), dtype=np.int64)
    place[used] = np.arange(len(used))
    number_of[said] = numbers
    texts, values = _values_of(known, used, number_of[used], found)
    rows, value = known.holder[:plain], place[said]
    if found.numbers:
        held_by, held = found.held()
        numbers = np.concatenate([numbers, np.array(found.numbers, dtype=np.int64)[held]])
        order = np.argsort(numbers, kind="stable")
        rows = np.concatenate([rows, held_by])[order]
        value = np.concatenate([value, len(used) + held])[order]
    counts = np.bincount(numbers, minlength=len(KEYS))
    cells = Cells(rows, value, [0, *np.cumsum(counts).tolist()])
    return Columns(dialect, texts, values, cells)


def _values_of(known: Known, used: Ints, numbers: Ints, found: Found) -> tuple[list[str], Values]:
    """The values at ``used``, which are of the attributes ``numbers``, and behind them the found.

    Before them, the distinct texts, scrubbed.
    """
    at, size = pa.array(used), len(used) + len(found.numbers)
    taken = {kind: column.take(at) for kind, column in known.values.items()}
    texts, text = _texts(taken, numbers, found, size)
    parts: dict[str, Any] = {}
    for kind in ("whole", "real", "flag"):
        parts[kind], parts[f"is_{kind}"] = _column(taken.get(kind), kind, found, size)
    parts["flag"] = np.where(parts.pop("is_flag"), parts["flag"], ABSENT)
    odd = np.zeros(size, dtype=bool)
    for kind in ("array", "pairs", "raw"):
        if kind in taken:
            odd[: len(used)] |= taken[kind].is_valid().to_numpy(zero_copy_only=False)
    number = np.concatenate([numbers, np.array(found.numbers, dtype=np.int64)])
    return texts, Values(number=number, text=text, odd=odd, **parts)


def _column(
    column: pa.Array | None, kind: str, found: Found, size: int
) -> tuple[Any, npt.NDArray[np.bool_]]:
    """The values of one kind (0 or NaN where there is none), and where they are."""
    filler: float | int = float("nan") if kind == "real" else 0
    values = np.full(size, filler, dtype=np.float64 if kind == "real" else np.int64)
    valid = np.zeros(size, dtype=bool)
    if column is not None:
        valid[: len(column)] = column.is_valid().to_numpy(zero_copy_only=False)
        values[valid] = column.drop_null().to_numpy(zero_copy_only=False)
    places, taken = found.of_kind(kind)
    if places:
        at = size - len(found.numbers) + np.array(places, dtype=np.int64)
        values[at] = taken
        valid[at] = True
    return values, valid


def _texts(
    taken: dict[str, pa.Array], numbers: Ints, found: Found, size: int
) -> tuple[list[str], Ints]:
    """The distinct texts, scrubbed, and each value's index among them."""
    index = np.full(size, ABSENT, dtype=np.int64)
    texts: list[str] = []
    if "text" in taken and len(numbers):
        # Several attributes say the same text.
        encoded = taken["text"].dictionary_encode()
        texts = scrubbed(without_wrapping(texts_of(encoded.dictionary))).to_pylist()
        index[: len(numbers)] = encoded.indices.fill_null(ABSENT).to_numpy(zero_copy_only=False)
        empty = np.array([not text for text in texts] + [False])
        index[np.flatnonzero(empty[index])] = ABSENT
    known_at: dict[str, int] = {}
    for place, value in zip(*found.of_kind("text"), strict=True):
        at = known_at.setdefault(value, len(texts))
        if at == len(texts):
            texts.append(scrub(value))
        index[len(numbers) + place] = at
    _spell_out(taken, numbers, texts, index)
    return texts, index


def _spell_out(taken: dict[str, pa.Array], numbers: Ints, texts: list[str], index: Ints) -> None:
    """Numbers and flags where a text belongs (a team called 42) become texts. They are rare."""
    due = TEXT_KEYS[numbers] & (index[: len(numbers)] == ABSENT)
    if not due.any():
        return
    for kind in ("whole", "real", "flag"):
        if kind not in taken:
            continue
        told = taken[kind].is_valid().to_numpy(zero_copy_only=False)
        for place in np.flatnonzero(due & told).tolist():
            index[place] = len(texts)
            texts.append(str(taken[kind][place].as_py()))
