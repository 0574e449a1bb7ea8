"""From OTLP bytes to sightings: what each span or log record says of a call to a model.

The path of a batch, each step on columns and never on spans one by one:

    read_spans -> find_known -> judge -> columns_of -> routes, meanings, usage, endings, owners

A log record that tells of a call goes the same way, as a span of its own (``otlp_logs.py``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import repeat
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import structlog

from collector.dialects.table import Verdict
from collector.signals import Signal
from collector.understanding.columns import Columns, columns_of
from collector.understanding.content import Keeping, with_contents
from collector.understanding.counts import Flags
from collector.understanding.details import Details, describe
from collector.understanding.endings import Endings, endings_of
from collector.understanding.events import judge_events
from collector.understanding.gateway_cache import Saved, not_charged
from collector.understanding.identity import Ids, ids_of, parents_of, record_ids, trace_ids
from collector.understanding.kin import agents_kin
from collector.understanding.known import find_known
from collector.understanding.marks import Marked, judge
from collector.understanding.meanings import meanings_of
from collector.understanding.moments import (
    SERVING,
    START_FAULTS,
    Starts,
    check_starts,
    durations,
    first_tokens,
    since_begun,
)
from collector.understanding.otlp import Ints, Spans, read_spans
from collector.understanding.otlp_logs import read_records
from collector.understanding.owners import owners_of, resource_claims
from collector.understanding.parents import signed
from collector.understanding.parts import Told, parts_of
from collector.understanding.response_ids import response_ids
from collector.understanding.routes import Routed, emitters_of, routes_of
from collector.understanding.scrub import readable
from collector.understanding.streams import from_their_beginning, kin_of, read_streams
from collector.understanding.usage import Usage, read_usage
from spend import canary
from spend.calls import Outcome, Role, Standing
from store.intake.intake import Heard
from store.sightings import SIGHTINGS, no_sightings

log = structlog.get_logger(__name__)

Value = TypeVar("Value")

_SERVER: Final = 2
"""OTLP's span kind of the side that was called."""
_MICROS_A_DAY: Final = 86_400 * 10**6


@dataclass(frozen=True, slots=True)
class _Seen:
    """The requests' spans with what is known before any of them is looked into."""

    spans: Spans
    scopes: list[str]
    versions: list[str]
    marked: Marked
    ids: Ids
    starts: Starts
    read: Flags
    """Of the spans that may be sightings, those that end a stream."""
    as_log: Flags
    """Of those, the ones that are log records, or stand for one."""


def understand(
    requests: Sequence[bytes],
    *,
    tenant: int,
    received_at: datetime,
    key_team: str | None = None,
    signal: Signal = Signal.TRACES,
    keeping: Keeping | None = None,
) -> Heard:
    """What some serialised requests of traces or logs hold: sightings, and what is none.

    ``key_team`` is the team of the key they came with, where it has one; ``keeping`` says what of
    their content is kept, where any is. Nothing in a span or a log record makes this raise: one
    that cannot be kept is counted under ``refused``.

    Raises ``collector.errors.Malformed`` where some bytes are no such request.
    """
    logs = signal is Signal.LOGS
    spans = read_records(requests) if logs else read_spans(requests)
    heard, sighted = _heard(spans, tenant, received_at, key_team, logs=logs)
    if keeping is None:
        return heard
    try:
        return with_contents(heard, requests, spans, sighted, keeping, key_team=key_team, logs=logs)
    except Exception as error:  # noqa: BLE001 - no call is lost for what was said in it
        # Not its text, which may be what was said.
        log.warning("content could not be read", error=type(error).__name__)
        return heard


def _heard(
    spans: Spans, tenant: int, received_at: datetime, key_team: str | None, *, logs: bool
) -> tuple[Heard, Ints]:
    """What was heard, and which of the spans each sighting is."""
    if not len(spans):
        return _nothing(spans)
    scopes = [readable(name or b"") for name in spans.scope_name.to_pylist()]
    versions = [readable(version or b"") for version in spans.scope_version.to_pylist()]
    known = find_known(spans.attributes)
    if logs:
        spans, marked = judge_events(spans, scopes, known)
    else:
        marked = judge(spans, scopes, known)
    candidates = np.flatnonzero((marked.verdict == Verdict.CALL) | _around(marked.verdict))
    if not len(candidates):
        return _nothing(spans)
    row_of_span = np.full(len(spans), -1, dtype=np.int64)
    row_of_span[candidates] = np.arange(len(candidates))
    columns = columns_of(known.only(row_of_span), marked.dialect[candidates])
    ids = record_ids(spans, candidates, columns) if logs else ids_of(spans)
    read = read_streams(columns)
    spans = (
        since_begun(spans, candidates, columns)
        if logs
        else from_their_beginning(spans, candidates, columns, read)
    )
    starts = check_starts(spans.start, received_at)
    seen = _Seen(spans, scopes, versions, marked, ids, starts, read, read | logs)
    return _sightings(seen, candidates, columns, tenant, key_team)


