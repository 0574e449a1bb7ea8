"""What an emitter's counts include: the flags of the dialects' tables, for each span."""

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from functools import lru_cache

import numpy as np

from collector.dialects import DIALECTS
from collector.dialects.table import MEANINGS, Meaning
from collector.understanding.columns import Columns
from collector.understanding.counts import Flags
from collector.understanding.distinct import distinct
from collector.understanding.otlp import Ints
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


def meanings_of(
    columns: Columns,
    *,
    scope: Ints,
    names: Sequence[str],
    versions: Sequence[str],
    group: Ints,
    routes: Sequence[Route],
) -> dict[str, Flags]:
    """Where each flag of the tables (``MEANINGS``) holds.

    ``scope`` is each span's row in ``names`` and ``versions``, ``group`` its row in ``routes``.
    """
    emitters = list(zip(names, versions, strict=True))
    place = {emitter: number for number, emitter in enumerate(dict.fromkeys(emitters))}
    # A batch can hold one scope many times, once for each resource.
    emitter = np.array([place[each] for each in emitters], dtype=np.int64)[scope]
    firsts, alike = distinct([emitter, group], len(columns))
    said = [(*emitters[scope[row]], routes[group[row]].provider) for row in firsts.tolist()]
    return {flag: _flags(flag, columns, said, alike) for flag in MEANINGS}


def _flags(
    column: str, columns: Columns, said: Sequence[tuple[str, str, str | None]], alike: Ints
) -> Flags:
    """Where a flag holds. ``said`` are scopes, versions and providers; ``alike`` whose."""
    held: dict[int, tuple[Meaning, list[int]]] = {}
    for number, each in enumerate(said):
        for meaning in _holding(column, *each):
            held.setdefault(id(meaning), (meaning, []))[1].append(number)
    holds = np.zeros(len(columns), dtype=bool)
    for meaning, numbers in held.values():
        among = np.zeros(len(said), dtype=bool)
        among[numbers] = True
        here = among[alike]
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
