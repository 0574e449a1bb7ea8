"""What the names of a span and its scope tell, where no attribute names a model.

Few spans are so silent, and each name is read once.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import pyarrow as pa

from collector.dialects import DIALECTS
from collector.understanding.attributes import dialects_that
from collector.understanding.columns import ABSENT
from collector.understanding.otlp import Ints, Spans
from collector.understanding.scrub import readable

_PATTERNS: Final = {
    number: tuple(re.compile(pattern) for pattern in dialect.names)
    for number, dialect in enumerate(DIALECTS)
    if dialect.names
}
_TELLS: Final = dialects_that(lambda dialect: dialect.names)
_READ: Final = 200
"""Bytes of a name that are looked at."""


@lru_cache(maxsize=4096)
def _told(dialect: int, name: bytes, scope: str) -> dict[str, str]:
    if scope.startswith(DIALECTS[dialect].scopes_end_in_provider or "\n"):
        return {"provider": scope.rsplit(".", 1)[-1], **_told(dialect, name, "")}
    text = readable(name[:_READ])
    for pattern in _PATTERNS[dialect]:
        found = pattern.fullmatch(text)
        if found:
            return {column: value for column, value in found.groupdict().items() if value}
    return {}


def names_tell(
    spans: Spans, scopes: Sequence[str], rows: Ints, dialect: Ints, nameless: Ints
) -> dict[int, dict[str, str]]:
    """Place in ``rows`` -> column -> text, for those of the places ``nameless`` whose name tells.

    ``scopes`` are the names of the spans' scopes, ``rows`` the places of some of the spans,
    ``dialect`` each one's index in DIALECTS or -1.
    """
    speaking = nameless[_TELLS[dialect[nameless]]]
    if not len(speaking):
        return {}
    texts = spans.name.take(pa.array(rows[speaking])).to_pylist()
    found = {
        place: _told(int(dialect[place]), name or b"", scopes[int(spans.scope[rows[place]])])
        for place, name in zip(speaking.tolist(), texts, strict=True)
    }
    return {place: told for place, told in found.items() if told}


def fill_in(told: dict[int, dict[str, str]], column: str, index: Ints, texts: list[str]) -> None:
    """Puts what names tell of a column where ``index`` (of ``texts``) is ABSENT."""
    for place, found in told.items():
        if column in found and index[place] == ABSENT:
            index[place] = len(texts)
            texts.append(found[column])