def _around(verdict: npt.NDArray[np.int8]) -> Flags:
    """Which are around calls, and none themselves."""
    around: Flags = (verdict == Verdict.AGGREGATE) | (verdict == Verdict.NAMING)
    return around


def _nothing(spans: Spans) -> tuple[Heard, Ints]:
    none = np.zeros(0, dtype=np.int64)
    return Heard(parts_of(spans, none), no_sightings(), none, {}, {}, {}), none


def _faults(seen: _Seen, rows: Ints) -> tuple[Flags, Told]:
    """Which of some spans cannot be kept, and why."""
    ids, starts = seen.ids, seen.starts.fault[rows]
    told: list[tuple[int, str]] = []
    bad = np.zeros(len(rows), dtype=bool)
    no_trace = ~ids.good_trace[rows]
    faults = [
        (canary.REFUSED, _of_canary(seen.spans, rows, no_trace)),
        ("trace_id: not 16 bytes, or all zero", no_trace),
        ("span_id: not 8 bytes, or all zero", ~ids.good_span[rows]),
        *((fault, starts == number) for number, fault in enumerate(START_FAULTS) if fault),
    ]
    for why, here in faults:
        told += zip(seen.spans.request[rows[here & ~bad]].tolist(), repeat(why))
        bad |= here
    return bad, told


def _of_canary(spans: Spans, rows: Ints, no_trace: Flags) -> Flags:
    """Which are sent to be refused."""
    if not no_trace.any():
        return no_trace
    traces = spans.trace_id.take(pa.array(rows))
    same: Flags = (
        pc.equal(traces, pa.scalar(canary.NO_TRACE, traces.type))
        .fill_null(False)
        .to_numpy(zero_copy_only=False)
    )
    return same


@dataclass(frozen=True, slots=True)
class _Said:
    """What the spans at ``rows`` say of calls."""

    rows: Ints
    columns: Columns
    scope: Ints
    dialect: Ints
    routed: Routed
    endings: Endings
    usage: Usage
    saved: Saved
    wraps: Flags
    """Aggregates."""


def _said(seen: _Seen, rows: Ints, columns: Columns) -> _Said:
    scope, dialect = seen.spans.scope[rows], seen.marked.dialect[rows]
    routed = routes_of(columns, dialect, seen.spans, seen.scopes, rows)
    endings = endings_of(seen.spans, rows, columns, dialect)
    means = meanings_of(
        columns,
        scope=scope,
        names=seen.scopes,
        versions=seen.versions,
        group=routed.group,
        routes=routed.listed,
    )
    told = read_usage(columns, failed=endings.failed, **means)
    usage, saved = not_charged(told, columns.flag("cache_hit") == 1)
    wraps = _around(seen.marked.verdict[rows])
    return _Said(rows, columns, scope, dialect, routed, endings, usage, saved, wraps)


def _sightings(
    seen: _Seen, rows: Ints, columns: Columns, tenant: int, key_team: str | None
) -> tuple[Heard, Ints]:
    """``Heard`` from the spans at ``rows``, whose attributes are ``columns``, and those kept."""
    spans, said = seen.spans, _said(seen, rows, columns)
    counts = ~said.wraps | said.usage.any | (seen.marked.verdict[rows] == Verdict.NAMING)
    bad, refused = _faults(seen, rows[counts])
    kept = np.flatnonzero(counts)[~bad]
    owner_id, owners = owners_of(columns, *_resources(spans, rows), key_team)
    emitter_id, emitters = emitters_of(
        columns,
        said.scope,
        said.dialect,
        names=seen.scopes,
        versions=seen.versions,
        as_log=seen.as_log,
    )
    silent = (said.endings.outcome == Outcome.OK) & ~said.usage.any & ~said.wraps
    written = {
        "tenant_id": np.full(len(rows), tenant, dtype=np.int32),
        "owner_id": owner_id,
        "emitter_id": emitter_id,
        **_identity(seen, rows, rows[kept]),
        **_facts(seen, said),
        "kin_id": pc.coalesce(
            agents_kin(columns, said.dialect, owner_id, owners),
            kin_of(
                seen.read,
                silent,
                dialect=said.dialect,
                scope=said.scope,
                scopes=seen.scopes,
                routed=said.routed,
                owner_id=owner_id,
                owners=owners,
            ),
        ),
    }
    heard = Heard(
        parts=parts_of(
            spans,
            rows[kept],
            refused=refused,
            usage_refused=_refused_usage(seen, said, kept),
            usage_conflicts=_contradictions(seen, said, kept),
        ),
        sightings=_batch(written, kept),
        part_of=spans.request[rows[kept]],
        owners=_used(owners, owner_id[kept]),
        routes=_used(said.routed.routes, said.routed.ids[kept]),
        emitters=_used(emitters, emitter_id[kept]),
    )
    return heard, rows[kept]


