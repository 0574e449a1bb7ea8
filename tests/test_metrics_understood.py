"""What data points say of tokens: collector/understanding/metrics.py."""

import math
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from points import CUMULATIVE, DELTA, NOON, Point, metrics
from spans import Understood, as_one

from collector.dialects import DIALECTS
from collector.dialects.table import TokenMetric
from collector.errors import Malformed
from collector.understanding.metrics import understand_metrics
from spend.readings import COUNTS, meter

USAGE = "gen_ai.client.token.usage"
CALL = {"gen_ai.request.model": "gpt-5", "gen_ai.provider.name": "openai"}


def understood(request: bytes, **others: Any) -> Understood:
    received_at = NOON + timedelta(hours=1)
    return as_one(understand_metrics([request], tenant=1, received_at=received_at, **others))


def used(heard: Understood) -> Counter[str]:
    total: Counter[str] = Counter()
    for one in meter(heard.counters, heard.readings):
        total.update(one.usage)
        total["calls"] += one.calls or 0
    return +total


def points(type_: str, calls: int | None = 1, **counts: float) -> list[Point]:
    return [
        Point(count, calls=calls, attributes={**CALL, type_: kind})
        for kind, count in counts.items()
    ]


def test_every_metric_of_a_dialect_counts_what_it_can() -> None:
    told: set[str] = set()
    for metric in [metric for dialect in DIALECTS for metric in dialect.metrics]:
        assert isinstance(metric, TokenMetric)
        counts = [metric.counts] if isinstance(metric.counts, str) else metric.counts.values()
        assert set(counts) <= COUNTS
        assert not isinstance(metric.counts, str) or not metric.type
        assert metric.name not in told
        told.add(metric.name)


def test_parts_and_totals_are_not_added_to_what_they_are_of() -> None:
    gateway = points(
        "gen_ai.token.type",
        input=1000,
        output=50,
        cached_input=400,
        total=1050,
        reasoning=20,
    )
    heard = understood(metrics(USAGE, gateway))
    assert used(heard) == {
        "input": 600,
        "cache_read": 400,
        "output": 50,
        "reasoning": 20,
        "calls": 1,
    }
    assert (heard.heard, len(heard.readings), heard.not_a_call) == (5, 4, 1)


def test_modalities_of_one_count_add_up_and_audio_is_known() -> None:
    spoken = [
        Point(count, attributes={**CALL, "gen_ai.token.modality": modality})
        for modality, count in (("text", 900), ("audio", 70), ("image", 30))
    ]
    heard = understood(metrics("gen_ai.client.inference.usage.input_tokens", spoken))
    assert used(heard) == {"input": 1000, "input_audio": 70}


def test_thoughts_beside_the_answer_are_output_and_tools_are_input() -> None:
    counts = {"input": 1000, "cache": 400, "output": 30, "thought": 20, "tool": 5}
    heard = understood(metrics("gemini_cli.token.usage", points("type", None, **counts)))
    assert used(heard) == {"input": 605, "cache_read": 400, "output": 50, "reasoning": 20}


@pytest.mark.parametrize(
    ("attributes", "name"),
    [
        ({"gen_ai.operation.name": "invoke_agent"}, USAGE),
        ({"gen_ai.operation.name": "fetch_response"}, USAGE),
        ({"kong.gen_ai.cache.status": "hit"}, USAGE),
        ({"gen_ai.token.type": "total"}, USAGE),
        ({}, "gen_ai.client.operation.duration"),
        ({}, "claude_code.cost.usage"),
    ],
)
def test_what_is_around_calls_or_of_no_tokens_is_no_call(
    attributes: Mapping[str, str], name: str
) -> None:
    point = Point(10, calls=1, attributes={**CALL, "gen_ai.token.type": "input", **attributes})
    heard = understood(metrics(name, [point]))
    assert (heard.heard, heard.not_a_call, list(heard.readings)) == (1, 1, [])


@pytest.mark.parametrize(
    ("point", "temporality", "why"),
    [
        (Point(-1), CUMULATIVE, "value: no number of tokens"),
        (Point(math.nan), CUMULATIVE, "value: no number of tokens"),
        (Point(math.inf), DELTA, "value: no number of tokens"),
        (Point(1e13), CUMULATIVE, "value: no number of tokens"),
        (Point(1.5), CUMULATIVE, "value: tokens are whole"),
        (Point(1, since=None), CUMULATIVE, "start_time_unix_nano: a cumulative point has none"),
        (Point(1, since=90), DELTA, "start_time_unix_nano: after the point's own time"),
        (Point(1, since=-9e8), DELTA, "start_time_unix_nano: before 2000"),
        (Point(1, at=None), DELTA, "time_unix_nano: the point has none"),
        (Point(1, at=-9e8), DELTA, "time_unix_nano: before 2000"),
        (Point(1, at=3e5), DELTA, "time_unix_nano: in the future"),
        (Point(1), 0, "aggregation_temporality: neither delta nor cumulative"),
    ],
)
def test_a_point_that_cannot_be_is_refused_by_name(
    point: Point, temporality: int, why: str
) -> None:
    asked = {**CALL, "gen_ai.token.type": "input"}
    bad = Point(point.value, at=point.at, since=point.since, attributes=asked)
    good = Point(7, attributes={**asked, "gen_ai.request.model": "gpt-4o"})
    heard = understood(metrics(USAGE, [bad, good], temporality=temporality))
    assert heard.refused[why] == (1 if temporality else 2)
    assert heard.heard == 2 == len(heard.readings) + sum(heard.refused.values())


