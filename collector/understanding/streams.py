"""Calls that two spans tell of: the request's, and one written when its stream had been read.

The second has no length of its own, but says how long it took to read the stream. It is moved
back to when that began, so that it lies behind the first one; what the two have in common lets
them be joined (``spend/twins/twins.py``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import pyarrow as pa

from collector.understanding.attributes import dialects_that
from collector.understanding.columns import Columns
from collector.understanding.counts import Flags
from collector.understanding.distinct import distinct
from collector.understanding.otlp import Ints, Spans
from collector.understanding.routes import Routed
from spend.calls import Owner
from spend.twins.kin import stream_kin

_LONGEST: Final = 31 * 86_400.0
_NANOS: Final = 1e9
_TOLD_TWICE: Final = dialects_that(lambda dialect: "after_stream" in dialect.own)


def read_streams(columns: Columns) -> Flags:
    """Which spans were written when a stream had been read, and say how long it took."""
    lasted = columns.number("duration_s")
    sane = np.isfinite(lasted) & (lasted >= 0) & (lasted <= _LONGEST)
    read: Flags = (columns.flag("after_stream") == 1) & sane
    return read


def from_their_beginning(spans: Spans, rows: Ints, columns: Columns, read: Flags) -> Spans:
    """The spans, with those of ``read`` from when their stream began; ``rows`` are the columns'."""
    if not read.any():
        return spans
    start = spans.start.copy()
    lasted = (columns.number("duration_s")[read] * _NANOS).astype(np.uint64)
    start[rows[read]] -= np.minimum(lasted, start[rows[read]])
    return replace(spans, start=start)


def kin_of(
    read: Flags,
    silent: Flags,
    *,
    dialect: Ints,
    scope: Ints,
    scopes: Sequence[str],
    routed: Routed,
    owner_id: Ints,
    owners: Mapping[int, Owner],
) -> pa.Int64Array:
    """What both spans of a stream have in common, null where nobody tells of it twice.

    ``silent`` are calls that went well and told no usage.
    """
    either = np.flatnonzero((read | silent) & _TOLD_TWICE[dialect])
    if not len(either):
        return pa.nulls(len(read), pa.int64())
    kin = np.zeros(len(read), dtype=np.int64)
    firsts, alike = distinct([owner_id[either], scope[either], routed.group[either]], len(either))
    ids = []
    for row in either[firsts].tolist():
        service = owners[int(owner_id[row])].service
        route = routed.listed[routed.group[row]]
        ids.append(stream_kin(service, scopes[scope[row]], route.request_model or route.model))
    kin[either] = np.array(ids, dtype=np.int64)[alike]
    return pa.array(kin, mask=kin == 0)
