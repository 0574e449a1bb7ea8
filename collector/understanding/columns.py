"""The known attributes of the spans that count, as columns of numbers.

Texts become indexes into one list of distinct texts, scrubbed once; so everything behind works
on integers, and on each distinct text only once.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from collector.dialects import DIALECTS
from collector.understanding.attributes import (
    ANY,
    FIRST_UNPACKED,
    KEYS,
    NUMBER,
    OWNED,
    SOURCES,
    TEXT_KEYS,
    Known,
)
from collector.understanding.clocks import nanoseconds
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


@dataclass(frozen=True, slots=True)
class Cells:
    """The values of attributes, one row each, sorted by attribute; other kinds are ABSENT."""

    row: Ints
    number: Ints
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


class Columns:
    """The columns of some spans; built by ``columns_of``."""

    def __init__(self, dialect: Ints, texts: list[str], cells: Cells) -> None:
        self.rows = len(dialect)
        self.texts = texts
        self.cells = cells
        self._dialect = dialect
        self._starts: list[int] = np.searchsorted(cells.number, np.arange(len(KEYS) + 1)).tolist()

    def __len__(self) -> int:
        """How many spans."""
        return self.rows

    def of(self, key: str) -> slice:
        """The cells of an attribute."""
        number = NUMBER[key]
        return slice(self._starts[number], self._starts[number + 1])

    def telling(self, column: str) -> Iterator[tuple[int, slice | Ints]]:
        """The attributes that tell a column: number and cells, from the worst to the best."""
        for number, whose in reversed(SOURCES[column]):
            first, end = self._starts[number], self._starts[number + 1]
            if first == end:
                continue
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
        texts = self.cells.text[at]
        told = texts != ABSENT
        rows: Ints = self.cells.row[at][told]
        found[rows] = texts[told]
        return rows

    def number(self, column: str) -> Floats:
        """A column's number on each span, NaN where there is none."""
        numbers = np.full(self.rows, np.nan)
        for _, at in self.telling(column):
            values = np.where(
                self.cells.is_whole[at],
                self.cells.whole[at].astype(np.float64),
                self.cells.real[at],
            )
            texts = self.cells.text[at]
            for index in np.unique(texts[texts != ABSENT]):
                values[texts == index] = _number(self.texts[index])
            told = np.isfinite(values)
            numbers[self.cells.row[at][told]] = values[told]
        return numbers

    def flag(self, column: str) -> Ints:
        """A column's flag on each span: 1, 0 or ABSENT."""
        flags = np.full(self.rows, ABSENT, dtype=np.int64)
        for _, at in self.telling(column):
            values = self.cells.flag[at].copy()
            texts = self.cells.text[at]
            for index in np.unique(texts[texts != ABSENT]):
                values[texts == index] = _means_yes(self.texts[index].lower())
            told = values != ABSENT
            flags[self.cells.row[at][told]] = values[told]
        return flags

    def moment(self, column: str) -> Ints:
        """A column's moment on each span: nanoseconds since 1970 (UTC), 0 where there is none."""
        told = self.text(column)
        moments: Ints = np.zeros(self.rows, dtype=np.int64)
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
    plain = int(known.starts[FIRST_UNPACKED])
    found = unpack(known, dialect)
    texts, index = _texts(known, plain, found)
    size = len(index)
    cells = {
        "row": np.concatenate([known.holder[:plain], np.array(found.rows, dtype=np.int64)]),
        "number": np.concatenate([known.number[:plain], np.array(found.numbers, dtype=np.int64)]),
        "text": index,
    }
    for kind in ("whole", "real", "flag"):
        cells[kind], cells[f"is_{kind}"] = _column(known, plain, kind, found, size)
    cells["flag"] = np.where(cells.pop("is_flag"), cells["flag"], ABSENT)
    odd = np.zeros(size, dtype=bool)
    for kind in ("array", "pairs", "raw"):
        if kind in known.values:
            valid = known.values[kind].slice(0, plain).is_valid()
            odd[:plain] |= valid.to_numpy(zero_copy_only=False)
    cells["odd"] = odd
    if found.rows:
        order = np.argsort(cells["number"], kind="stable")
        cells = {name: column[order] for name, column in cells.items()}
    return Columns(dialect, texts, Cells(**cells))


def _column(
    known: Known, plain: int, kind: str, found: Found, size: int
) -> tuple[Any, npt.NDArray[np.bool_]]:
    """The values of one kind (0 or NaN where there is none), and where they are."""
    filler: float | int = float("nan") if kind == "real" else 0
    values = np.full(size, filler, dtype=np.float64 if kind == "real" else np.int64)
    valid = np.zeros(size, dtype=bool)
    if kind in known.values:
        column = known.values[kind].slice(0, plain)
        valid[:plain] = column.is_valid().to_numpy(zero_copy_only=False)
        dense = column.drop_null().to_numpy(zero_copy_only=False)
        values[:plain][valid[:plain]] = dense
    places, taken = found.of_kind(kind)
    if places:
        at = plain + np.array(places, dtype=np.int64)
        values[at] = taken
        valid[at] = True
    return values, valid


def _texts(known: Known, plain: int, found: Found) -> tuple[list[str], Ints]:
    """The distinct texts, scrubbed, and each cell's index among them."""
    index = np.full(plain + len(found.rows), ABSENT, dtype=np.int64)
    texts: list[str] = []
    if "text" in known.values and plain:
        encoded = known.values["text"].slice(0, plain).dictionary_encode()
        texts = scrubbed(without_wrapping(texts_of(encoded.dictionary))).to_pylist()
        index[:plain] = encoded.indices.fill_null(ABSENT).to_numpy(zero_copy_only=False)
        empty = np.array([not text for text in texts] + [False])
        index[np.flatnonzero(empty[index])] = ABSENT
    known_at: dict[str, int] = {}
    for place, value in zip(*found.of_kind("text"), strict=True):
        at = known_at.setdefault(value, len(texts))
        if at == len(texts):
            texts.append(scrub(value))
        index[plain + place] = at
    _spell_out(known, plain, texts, index)
    return texts, index


def _spell_out(known: Known, plain: int, texts: list[str], index: Ints) -> None:
    """Numbers and flags where a text belongs (a team called 42) become texts. They are rare."""
    due = TEXT_KEYS[known.number[:plain]] & (index[:plain] == ABSENT)
    if not due.any():
        return
    for kind in ("whole", "real", "flag"):
        if kind not in known.values:
            continue
        column = known.values[kind].slice(0, plain)
        for place in np.flatnonzero(due & column.is_valid().to_numpy(zero_copy_only=False)):
            index[place] = len(texts)
            texts.append(str(column[int(place)].as_py()))
