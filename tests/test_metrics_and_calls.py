"""Metrics and calls of one source, in whatever order they come: nothing counts twice."""

import random
from collections.abc import Sequence
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from points import DELTA, NOON, Point, metrics
from spans import START, Told, request
from sqlalchemy import func, select
from test_metrics_in_the_ledger import amount, hear, settle

from collector.signals import Signal
from store.postgres.sessions import Database
from store.tables.readings import metered, readings, told_anew
from store.tables.rollups import cells

pytestmark = pytest.mark.one_server

USAGE = "gen_ai.client.token.usage"
COUNTERS = "gen_ai.client.inference.usage"
RESOURCE = {"service.name": "checkout"}
MODEL = {"gen_ai.request.model": "gpt-5", "gen_ai.provider.name": "openai"}
MINUTE = 60

Request = tuple[Signal, bytes]


def read(
    count: float,
    at: float,
    since: float = 0,
    *,
    kind: str = "input",
    calls: int = 1,
    temporality: int = 2,
    **others: Any,
) -> Request:
    """One point of the common histogram, times in minutes after noon."""
    asked = {**MODEL, "gen_ai.token.type": kind}
    point = Point(count, at=at * MINUTE, since=since * MINUTE, calls=calls, attributes=asked)
    body = metrics(USAGE, [point], temporality=temporality, **{"resource": RESOURCE, **others})
    return Signal.METRICS, body


def call(
    count: int | None,
    at: float,
    *,
    service: str = "checkout",
    minutes: float = 0.1,
    scope: str = Told.scope,
    **others: Any,
) -> Request:
    """A span of one call with input tokens, in minutes after noon; with None it tells no usage."""
    start = START + int(at * MINUTE * 10**9)
    usage = {"gen_ai.usage.input_tokens": count, "gen_ai.usage.output_tokens": 1}
    told = Told(
        attributes={
            **MODEL,
            "gen_ai.operation.name": "chat",
            "gen_ai.response.id": f"chatcmpl-told{start}",
            **({} if count is None else usage),
            **others,
        },
        trace_id=random.Random(start).randbytes(16),
        span_id=random.Random(f"{start}{scope}").randbytes(8),
        start=start,
        end=start + int(minutes * MINUTE * 10**9),
        scope=scope,
    )
    return Signal.TRACES, request(told, resource={"service.name": service})


def tokens(database: Database) -> tuple[int, int]:
    """Calls, and input tokens."""
    calls, _, prompt, *_ = amount(database)
    return calls, prompt


EXPORTS = [
    read(100, 5, calls=1),
    read(300, 10, calls=3),
    read(300, 15, calls=3),
    read(600, 20, calls=6),
    # It starts anew, and goes on over the hour.
    read(50, 30, since=25, calls=1),
    read(250, 62, since=25, calls=3),
]


@pytest.mark.parametrize("seed", range(6))
def test_a_restarted_counter_counts_once_and_only_where_no_call_was_told(
    database: Database, seed: int
) -> None:
    chance = random.Random(seed)
    # A call at five past one: what was read over that hour may hold it.
    requests = [*EXPORTS, call(40, 65), read(900, 70, since=25, calls=9)]
    requests += chance.choices(requests, k=4)
    chance.shuffle(requests)
    while requests:
        size = chance.randint(1, 3)
        group, requests = requests[:size], requests[size:]
        hear(database, *group)
        if chance.random() < 0.6:
            settle(database)
    settle(database)
    assert tokens(database) == (7 + 1, 650 + 40)


def test_calls_that_come_later_take_away_what_metrics_had_added(database: Database) -> None:
    for at in (5, 10, 65):
        hear(database, read(100, at, at - 5, temporality=DELTA))
    settle(database)
    assert tokens(database) == (3, 300)
    hear(database, call(90, 7), call(95, 3))
    settle(database)
    assert tokens(database) == (3, 285)
    with database.read() as session:
        left = session.execute(select(cells.c.slot, cells.c.calls, cells.c.input)).all()
    # Nothing is left behind where it was taken away.
    assert {tuple(row) for row in left if row.calls or row.input} == {
        (NOON, 2, 185),
        (NOON + timedelta(hours=1), 1, 100),
    }


