"""For each sighting the nearest ancestor in its request that is a sighting too."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from collector.understanding.otlp import Ints

_MIX_A = np.uint64(0x9E3779B97F4A7C15)
_MIX_B = np.uint64(0xC2B2AE3D27D4EB4F)
_SHIFT = np.uint64(29)


def fixed_bytes(
    raw: pa.BinaryArray, size: int
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.bool_]]:
    """Ids of ``size`` bytes as big-endian words, and which are sound: so long, and not all zero."""
    count, words = len(raw), size // 8
    offsets = np.frombuffer(raw.buffers()[1], dtype=np.int32)[raw.offset : raw.offset + count + 1]
    sized = np.diff(offsets) == size
    out = np.zeros((count, words), dtype=np.uint64)
    content = raw.buffers()[2]
    if content is not None and sized.any():
        data = np.frombuffer(content, dtype=np.uint8)
        if sized.all():
            chosen = data[offsets[0] : offsets[-1]].reshape(count, size)
        else:
            chosen = data[offsets[:-1][sized][:, None] + np.arange(size)]
        out[sized] = np.ascontiguousarray(chosen).view(">u8").astype(np.uint64)
    return out, sized & (out != 0).any(axis=1)


def signed(words: npt.NDArray[np.uint64]) -> Ints:
    """Span ids as Postgres keeps them: the same 64 bits, signed."""
    return words.view(np.int64)


def nearest(
    trace: npt.NDArray[np.uint64],
    span: npt.NDArray[np.uint64],
    parent: npt.NDArray[np.uint64],
    chosen: npt.NDArray[np.bool_],
) -> Ints:
    """Row of the nearest chosen ancestor of each span, -1 if there is none.

    ``trace`` has some words a row, and what is equal in all of them is one trace; ``span`` and
    ``parent`` have one (0 for none). Follows all chains at once, doubling its steps; a circle of
    parents leads nowhere.
    """
    count = len(span)
    if not (parent[chosen] != 0).any():
        return np.full(count, -1, dtype=np.int64)
    above = _rows_of_parents(trace, span, parent)
    # Row `count` is where chains end. A chosen row leads to itself.
    leads = np.where(chosen, np.arange(count), np.where(above >= 0, above, count))
    leads = np.append(leads, count)
    for _ in range(max(count.bit_length(), 1)):
        further = leads[leads]
        if np.array_equal(further, leads):
            break
        leads = further
    found = leads[np.where(above >= 0, above, count)]
    ends = np.append(chosen, False)
    return np.where(ends[found], found, -1)


def _rows_of_parents(
    trace: npt.NDArray[np.uint64], span: npt.NDArray[np.uint64], parent: npt.NDArray[np.uint64]
) -> Ints:
    mixed = np.zeros(len(span), dtype=np.uint64)
    for words in trace.T:
        mixed = _mix(mixed ^ words)
    own = _mix(mixed ^ span)
    order = np.argsort(own, kind="stable")
    place = np.searchsorted(own, _mix(mixed ^ parent), sorter=order)
    rows = order[np.minimum(place, len(order) - 1)]
    # Equal hashes are no proof.
    same = (parent != 0) & (span[rows] == parent) & (trace[rows] == trace).all(axis=1)
    return np.where(same & (rows != np.arange(len(span))), rows, -1)


def _mix(words: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    words = words * _MIX_A
    return (words ^ (words >> _SHIFT)) * _MIX_B
