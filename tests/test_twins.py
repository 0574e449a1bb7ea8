"""What is one call and what is several, told from sightings alone."""

import time
from dataclasses import replace
from datetime import timedelta

import pytest
from sighted import GPT, NOON, OTEL, sighting

from spend.calls import Emitter, Owner, Role, Route, Sighting
from spend.twins.twins import settle
from spend.twins.witnesses import key_of

NATIVE = Emitter("com.anthropic.sdk.python", "2.12.0", "anthropic")
AGENT = Emitter("pydantic-ai", "1.0.18", "pydantic-ai")
EMBEDDINGS = Route(provider="openai", model="text-embedding-3-small", operation="embeddings")


def counted(*sightings: Sighting) -> list[dict[str, int]]:
    """The usage of each call, in the order in which they began."""
    settlement = settle(sightings)
    parts = {key_of(member) for joined in settlement.joined for member in joined.members}
    alone = [
        one
        for one in sightings
        if one.role is not Role.AGGREGATE and key_of(one) not in parts | settlement.held
    ]
    calls = [(joined.start_at, dict(joined.usage)) for joined in settlement.joined]
    calls += [(one.start_at, dict(one.usage)) for one in alone]
    return [usage for _, usage in sorted(calls, key=lambda call: call[0])]


@pytest.mark.parametrize("emitter", [OTEL, NATIVE])
def test_a_chat_that_tells_nothing_is_not_the_embedding_it_holds(emitter: Emitter) -> None:
    chat = sighting(1, 1, usage={})
    inner = sighting(
        1, 2, parent_span_id=1, route=EMBEDDINGS, usage={"input": 7}, emitter=emitter,
        start_at=NOON + timedelta(milliseconds=5),
    )  # fmt: skip
    assert counted(chat, inner) == [{}, {"input": 7}]


def test_an_agent_beside_another_is_not_explained_by_its_calls() -> None:
    """One agent's calls are seen, those of the other, at the same time, are not."""
    blind = sighting(
        1, 1, role=Role.AGGREGATE, parent_span_id=99, emitter=AGENT, duration_us=9_000_000,
        usage={"input": 500, "output": 50},
    )  # fmt: skip
    later = NOON + timedelta(milliseconds=5)
    seen = sighting(
        1, 2, role=Role.AGGREGATE, parent_span_id=99, emitter=AGENT, start_at=later,
        usage={"input": 70, "output": 5},
    )  # fmt: skip
    call = sighting(
        1, 3, parent_span_id=2, start_at=later, duration_us=1000, usage={"input": 70, "output": 5}
    )
    assert counted(blind, seen, call) == [
        {"input": 500, "output": 50},
        {"input": 70, "output": 5},
    ]


def test_an_agent_whose_spans_in_between_are_not_known_is_explained_by_its_time() -> None:
    agent = sighting(1, 1, role=Role.AGGREGATE, parent_span_id=99, emitter=AGENT)
    call = sighting(1, 3, parent_span_id=98, duration_us=1000, usage={"input": 70, "output": 5})
    assert counted(agent, call) == [{"input": 70, "output": 5}]


def test_an_id_that_comes_back_after_hours_is_another_call() -> None:
    ours = sighting(1, 1, response_id="chatcmpl-stand-in")
    theirs = sighting(
        2, 1, emitter=NATIVE, response_id="chatcmpl-stand-in", owner=Owner("other"),
        start_at=NOON + timedelta(hours=9),
    )  # fmt: skip
    assert len(counted(ours, theirs)) == 2
    at_once = sighting(2, 1, emitter=NATIVE, response_id="chatcmpl-stand-in", route=GPT)
    assert len(counted(ours, at_once)) == 1


def test_a_trace_of_thousands_is_settled_in_seconds() -> None:
    """A nightly job may be one trace: agents must not each be compared with each call."""
    sighted = []
    for number in range(1, 1001):
        at = NOON + timedelta(seconds=number)
        agent = sighting(1, 10 * number, role=Role.AGGREGATE, emitter=AGENT, start_at=at)
        sighted.append(agent)
        sighted += [
            sighting(1, 10 * number + call, parent_span_id=10 * number, start_at=at)
            for call in range(1, 6)
        ]
    began = time.monotonic()
    assert len(counted(*sighted)) == 5000
    assert time.monotonic() - began < 20


def test_ids_that_come_again_on_another_day_are_other_calls() -> None:
    """A program that seeds its random numbers gives every night's run the same ids."""
    tonight = [
        sighting(1, 1, emitter=NATIVE, usage={"input": 5}),
        sighting(1, 2, parent_span_id=1, usage={"input": 5}),
    ]
    tomorrow = [
        replace(one, start_at=one.start_at + timedelta(days=1), usage={"input": 70})
        for one in tonight
    ]
    assert counted(*tonight, *tomorrow) == [{"input": 5}, {"input": 70}]


def test_midnight_does_not_part_a_call_from_what_it_lies_in() -> None:
    late = NOON.replace(hour=23, minute=59, second=59)
    outer = sighting(1, 1, start_at=late, emitter=NATIVE, duration_us=5_000_000)
    inner = sighting(1, 2, parent_span_id=1, start_at=late + timedelta(seconds=2))
    assert len(counted(outer, inner)) == 1