def test_a_call_that_lasts_over_the_hour_speaks_for_both(database: Database) -> None:
    hear(database, read(100, 70, 61, temporality=DELTA), call(100, 55, minutes=10))
    settle(database)
    assert tokens(database) == (1, 100)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_calls_without_usage_leave_it_to_metrics_until_a_twin_tells_it(
    database: Database, order: tuple[int, ...]
) -> None:
    told = [
        call(None, 5, scope="opentelemetry.instrumentation.openai_v2"),
        read(100, 6, 1, temporality=DELTA),
        call(90, 5, scope="litellm"),
    ]
    expected = {
        frozenset({0}): (1, 0),
        frozenset({1}): (1, 100),
        # One call, though both tell of one, and its tokens.
        frozenset({0, 1}): (1, 100),
    }
    for count, each in enumerate(order, 1):
        hear(database, told[each])
        settle(database)
        assert tokens(database) == expected.get(frozenset(order[:count]), (1, 90))


def test_calls_that_failed_say_nothing_of_those_that_metrics_tell(database: Database) -> None:
    failed = call(None, 5, **{"error.type": "429"})
    hear(database, failed, read(100, 6, 1, temporality=DELTA))
    settle(database)
    assert tokens(database) == (2, 100)


def test_another_service_says_nothing_of_this_one(database: Database) -> None:
    hear(database, read(100, 5, temporality=DELTA), call(40, 5, service="search"))
    settle(database)
    assert tokens(database) == (2, 140)


def test_a_gateway_is_silent_where_its_clients_tell(database: Database) -> None:
    gateway: dict[str, Any] = {
        "resource": {"service.name": "gateway"},
        "scope": "envoyproxy/ai-gateway",
    }
    hear(database, read(100, 5, temporality=DELTA, **gateway))
    hear(database, read(100, 65, 60, temporality=DELTA, **gateway))
    settle(database)
    assert tokens(database) == (2, 200)
    hear(database, call(100, 5))
    settle(database)
    assert tokens(database) == (2, 200)
    hear(database, call(100, 64))
    settle(database)
    assert tokens(database) == (2, 200)


@pytest.mark.parametrize("gateway_first", [False, True])
def test_a_gateway_is_silent_where_its_clients_send_metrics_too(
    database: Database, gateway_first: bool
) -> None:
    gateway: dict[str, Any] = {"resource": {"service.name": "gateway"}}
    told = [read(100, 5, temporality=DELTA), read(100, 65, 60, temporality=DELTA)]
    same = read(100, 6, 1, temporality=DELTA, scope="envoyproxy/ai-gateway", **gateway)
    for each in [same, *told] if gateway_first else [*told, same]:
        hear(database, each)
        settle(database)
    assert tokens(database) == (2, 200)


def grown(counts: Sequence[tuple[str, float]], at: float) -> Request:
    """The counters of 2026, in a request for each."""
    (name, count), *_ = counts
    point = Point(count, at=at * MINUTE, since=0, attributes=MODEL)
    return Signal.METRICS, metrics(f"{COUNTERS}.{name}", [point], resource=RESOURCE)


@pytest.mark.parametrize("seed", range(3))
def test_of_two_families_the_one_that_knows_the_cache_counts(database: Database, seed: int) -> None:
    told = (("input_tokens", 1000), ("cache_read.input_tokens", 400), ("output_tokens", 50))
    requests = [grown([each], 5) for each in told]
    requests += [read(1000, 5), read(50, 5, kind="output")]
    random.Random(seed).shuffle(requests)
    for each in requests:
        hear(database, each)
        settle(database)
    assert amount(database) == (0, 0, 1000, 400, 0, 50, 0)


def test_a_series_that_says_the_same_is_one_row_and_widens(database: Database) -> None:
    for at in (5, 20, 10, 15):
        hear(database, read(100, at))
    with database.read() as session:
        (row,) = session.execute(select(readings)).all()
    assert (row.read_at, row.last_read_at) == (
        NOON + timedelta(minutes=5),
        NOON + timedelta(minutes=20),
    )
    settle(database)
    assert tokens(database) == (1, 100)
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(told_anew)) == 0
        assert session.scalar(select(func.count()).select_from(metered)) == 1


def test_what_was_read_is_counted_in_its_own_quarter_hour(database: Database) -> None:
    hear(database, read(100, 15, 10, temporality=DELTA), read(30, 16, 15, temporality=DELTA))
    settle(database)
    with database.read() as session:
        found = session.execute(select(cells.c.slot, cells.c.input).order_by(cells.c.slot)).all()
    quarter = timedelta(minutes=15)
    assert [tuple(row) for row in found] == [(NOON, 100), (NOON + quarter, 30)]
