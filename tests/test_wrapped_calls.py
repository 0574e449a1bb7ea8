"""A call that one span wraps in another is one, also where one of them tells only a part of it."""

from datetime import timedelta
from typing import Any

import pytest
from sighted import NOON, OTEL, sighting

from spend.calls import Emitter, Outcome, Sighting
from spend.twins.twins import settle

LANGFUSE = Emitter("langfuse-sdk", "3.15.0", "langfuse")
STRANDS = Emitter("strands.telemetry.tracer", None, "strands")
BOTOCORE = Emitter("opentelemetry.instrumentation.botocore.bedrock-runtime", "0.65b0", "otel-genai")
WHOLE = {"input": 300, "cache_read": 580, "cache_write": 120, "output": 50}


def within(**changes: Any) -> Sighting:
    """A span inside the one whose id is 1."""
    at = NOON + timedelta(milliseconds=1)
    return sighting(span=2, parent_span_id=1, start_at=at, duration_us=900_000, **changes)


def test_an_instrumentation_that_wraps_itself_loses_nothing_that_only_one_of_its_spans_tells() -> (
    None
):
    outer = sighting(emitter=LANGFUSE, usage=WHOLE)
    (call,) = settle([outer, within(emitter=LANGFUSE, usage={})]).joined
    assert call.usage == WHOLE
    assert len(call.members) == 2


def test_an_instrumentation_that_wraps_itself_with_another_count_is_held() -> None:
    outer = sighting(emitter=LANGFUSE, usage={"input": 1000, "output": 51})
    inner = within(emitter=LANGFUSE, usage={"input": 1000, "output": 50})
    settled = settle([outer, inner])
    assert not settled.joined
    assert len(settled.held) == 1


def test_two_calls_side_by_side_in_one_instrumentation_stay_two() -> None:
    settled = settle([sighting(emitter=LANGFUSE), sighting(span=2, emitter=LANGFUSE)])
    assert not settled.joined
    assert not settled.held


@pytest.mark.parametrize(
    ("told", "other"),
    [
        # Its last chunk: LangChain knows nothing of a prompt that streamed.
        ({"output": 50}, LANGFUSE),
        # Bedrock's own count of the prompt is of what was not cached.
        ({"input": 300, "output": 50}, BOTOCORE),
    ],
)
def test_a_part_of_the_usage_is_no_other_usage(told: dict[str, int], other: Emitter) -> None:
    for outer, inner in (((STRANDS, WHOLE), (other, told)), ((other, told), (STRANDS, WHOLE))):
        (call,) = settle(
            [
                sighting(emitter=outer[0], usage=outer[1]),
                within(emitter=inner[0], usage=inner[1]),
            ]
        ).joined
        assert call.usage == WHOLE


@pytest.mark.parametrize(
    "told",
    [
        {"input": 300, "output": 80},
        {"input": 310, "output": 50},
        {"input": 300, "cache_read": 10, "output": 50},
        {"output": 80},
        {"cache_read": 20},
    ],
)
def test_another_usage_within_is_another_call(told: dict[str, int]) -> None:
    settled = settle([sighting(emitter=STRANDS, usage=WHOLE), within(emitter=OTEL, usage=told)])
    assert not settled.joined


def test_a_failure_that_an_instrumentation_tells_twice_is_one() -> None:
    failed = {"emitter": LANGFUSE, "usage": {}, "outcome": Outcome.RATE_LIMITED}
    (call,) = settle([sighting(**failed), within(**failed)]).joined
    assert call.outcome is Outcome.RATE_LIMITED
