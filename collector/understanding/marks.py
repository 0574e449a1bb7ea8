"""What each span is: a call, something around calls, or nothing to count.

The marks of all dialects, tried in order; the first that speaks of a span decides.
"""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from collector.dialects import DIALECTS
from collector.dialects.table import SPAN_NAME, Verdict
from collector.understanding.attributes import MARKS
from collector.understanding.known import Known, distinct_of
from collector.understanding.otlp import Ints, Spans

# An enumeration's member is looked up anew each time.
_UNSAID: Final = int(Verdict.UNSAID)
_BY_SCOPE: Final = tuple(
    (pattern, number)
    for number, dialect in reversed(list(enumerate(DIALECTS)))
    for pattern in dialect.scopes
)


@dataclass(frozen=True, slots=True)
class Marked:
    """One row a span."""

    verdict: npt.NDArray[np.int8]
    dialect: Ints
    """Index in DIALECTS: that of the scope, else that of the mark which spoke; -1 for none."""


@lru_cache(maxsize=4096)
def scope_dialect(scope: str) -> int:
    """The dialect that a scope's name tells; -1 if none."""
    return next((number for pattern, number in _BY_SCOPE if fnmatchcase(scope, pattern)), -1)


@lru_cache(maxsize=65536)
def verdict_of(mark: int, value: str) -> int:
    """What the mark with that place in MARKS says of a value."""
    says = MARKS[mark][0].says
    value = value.lower()
    return next(
        (int(says[pattern]) for pattern in says if fnmatchcase(value, pattern.lower())),
        int(Verdict.UNSAID),
    )


@lru_cache(maxsize=4096)
def _marks_within(scope: str) -> frozenset[int]:
    """The marks that can speak of a scope's spans: their places in MARKS."""
    return frozenset(
        number for number, (mark, _) in enumerate(MARKS) if fnmatchcase(scope, mark.scope)
    )


def matching(scopes: list[str], pattern: str) -> npt.NDArray[np.bool_]:
    """Which scopes' names match."""
    return np.array([fnmatchcase(scope, pattern) for scope in scopes], dtype=bool)


def judge(spans: Spans, scopes: list[str], known: Known) -> Marked:
    """What the marks say of each span."""
    verdict = np.zeros(len(spans), dtype=np.int8)
    dialect = np.full(len(spans), -1, dtype=np.int64)
    within = [_marks_within(scope) for scope in scopes]
    for number in sorted(frozenset[int]().union(*within)):
        mark, speaker = MARKS[number]
        rows = None if mark.attribute == SPAN_NAME else known.rows_of(mark.attribute)
        if rows is not None and rows.start == rows.stop:
            continue
        unsaid = verdict == _UNSAID
        if mark.kinds is not None:
            unsaid &= _among(spans.kind, mark.kinds)
        if mark.scope != "*":
            unsaid &= np.array([number in marks for marks in within], dtype=bool)[spans.scope]
        if rows is None:
            holders = np.flatnonzero(unsaid)
            words = _words_of_names(number, spans.name.take(pa.array(holders)))
        else:
            holders = known.holder[rows]
            here = unsaid[holders]
            holders = holders[here]
            words = _words(number, known.values.get("text"), known.said[rows][here])
        speaks = words != _UNSAID
        verdict[holders[speaks]] = words[speaks]
        dialect[holders[speaks]] = speaker
    of_scope = np.array([scope_dialect(scope) for scope in scopes], dtype=np.int64)
    if len(of_scope):
        told = of_scope[spans.scope]
        dialect = np.where(told >= 0, told, dialect)
    return Marked(verdict, dialect)


def _among(kind: Ints, kinds: frozenset[int]) -> npt.NDArray[np.bool_]:
    found = np.zeros(len(kind), dtype=bool)
    for each in kinds:
        found |= kind == each
    return found


def _words_of_names(mark: int, names: pa.BinaryArray) -> npt.NDArray[np.int8]:
    """The verdicts on names: one look-up for each distinct one."""
    encoded = names.dictionary_encode()
    told = [_word(mark, name) for name in encoded.dictionary.to_pylist()]
    words: npt.NDArray[np.int8] = np.array(told, dtype=np.int8)[encoded.indices.to_numpy()]
    return words


def _words(mark: int, texts: pa.BinaryArray | None, said: Ints) -> npt.NDArray[np.int8]:
    """The verdicts on the values at ``said``, which are texts or something else."""
    says = MARKS[mark][0].says
    if texts is None or set(says) == {"*"}:
        return np.full(len(said), verdict_of(mark, ""), dtype=np.int8)
    distinct = distinct_of(said, len(texts))
    words = np.zeros(len(texts), dtype=np.int8)
    words[distinct] = [_word(mark, text) for text in texts.take(pa.array(distinct)).to_pylist()]
    return words[said]


def _word(mark: int, text: bytes | None) -> int:
    # What is no text matches "*" only.
    return verdict_of(mark, (text or b"")[:200].decode("utf-8", "replace"))
