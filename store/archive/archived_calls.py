"""Finds sightings and joined calls in archived days, as they were stored before they were dropped.

Of a day's file the row groups that can hold a trace are read, one where it is not a large one:
rows stand in the order of their traces.
"""

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import date
from functools import partial
from itertools import groupby
from typing import Any, TypeVar
from uuid import UUID

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from sqlalchemy.orm import Session

from spend.calls import NO_DETAILS, Emitter, Outcome, Owner, Role, Route, Sighting, Standing
from spend.ids import signed
from spend.meters import METER_NAMES
from store.archive.archive_places import ArchiveAway, Opened, opened
from store.archive.archive_shape import JOINED, SIGHTINGS
from store.archive.archived_days import ArchivedDay, that_may_hold, written_days
from store.twins.twins import Key, Stored

_T = TypeVar("_T")


def archived_sightings(
    session: Session,
    tenant: int,
    traces: Collection[UUID],
    of_calls: Collection[UUID] | None = None,
) -> list[Stored]:
    """All sightings of these traces that are in archived days, by day.

    With ``of_calls`` those that are parts of calls which began in these traces. Raises ArchiveAway.
    """
    days = that_may_hold(session, tenant, traces)
    return [
        each
        for each in _made(days, SIGHTINGS, traces, _stored)
        if of_calls is None or (each.call is not None and each.call[0] in of_calls)
    ]


def archived_joined(
    session: Session, tenant: int, keys: Collection[Key]
) -> dict[Key, dict[str, Any]]:
    """The joined calls under these keys that are in archived days, as ``twins.joined_rows``.

    Raises ArchiveAway.
    """
    wanted = set(keys)
    days = written_days(session, tenant, {key[2] for key in wanted}) if wanted else []
    rows = _made(days, JOINED, {key[0] for key in wanted}, partial(_joined, tenant=tenant))
    found = {(row["trace_id"], row["span_id"], row["day"]): row for row in rows}
    return {key: row for key, row in found.items() if key in wanted}


def _made(
    days: Iterable[ArchivedDay],
    file: str,
    traces: Collection[UUID],
    make: Callable[[Mapping[str, Any], date], _T],
) -> Iterable[_T]:
    """What is made of the rows of a file of some days that are of some traces."""
    wanted = pa.array(sorted(each.hex for each in traces))
    placed = [each for each in days if each.place is not None]
    for place, its in groupby(placed, key=lambda each: each.place):
        with opened(str(place)) as at:
            for each in its:
                path = at.path(str(each.folder), file)
                try:
                    rows = [make(row, each.day) for row in _of_file(at, path, "trace_id", wanted)]
                # Whatever a file may be that somebody, or a disk, changed.
                except (pa.ArrowException, ArithmeticError, LookupError, ValueError) as error:
                    raise ArchiveAway(f"{path} is no file that was written: {error}") from error
                yield from rows


def _of_file(at: Opened, path: str, column: str, wanted: pa.Array) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    with at.files.open_input_file(path) as source:
        parquet = pq.ParquetFile(source, page_checksum_verification=True)
        for group in _groups(parquet.metadata, column, wanted):
            rows = parquet.read_row_group(group)
            found += rows.filter(pc.is_in(rows.column(column), wanted)).to_pylist()
    return found


def _groups(metadata: Any, column: str, wanted: pa.Array) -> list[int]:
    """The row groups that can hold one of some texts, by their smallest and largest."""
    texts: Sequence[str] = wanted.to_pylist()
    place = metadata.schema.names.index(column)
    found = []
    for group in range(metadata.num_row_groups):
        bounds = metadata.row_group(group).column(place).statistics
        if bounds is None or any(bounds.min <= text <= bounds.max for text in texts):
            found.append(group)
    return found


def _stored(row: Mapping[str, Any], day: date) -> Stored:
    parent, answer, call = row["parent_span_id"], row["response_id_sha256"], row["call_trace_id"]
    return Stored(
        sighting=Sighting(
            trace_id=UUID(row["trace_id"]),
            span_id=signed(row["span_id"]),
            parent_span_id=None if parent is None else signed(parent),
            start_at=row["start_at"],
            duration_us=row["duration_us"],
            ttft_us=row["ttft_us"],
            role=Role[row["role"].upper()],
            outcome=Outcome[row["outcome"].upper()],
            owner=Owner(**_part(row, Owner)),
            route=Route(**_part(row, Route)),
            emitter=Emitter(**_part(row, Emitter)),
            response_id=answer,
            usage=_usage(row),
            details=NO_DETAILS if row["details"] is None else json.loads(row["details"]),
            kin_id=row["kin_id"],
        ),
        day=day,
        batch_id=row["batch_id"],
        standing=Standing[row["standing"].upper()],
        call=None if call is None else (UUID(call), signed(row["call_span_id"]), row["call_day"]),
        archived=True,
    )


def _joined(row: Mapping[str, Any], day: date, tenant: int) -> dict[str, Any]:
    return {
        "tenant_id": tenant,
        "trace_id": UUID(row["trace_id"]),
        "span_id": signed(row["span_id"]),
        "day": day,
        **{
            name: row[name]
            for name in (
                "start_at",
                "duration_us",
                "ttft_us",
                "owner_id",
                "route_id",
                "version",
                "usage_conflict",
                *METER_NAMES,
            )
        },
        "outcome": int(Outcome[row["outcome"].upper()]),
        "evidence": json.loads(row["evidence"]),
        "details": None if row["details"] is None else json.loads(row["details"]),
        "archived": True,
    }


def _part(row: Mapping[str, Any], of: type) -> dict[str, Any]:
    prefix = of.__name__.lower()
    return {each.name: row[f"{prefix}_{each.name}"] for each in fields(of)}


def _usage(row: Mapping[str, Any]) -> dict[str, int]:
    return {name: row[name] for name in METER_NAMES if row[name] is not None}
