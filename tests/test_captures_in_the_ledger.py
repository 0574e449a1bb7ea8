"""What real instrumentations sent, through Postgres: each call once, however it was delivered."""

import random
from collections.abc import Callable
from dataclasses import astuple
from datetime import UTC, datetime, timedelta

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from spans import captured
from sqlalchemy import func, select
from test_dialects import TRUTH

from collector.understanding.understand import understand
from jobs import roll
from jobs.context import JobContext
from spend.calls import Outcome
from spend.meters import CACHE_WRITES, INPUTS
from store.dictionaries import Known
from store.intake import Batch, put_down
from store.sessions import Database
from store.tables.rollups import cells
from store.tenants import TENANT

CAPTURED = datetime(2026, 11, 22, 12, tzinfo=UTC)


def span_by_span(requests: list[bytes]) -> list[bytes]:
    """The same spans, each in a request of its own."""
    single = []
    for body in requests:
        whole = ExportTraceServiceRequest.FromString(body)
        for resource in whole.resource_spans:
            for scope in resource.scope_spans:
                for span in scope.spans:
                    request = ExportTraceServiceRequest()
                    one = request.resource_spans.add(schema_url=resource.schema_url)
                    one.resource.CopyFrom(resource.resource)
                    within = one.scope_spans.add(schema_url=scope.schema_url)
                    within.scope.CopyFrom(scope.scope)
                    within.spans.append(span)
                    single.append(request.SerializeToString())
    return single


def hear(database: Database, request: bytes) -> None:
    heard = understand([request], tenant=TENANT, received_at=CAPTURED)
    with database.write() as session:
        put_down(session, Batch(TENANT, CAPTURED, [heard]), Known())


def settle(database: Database) -> None:
    roll.run(JobContext(database, now=CAPTURED + timedelta(hours=1), by_hand=True))


def amount(database: Database) -> tuple[int, ...]:
    """Calls, errors, input, cache read, cache write, output, reasoning: as TRUTH.md has them."""
    of = cells.c
    prompt = sum((of[name] for name in INPUTS[1:]), of[INPUTS[0]])
    written = sum((of[name] for name in CACHE_WRITES[1:]), of[CACHE_WRITES[0]])
    failed = func.sum(of.calls).filter(of.outcome != Outcome.OK)
    sums = [func.sum(of.calls), failed, func.sum(prompt), func.sum(of.cache_read)]
    sums += [func.sum(written), func.sum(of.output), func.sum(of.reasoning)]
    with database.read() as session:
        found = session.execute(select(*(func.coalesce(each, 0) for each in sums))).one()
    return tuple(int(each) for each in found)


def shuffled_twice(requests: list[bytes]) -> list[bytes]:
    """Each span in a request of its own, in any order, and a third of them sent again."""
    chance = random.Random(1)
    spans = span_by_span(requests)
    spans += chance.sample(spans, len(spans) // 3)
    chance.shuffle(spans)
    return spans


DELIVERIES: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "as sent": lambda requests: requests,
    "span by span, shuffled": shuffled_twice,
}


@pytest.mark.parametrize("delivery", DELIVERIES)
@pytest.mark.parametrize("scenario", sorted(TRUTH))
def test_a_scenario_is_counted_as_the_models_answered(
    database: Database, scenario: str, delivery: str
) -> None:
    for number, request in enumerate(DELIVERIES[delivery](captured(scenario))):
        hear(database, request)
        if number % 3 == 2:
            settle(database)
    settle(database)
    assert amount(database) == astuple(TRUTH[scenario])