def test_a_series_that_has_ended_says_nothing() -> None:
    ended = Point(0, attributes={**CALL, "gen_ai.token.type": "input"}, flags=1)
    heard = understood(metrics(USAGE, [ended]))
    assert (heard.heard, heard.not_a_call, list(heard.readings)) == (1, 1, [])


def test_a_delta_without_a_start_is_of_its_own_moment() -> None:
    point = Point(7, since=None, attributes={**CALL, "gen_ai.token.type": "input"})
    (reading,) = understood(metrics(USAGE, [point], temporality=DELTA)).readings
    assert reading.started_at == reading.read_at


def test_what_is_no_request_is_malformed() -> None:
    with pytest.raises(Malformed):
        understood(b"\xff\xff\xff")


@pytest.mark.parametrize("odd", ["no UTF-8", "too deep"])
def test_an_attribute_that_cannot_be_read_costs_no_point(odd: str) -> None:
    said = {**CALL, "gen_ai.token.type": "input"}
    sane = metrics(
        USAGE, [Point(100, attributes=said), *points("gen_ai.token.type", None, output=5)]
    )
    request = ExportMetricsServiceRequest.FromString(sane)
    metric = request.resource_metrics[0].scope_metrics[0].metrics[0]
    metric.sum.data_points.add().CopyFrom(metric.sum.data_points[0])
    value = metric.sum.data_points[2].attributes.add(key="odd").value
    if odd == "too deep":
        for _ in range(200):
            value = value.array_value.values.add()
    value.string_value = "QQQ"
    heard = understood(request.SerializeToString().replace(b"QQQ", b"Q\xff\xfe"))
    assert used(heard) == {"input": 200, "output": 5}
    assert (heard.heard, heard.not_a_call, heard.refused) == (3, 0, {})
    # The others are of the same series as where all can be read.
    assert {one.id for one in understood(sane).readings} < {one.id for one in heard.readings}


def test_owner_and_route_are_found_as_on_spans() -> None:
    attributes = {
        "model": "claude-sonnet-4-5",
        "type": "input",
        "team.id": "mobile",
        "session.id": "a",
        "user.id": "b",
    }
    request = metrics("claude_code.token.usage", [Point(7, attributes=attributes)])
    heard = understood(request, key_team="platform")
    (owner,) = heard.owners.values()
    (route,) = heard.routes.values()
    (emitter,) = heard.emitters.values()
    # The resource's own "team" goes before what an emitter calls a team.
    assert (owner.team, owner.service) == ("payments", "checkout")
    assert (route.provider, route.model) == ("anthropic", "claude-sonnet-4-5")
    assert (emitter.dialect, emitter.signal) == ("claude-code", "metric")
    nobody = metrics("claude_code.token.usage", [Point(7, attributes=attributes)], resource={})
    assert [owner.team for owner in understood(nobody, key_team="x").owners.values()] == ["mobile"]


def test_a_counter_is_the_same_in_whatever_order_its_attributes_come() -> None:
    attributes = {**CALL, "gen_ai.token.type": "input", "region": "eu"}
    turned = dict(reversed(attributes.items()))
    one, other = (
        understood(metrics(USAGE, [Point(7, attributes=each)])) for each in (attributes, turned)
    )
    assert [each.id for each in one.readings] == [each.id for each in other.readings]
    assert one.counters == other.counters


def test_a_series_is_told_as_the_first_time_however_much_it_says() -> None:
    for much in ("x", "x" * 5000):
        attributes = {**CALL, "gen_ai.token.type": "input", "region": much}
        for resource in ({"service.name": "a"}, {"service.name": "a", "notes": much}):
            request = metrics(USAGE, [Point(7, attributes=attributes)], resource=resource)
            first, again = understood(request), understood(request)
            assert (first.readings, first.counters) == (again.readings, again.counters)
            of_others = understood(request, key_team="other")
            assert [owner.team for owner in of_others.owners.values()] == ["other"]


def test_input_and_output_are_of_one_counter_and_models_are_not() -> None:
    told = points("gen_ai.token.type", input=10, output=5)
    other = Point(5, calls=1, attributes={"gen_ai.token.type": "input"})
    assert len(understood(metrics(USAGE, [*told, other])).counters) == 2


VALUES = st.one_of(
    st.text("aZ09.:é\x00 ", max_size=12),
    st.integers(-(2**63), 2**63 - 1),
    st.booleans(),
    st.floats(),
)
KEYS = st.sampled_from(
    ["gen_ai.token.type", "type", "model", "gen_ai.request.model", "server.port", "team", "x"]
)
NAMES = st.sampled_from([metric.name for dialect in DIALECTS for metric in dialect.metrics])


@given(
    NAMES,
    st.lists(
        st.builds(
            Point,
            st.floats(),
            at=st.none() | st.floats(-1e9, 1e9),
            since=st.none() | st.floats(-1e9, 1e9),
            calls=st.none() | st.integers(0, 2**64 - 1),
            attributes=st.dictionaries(KEYS, VALUES, max_size=4),
        ),
        max_size=5,
    ),
    st.sampled_from([0, 1, 2]),
)
def test_no_point_makes_the_collector_raise_or_tokens_negative(
    name: str, told: list[Point], temporality: int
) -> None:
    heard = understood(metrics(name, told, temporality=temporality))
    assert heard.heard == len(heard.readings) + heard.not_a_call + sum(heard.refused.values())
    assert all(count >= 0 for count in used(heard).values())
