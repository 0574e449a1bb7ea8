"""Numbers that stand for what attributes say: the same for the same, whoever computes them.

They make an id for what has none, so that what is sent twice is known again. Attributes have no
order, so theirs does not count. 64 bits; no secret is kept by them.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from collector.understanding.otlp import Attributes, Ints

Words = npt.NDArray[np.uint64]

_READ: Final = 256
"""Bytes of a value that count, beside its length: a prompt is long, and time tells more."""
_STEP: Final = np.uint64(0x9E3779B97F4A7C15)
_MIX_A: Final = np.uint64(0xBF58476D1CE4E5B9)
_MIX_B: Final = np.uint64(0x94D049BB133111EB)
_SHIFTS: Final = (np.uint64(30), np.uint64(27), np.uint64(31))
_KINDS: Final = ("text", "flag", "whole", "real", "array", "pairs", "raw")


def mixed(words: Words) -> Words:
    """Each word, with all of its bits changed by each of its bits (splitmix64)."""
    words = words + _STEP
    words = (words ^ (words >> _SHIFTS[0])) * _MIX_A
    words = (words ^ (words >> _SHIFTS[1])) * _MIX_B
    return words ^ (words >> _SHIFTS[2])


_WEIGHTS: Final = mixed(np.arange(1, _READ + 1, dtype=np.uint64)) | np.uint64(1)


def of_texts(texts: pa.BinaryArray) -> Words:
    """One for each text; null counts as empty."""
    if not len(texts):
        return np.zeros(0, dtype=np.uint64)
    # Most say the same again and again.
    encoded = texts.fill_null(b"").dictionary_encode()
    words: Words = _of_distinct(encoded.dictionary)[encoded.indices.to_numpy()]
    return words


def _of_distinct(texts: pa.BinaryArray) -> Words:
    count = len(texts)
    offsets = np.frombuffer(texts.buffers()[1], dtype=np.int32)[texts.offset :][: count + 1]
    length = np.diff(offsets).astype(np.int64)
    read = np.minimum(length, _READ)
    sums = np.zeros(count, dtype=np.uint64)
    if read.any():
        data = np.frombuffer(texts.buffers()[2], dtype=np.uint8)
        ends = np.cumsum(read)
        within = np.arange(ends[-1]) - np.repeat(ends - read, read)
        letters = data[np.repeat(offsets[:-1].astype(np.int64), read) + within].astype(np.uint64)
        terms = (letters + np.uint64(1)) * _WEIGHTS[within]
        filled = np.flatnonzero(read)
        sums[filled] = np.add.reduceat(terms, (ends - read)[filled])
    return mixed(sums ^ mixed(length.astype(np.uint64)))


def of_attributes(attributes: Attributes, holders: int, wanted: Ints) -> Words:
    """One for each of the holders ``wanted`` (in no order), of all its attributes."""
    chosen = np.zeros(holders, dtype=bool)
    chosen[wanted] = True
    at = np.flatnonzero(chosen[attributes.holder])
    distinct, said = np.unique(attributes.said[at], return_inverse=True)
    rows = pa.array(distinct)
    values = np.zeros(len(distinct), dtype=np.uint64)
    for number, kind in enumerate(_KINDS, 1):
        if kind in attributes.values:
            _put(values, kind, attributes.values[kind].take(rows), np.uint64(number))
    pairs = mixed(of_texts(attributes.key.take(rows)) * _STEP ^ values)
    sums = np.zeros(holders, dtype=np.uint64)
    np.add.at(sums, attributes.holder[at], pairs[said])
    return mixed(sums[wanted])


def _put(values: Words, kind: str, column: pa.Array, number: np.uint64) -> None:
    told = column.is_valid().to_numpy(zero_copy_only=False)
    if not told.any():
        return
    there = column.drop_null()
    if kind in ("whole", "real"):
        words = there.to_numpy().view(np.uint64)
    elif kind == "flag":
        words = there.to_numpy(zero_copy_only=False).astype(np.uint64)
    else:
        words = of_texts(there)
    values[told] = mixed(words + number)
