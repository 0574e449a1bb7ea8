"""Which span a sighting is, and where it hangs; for log records, ids of their own.

A record has the ids of the span that it was written in. Its own span id is a fingerprint of all
that it says, so that a record that is sent twice is the same, and two that differ are two. Where
it was written in no span, what was done for one prompt makes a trace.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from collector.understanding import fingerprints
from collector.understanding.columns import ABSENT, Columns
from collector.understanding.counts import Flags
from collector.understanding.fingerprints import Words, mixed
from collector.understanding.otlp import Ints, Spans
from collector.understanding.parents import fixed_bytes, nearest, signed

_FIRST: Final = np.uint64(0x5851F42D4C957F2D)
_SECOND: Final = np.uint64(0x14057B7EF767814F)


@dataclass(frozen=True, slots=True)
class Ids:
    """The ids of all spans, as big-endian words; 0 for none."""

    trace: npt.NDArray[np.uint64]
    """Two words a span."""
    span: Words
    parent: Words
    good_trace: Flags
    good_span: Flags


def ids_of(spans: Spans) -> Ids:
    """As the spans have them."""
    trace, good_trace = fixed_bytes(spans.trace_id, 16)
    span, good_span = fixed_bytes(spans.span_id, 8)
    parent, _ = fixed_bytes(spans.parent_span_id, 8)
    return Ids(trace, span[:, 0], parent[:, 0], good_trace, good_span)


def record_ids(records: Spans, rows: Ints, columns: Columns) -> Ids:
    """Those of the log records at ``rows``, whose attributes are ``columns``; of others none."""
    ids = ids_of(records)
    everything = np.arange(records.resources)
    resource = fingerprints.of_attributes(
        records.resource_attributes, records.resources, everything
    )[records.resource[rows]]
    scope = fingerprints.of_texts(records.scope_name) + mixed(
        fingerprints.of_texts(records.scope_version)
    )
    own = fingerprints.of_attributes(records.attributes, len(records), rows)
    for part in (
        resource,
        scope[records.scope[rows]],
        fingerprints.of_texts(records.name.take(pa.array(rows))),
        records.start[rows],
        ids.trace[rows, 0],
        ids.trace[rows, 1],
        ids.parent[rows],
    ):
        own = mixed(own ^ part) + _FIRST
    own = np.where(own == 0, _FIRST, own)
    trace, span = ids.trace.copy(), ids.span.copy()
    span[rows] = own
    none = ~ids.good_trace[rows]
    trace[rows[none]] = _traces(resource, own, columns)[none]
    parent = np.where(ids.good_trace, ids.parent, np.uint64(0))
    good = np.ones(len(span), dtype=bool)
    return Ids(trace, span, parent, good, good)


def _traces(resource: Words, own: Words, columns: Columns) -> npt.NDArray[np.uint64]:
    """A trace for each prompt of a session; where none is told, for each record."""
    session, prompt = columns.text("session"), columns.text("prompt")
    texts = [text.encode("utf-8", "surrogatepass") for text in columns.texts]
    words = np.append(fingerprints.of_texts(pa.array(texts, pa.binary())), np.uint64(0))
    told = prompt != ABSENT
    asked = mixed(mixed(resource ^ words[session]) + words[prompt])
    seed = np.where(told, asked, own)
    return np.stack([mixed(seed ^ _FIRST), mixed(seed ^ _SECOND)], axis=1)


def trace_ids(words: npt.NDArray[np.uint64]) -> pa.Array:
    """Two words a trace, as 16 bytes."""
    raw = pa.py_buffer(words.astype(">u8").tobytes())
    return pa.Array.from_buffers(pa.binary(16), len(words), [None, raw])


def parents_of(ids: Ids, request: Ints, chosen: Flags, rows: Ints) -> pa.Array:
    """The nearest ancestor in its request that is ``chosen``, else the parent that a span names.

    What came in another request is no matter, as chance decides which are understood together.
    """
    traces = np.column_stack([ids.trace, request.astype(np.uint64)])
    ancestor = nearest(traces, ids.span, ids.parent, chosen)[rows]
    own = ids.parent[rows]
    parent = np.where(ancestor >= 0, ids.span[np.maximum(ancestor, 0)], own)
    return pa.array(signed(parent), mask=own == 0)
