"""What an emitter's counts include: the flags of the dialects' tables, for each span."""

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from functools import lru_cache

import numpy as np

from collector.dialects import DIALECTS
from collector.dialects.table import Meaning
from collector.understanding.columns import Columns
from collector.understanding.distinct import distinct
from collector.understanding.otlp import Ints
from collector.understanding.usage import Flags
from spend.calls import Route


def version_of(text: str) -> tuple[int, ...]:
    """A version's leading numbers: "0.1.14rc1" is (0, 1, 14)."""
    return tuple(int(part) for part in re.findall(r"\d{1,9}", text.split("+", 1)[0])[:3])


@lru_cache(maxsize=4096)
def _holding(column: str, scope: str, version: str, provider: str | None) -> tuple[Meaning, ...]:
    meanings: list[Meaning] = [
        meaning for dialect in DIALECTS for meaning in getattr(dialect, column)
    ]
    return tuple(
        meaning
        for meaning in meanings
        if fnmatchcase(scope, meaning.scope)
        and (meaning.providers is None or provider in meaning.providers)
        and (not meaning.before or (bool(version) and version_of(version) < meaning.before))
        and (not meaning.since or (bool(version) and version_of(version) >= meaning.since))
    )


def flags_of(
    column: str,
    columns: Columns,
    *,
    scope: Ints,
    names: Sequence[str],
    versions: Sequence[str],
    group: Ints,
    routes: Sequence[Route],
) -> Flags:
    """Where a flag (``beside_cache``, ``reasoning_apart``) of the tables holds.

    ``scope`` is each span's row in ``names`` and ``versions``, ``group`` its row in ``routes``.
    """
    firsts, alike = distinct([scope, group], len(columns))
    holds = np.zeros(len(columns), dtype=bool)
    for number, row in enumerate(firsts.tolist()):
        at = scope[row]
        for meaning in _holding(column, names[at], versions[at], routes[group[row]].provider):
            here = alike == number
            if meaning.unless:
                here &= ~columns.present(meaning.unless)
            if meaning.given:
                here &= columns.present(meaning.given)
            if meaning.streaming is not None:
                here &= columns.flag("streaming") == int(meaning.streaming)
            for key, texts in meaning.where.items():
                here &= np.isin(columns.text_of(key), columns.places_of(texts))
            holds |= here
    return holds
