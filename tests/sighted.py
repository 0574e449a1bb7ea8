"""Builds sightings for tests, and puts them down as the collector does."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import numpy as np
import pyarrow as pa

from spend.calls import Emitter, Outcome, Owner, Role, Route, Sighting, Standing
from spend.ids import content_id
from spend.meters import METER_NAMES
from store.dictionaries import Known
from store.intake.intake import Batch, Heard, Part, put_down
from store.postgres.sessions import Database
from store.sightings import SIGHTINGS
from store.tenants import TENANT

NOON = datetime(2026, 10, 14, 12, 0, tzinfo=UTC)
SEARCH = Owner(team="search", service="search-api", rule="span attribute team")
GPT = Route(provider="openai", model="gpt-4o", operation="chat", deployment="api")
OTEL = Emitter("opentelemetry.instrumentation.genai.openai", "1.3b0", "otel-genai")


def sighting(trace: int = 1, span: int = 1, **changes: Any) -> Sighting:
    values: dict[str, Any] = {
        "parent_span_id": None,
        "start_at": NOON,
        "duration_us": 1_000_000,
        "ttft_us": None,
        "role": Role.CALL,
        "outcome": Outcome.OK,
        "owner": SEARCH,
        "route": GPT,
        "emitter": OTEL,
        "response_id": None,
        "usage": {"input": 600, "cache_read": 400, "output": 50, "reasoning": 20},
        **changes,
    }
    return Sighting(trace_id=UUID(int=trace), span_id=span, **values)


def heard(sightings: Iterable[Sighting], tenant: int = TENANT) -> Heard:
    rows = list(sightings)
    written = [{**row(one), "tenant_id": tenant} for one in rows]
    return Heard(
        parts=[Part(heard=len(rows), not_a_call=0, refused={})],
        sightings=pa.RecordBatch.from_pylist(written, schema=SIGHTINGS),
        part_of=np.zeros(len(rows), dtype=np.int64),
        owners={content_id(one.owner): one.owner for one in rows},
        routes={content_id(one.route): one.route for one in rows},
        emitters={content_id(one.emitter): one.emitter for one in rows},
    )


def row(one: Sighting) -> Mapping[str, Any]:
    held = one.role is Role.AGGREGATE
    return {
        "tenant_id": TENANT,
        "trace_id": one.trace_id.bytes,
        "span_id": one.span_id,
        "day": one.start_at.date(),
        "start_at": one.start_at,
        "duration_us": one.duration_us,
        "ttft_us": one.ttft_us,
        "owner_id": content_id(one.owner),
        "route_id": content_id(one.route),
        "outcome": int(one.outcome),
        **{name: one.usage.get(name) for name in METER_NAMES},
        "details": json.dumps(dict(one.details)) if one.details else None,
        "parent_span_id": one.parent_span_id,
        "emitter_id": content_id(one.emitter),
        "role": int(one.role),
        "standing": int(Standing.HELD if held else Standing.COUNTS),
        "response_id": one.response_id,
        "kin_id": one.kin_id,
    }


def hear(
    database: Database,
    sightings: Iterable[Sighting],
    received_at: datetime = NOON,
    tenant: int = TENANT,
) -> int:
    """Puts sightings down in one batch; answers how many were new."""
    with database.write() as session:
        batch = Batch(tenant, received_at, [heard(sightings, tenant)])
        done = put_down(session, batch, Known())
    return done.accounts[0].stored