def _refused_usage(seen: _Seen, said: _Said, kept: Ints) -> Told:
    """Why counts of spans that are kept are not."""
    refused = said.usage.refused
    return [
        (int(seen.spans.request[said.rows[row]]), reason)
        for row in refused.keys() & set(kept.tolist() if refused else ())
        for reason in refused[row]
    ]


def _contradictions(seen: _Seen, said: _Said, kept: Ints) -> Told:
    """Emitter and version of spans whose counts contradict what its table holds."""
    rows = kept[said.usage.conflict[kept]]
    scopes = [
        f"{seen.scopes[scope]} {seen.versions[scope]}".strip()
        for scope in said.scope[rows].tolist()
    ]
    return zip(seen.spans.request[said.rows[rows]].tolist(), scopes, strict=True)


def _identity(seen: _Seen, rows: Ints, kept: Ints) -> dict[str, Any]:
    """The columns that say which span a sighting is, and where it hangs among those kept."""
    start = (seen.spans.start[rows] // np.uint64(1000)).astype(np.int64)
    chosen = np.zeros(len(seen.spans), dtype=bool)
    chosen[kept] = True
    return {
        "trace_id": trace_ids(seen.ids.trace[rows]),
        "span_id": signed(seen.ids.span[rows]),
        "parent_span_id": parents_of(seen.ids, seen.spans.request, chosen, rows),
        "day": pa.array((start // _MICROS_A_DAY).astype(np.int32)).cast(pa.date32()),
        "start_at": pa.array(start).cast(pa.timestamp("us", tz="UTC")),
    }


def _facts(seen: _Seen, said: _Said) -> dict[str, Any]:
    """The columns that say what the sighting saw."""
    spans, rows, routed = seen.spans, said.rows, said.routed
    details = Details(len(rows))
    said.endings.describe(said.columns, details)
    waits, streamed = first_tokens(spans, rows, said.columns, said.dialect)
    describe(said.columns, details, streamed)
    said.saved.describe(details)
    details.few("usage_refused", said.usage.refused)
    details.flag("usage_conflict", said.usage.conflict)
    details.flag("clock_ahead", seen.starts.clock_ahead[rows])
    standing = np.where(said.wraps, Standing.HELD, Standing.COUNTS)
    return {
        "duration_us": _known(durations(spans.start[rows], spans.end[rows])),
        "ttft_us": _known(waits),
        "route_id": routed.ids,
        "outcome": said.endings.outcome,
        **_meters(said.usage),
        "details": details.written(),
        "role": _roles(spans.kind[rows], said.dialect, said.wraps),
        "standing": standing.astype(np.int16),
        "response_id": response_ids(said.columns, routed.group, routed.listed),
    }


def _batch(written: Mapping[str, Any], kept: Ints) -> pa.RecordBatch:
    arrays = [
        column if isinstance(column, pa.Array) else pa.array(column)
        for column in (written[field.name] for field in SIGHTINGS)
    ]
    batch = pa.RecordBatch.from_arrays(arrays, schema=SIGHTINGS)
    return batch if len(kept) == batch.num_rows else batch.take(pa.array(kept))


def _used(values: Mapping[int, Value], ids: Ints) -> dict[int, Value]:
    return {its_id: values[its_id] for its_id in np.unique(ids).tolist()}


def _resources(spans: Spans, rows: Ints) -> tuple[Ints, list[tuple[tuple[str, str], ...]]]:
    return spans.resource[rows], resource_claims(spans.resource_attributes, spans.resources)


def _known(numbers: Ints) -> pa.Array:
    """Numbers of which -1 is unknown."""
    return pa.array(numbers, mask=numbers < 0)


def _roles(kind: Ints, dialect: Ints, wraps: Flags) -> npt.NDArray[np.int16]:
    served = (kind == _SERVER) | SERVING[dialect]
    of_calls = np.where(served, Role.SERVER, Role.CALL)
    return np.where(wraps, Role.AGGREGATE, of_calls).astype(np.int16)


def _meters(usage: Usage) -> dict[str, pa.Array]:
    """The meters' columns; a call of which one count was refused keeps none."""
    refused = np.zeros(len(usage.conflict), dtype=bool)
    refused[list(usage.refused)] = True
    # Most meters are told by no span.
    nowhere = pa.nulls(len(refused), pa.int64())
    return {
        name: pa.array(counts.value, mask=~counts.told | refused) if counts.somewhere else nowhere
        for name, counts in usage.meters.items()
    }
