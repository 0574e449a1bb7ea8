"""Thousands of sightings in one trace, session, burst or outage: settled right, and in seconds."""

import random
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from observed import BESIDE, CLI, CLI_LOG, CLIENT, EMBED, FRAMEWORK, GATEWAY
from sighted import NOON, sighting

from spend.calls import Outcome, Owner, Role, Sighting
from spend.twins.kin import session_kin
from spend.twins.twins import settle
from spend.twins.witnesses import key_of

MOMENT = timedelta(milliseconds=1)
MANY = 4000
GATEWAYS_OWN = Owner("platform", service="gateway")


@pytest.fixture(autouse=True)
def _in_seconds() -> Iterator[None]:
    began = time.process_time()
    yield
    assert time.process_time() - began < 20  # by the square it takes minutes


def calls_of(*sightings: Sighting) -> int:
    settlement = settle(sightings)
    parts = {key_of(member) for joined in settlement.joined for member in joined.members}
    counting = {key_of(one) for one in sightings if one.role is not Role.AGGREGATE}
    return len(settlement.joined) + len(counting - parts - settlement.held)


def burst(count: int, at_once: int, **changes: Any) -> list[Sighting]:
    """Equal calls, as a framework and its client see them, each in a trace of its own."""
    chance = random.Random(count)
    found = []
    at = NOON
    for number in range(1, count + 1):
        at += timedelta(microseconds=int(chance.expovariate(1) * 200_000 / at_once))
        took = int(chance.lognormvariate(0, 0.3) * 200_000)
        before, after = (int(chance.expovariate(1) * 4000) for _ in range(2))
        earlier = at - timedelta(microseconds=before)
        values: dict[str, Any] = {"route": EMBED, "usage": {"input": 512}, **changes}
        around = {"start_at": earlier, "duration_us": before + took + after, **values}
        found.append(sighting(number, 1, emitter=FRAMEWORK, **around))
        inner = {"start_at": at, "duration_us": took, **values}
        found.append(sighting(MANY + number, 2, emitter=CLIENT, **inner))
    return found


@pytest.mark.parametrize("at_once", [5, 50, 500])
def test_equal_calls_at_once_that_two_saw_are_as_many_as_there_were(at_once: int) -> None:
    assert calls_of(*burst(1000, at_once)) == 1000


def test_an_outage_that_two_saw_is_as_many_failures_as_there_were() -> None:
    assert calls_of(*burst(1000, 50, usage={}, outcome=Outcome.SERVER_ERROR)) == 1000


def test_a_session_of_parallel_equal_calls_on_two_signals_is_as_many_as_there_were() -> None:
    told: dict[str, Any] = {"kin_id": session_kin("codex", "one"), "usage": {"input": 9}}
    both = []
    for number in range(1, 1001):
        at = NOON + number * 30 * MOMENT
        both.append(sighting(1, number, emitter=CLI, start_at=at, duration_us=2_000_000, **told))
        ended = {"start_at": at + 2000 * MOMENT, "duration_us": None}
        both.append(sighting(1 + number, 9, emitter=CLI_LOG, **ended, **told))
    assert calls_of(*both) == 1000


def test_calls_that_hang_beneath_one_another_in_one_line_are_so_many() -> None:
    line = [
        sighting(
            1, at, parent_span_id=at - 1, start_at=NOON + at * 10 * MOMENT, duration_us=5000,
            role=Role.AGGREGATE if at % 2 else Role.CALL, emitter=BESIDE if at % 2 else CLIENT,
            usage={"input": at % 97 + 1, "output": 3},
        )
        for at in range(1, 2 * MANY)
    ]  # fmt: skip
    assert calls_of(*line) == MANY  # the innermost wrapper has none beneath, and counts


def test_wrappers_whose_calls_hang_elsewhere_in_one_trace_are_explained_by_their_time() -> None:
    spans = []
    for number in range(1, MANY + 1):
        at = NOON + number * 100 * MOMENT
        role: dict[str, Any] = {"role": Role.AGGREGATE, "emitter": BESIDE}
        spans.append(sighting(1, number, parent_span_id=-number, start_at=at, **role))
        inner = {"start_at": at + MOMENT, "duration_us": 80_000}
        spans.append(sighting(1, MANY + number, parent_span_id=-MANY - number, **inner))
    assert calls_of(*spans) == MANY


def test_failed_attempts_of_a_gateway_in_one_trace_are_no_calls_beside_its_clients() -> None:
    spans = []
    theirs: dict[str, Any] = {"emitter": GATEWAY, "role": Role.SERVER, "owner": GATEWAYS_OWN}
    for number in range(1, MANY // 2):
        at = NOON + number * 50 * MOMENT
        used = {"input": 512 + number, "output": 9}
        beneath = {"parent_span_id": 10 * number, **theirs}
        spans.append(sighting(1, 10 * number, start_at=at, usage=used))
        later = {"start_at": at + 300 * MOMENT, "duration_us": 600_000, "usage": used}
        spans.append(sighting(1, 10 * number + 1, **later, **beneath))
        broke = {"usage": {}, "outcome": Outcome.SERVER_ERROR, "duration_us": 1000}
        for attempt in (2, 3):
            after = at + attempt * MOMENT
            spans.append(sighting(1, 10 * number + attempt, start_at=after, **broke, **beneath))
    assert calls_of(*spans) == MANY // 2 - 1
