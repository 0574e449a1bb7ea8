"""What each span is: a call, something around calls, or nothing to count.

The marks of all dialects, tried in order; the first that speaks of a span decides.
"""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from collector.dialects import DIALECTS
from collector.dialects.table import SPAN_NAME, Mark, Verdict
from collector.understanding.attributes import MARKS, Known
from collector.understanding.otlp import Ints, Spans

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


def matching(scopes: list[str], pattern: str) -> npt.NDArray[np.bool_]:
    """Which scopes' names match."""
    return np.array([fnmatchcase(scope, pattern) for scope in scopes], dtype=bool)


def judge(spans: Spans, scopes: list[str], known: Known) -> Marked:
    """What the marks say of each span."""
    verdict = np.zeros(len(spans), dtype=np.int8)
    dialect = np.full(len(spans), -1, dtype=np.int64)
    for number, (mark, speaker) in enumerate(MARKS):
        at = _where(spans, scopes, known, mark)
        if at is None:
            continue
        holders, values = at
        unsaid = verdict[holders] == Verdict.UNSAID
        if not unsaid.any():
            continue
        words = _words(number, values)
        speaks = unsaid & (words != Verdict.UNSAID)
        if mark.kinds is not None:
            speaks &= np.isin(spans.kind[holders], list(mark.kinds))
        if mark.scope != "*":
            speaks &= matching(scopes, mark.scope)[spans.scope[holders]]
        verdict[holders[speaks]] = words[speaks]
        dialect[holders[speaks]] = speaker
    of_scope = np.array([scope_dialect(scope) for scope in scopes], dtype=np.int64)
    if len(of_scope):
        told = of_scope[spans.scope]
        dialect = np.where(told >= 0, told, dialect)
    return Marked(verdict, dialect)


def _where(
    spans: Spans, scopes: list[str], known: Known, mark: Mark
) -> tuple[Ints, pa.Array] | None:
    """The spans that a mark can speak of, and what it looks at on each."""
    if mark.attribute != SPAN_NAME:
        rows = known.rows_of(mark.attribute)
        if not len(rows):
            return None
        return known.holder[rows], known.texts(rows)
    inside = matching(scopes, mark.scope)
    if not inside.any():
        return None
    holders = np.flatnonzero(inside[spans.scope])
    return holders, spans.name.take(pa.array(holders))


def _words(mark: int, values: Any) -> npt.NDArray[np.int8]:
    """The verdicts on values: one look-up for each distinct one."""
    encoded = values.dictionary_encode()
    told = [
        verdict_of(mark, value[:200].decode("utf-8", "replace"))
        for value in encoded.dictionary.to_pylist()
    ]
    # What is no text has index -1, which is the last place: it matches "*" only.
    told.append(verdict_of(mark, ""))
    index = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    words: npt.NDArray[np.int8] = np.array(told, dtype=np.int8)[index]
    return words
