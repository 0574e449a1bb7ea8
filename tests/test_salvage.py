"""An item whose bytes cannot be read costs no other item anything."""

import random

import pytest
from deliveries import REQUESTS, sent
from doors import varint
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from spans import call, heard, only, request, sightings

from collector.errors import Malformed
from collector.signals import Signal
from collector.understanding.salvage import salvage

# A field of wire type 7, which there is not.
BROKEN = b"\x0f\xff"
SPANS = 40


def batch(spans: int) -> bytes:
    return request(
        *(
            call(span_id=number.to_bytes(8, "big"), name="chat XXXX")
            for number in range(1, spans + 1)
        )
    )


def spoiled(body: bytes, which: set[int]) -> bytes:
    """The same request, in which some of the spans named XXXX are no message any more."""
    pieces = body.split(b"\x2a\x09chat XXXX")
    # A tag of the same length that protobuf does not know, where the name's was.
    glue = [
        b"\x2f\x09chat XXXX" if number in which else b"\x2a\x09chat XXXX" for number in range(SPANS)
    ]
    return b"".join(part + tag for part, tag in zip(pieces, [*glue, b""], strict=True))


@given(st.sets(st.integers(0, SPANS - 1), max_size=SPANS - 1))
@settings(max_examples=30, deadline=None)
def test_one_bad_span_loses_one_span(which: set[int]) -> None:
    understood = heard(spoiled(batch(SPANS), which))
    assert understood.heard == SPANS
    assert sum(understood.refused.values()) == len(which)
    assert {one.span_id for one in sightings(understood)} == {
        number + 1 for number in range(SPANS) if number not in which
    }


def test_a_request_of_which_nothing_can_be_read_is_malformed() -> None:
    with pytest.raises(Malformed):
        heard(spoiled(batch(SPANS), set(range(SPANS))))


@pytest.mark.parametrize("scenario", ["otel-genai/openai", "claude-code/default"])
def test_what_is_sound_is_left_as_it_was(scenario: str) -> None:
    for signal in ("traces", "logs", "metrics"):
        for of, body in sent(scenario, [signal]):
            message = REQUESTS[of][0]
            saved = salvage(body, lambda _: True)
            assert saved.lost == 0
            assert message.FromString(saved.request) == message.FromString(body)


def test_a_log_record_or_a_metric_is_lost_alone_too() -> None:
    for signal, scenario in ((Signal.LOGS, "claude-code"), (Signal.METRICS, "claude-code")):
        ((of, body),) = sent(f"{scenario}/default", [signal])
        whole = REQUESTS[of][0].FromString(body)
        items = REQUESTS[of][1]
        scope = getattr(getattr(whole, items[0])[0], items[1])[0]
        names = len(getattr(scope, items[2]))
        first = getattr(scope, items[2])[0].SerializeToString()
        broken = body.replace(first, bytes([0x0F]) + first[1:], 1)
        understood = heard(broken, signal=signal)
        assert sum(understood.refused.values()) == 1
        assert understood.heard >= names


@given(st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_no_bytes_raise_anything_but_malformed(seed: int) -> None:
    chance = random.Random(seed)
    body = bytearray(batch(3))
    for _ in range(chance.randint(1, 6)):
        body[chance.randrange(len(body))] = chance.randrange(256)
    for signal in Signal:
        try:
            understood = heard(bytes(body[: chance.randint(1, len(body))]), signal=signal)
        except Malformed:
            continue
        stored = understood.sightings.num_rows + len(understood.readings)
        refused = sum(understood.refused.values())
        assert understood.heard == stored + understood.not_a_call + refused


def test_a_lone_span_that_is_sound_is_understood_as_ever() -> None:
    assert only(heard(request(call()))).usage == {}


@pytest.mark.parametrize("depth", [51, 101, 1_000, 20_000])
def test_nesting_of_any_depth_costs_no_span(depth: int) -> None:
    value = b"\x18\x01"
    for _ in range(depth):
        inside = b"\x0a" + varint(len(value)) + value
        value = b"\x2a" + varint(len(inside)) + inside
    deep = b"\x0a\x01k\x12" + varint(len(value)) + value
    spans = request(call(), call(span_id=b"\x03" * 8))
    group = ExportTraceServiceRequest.FromString(spans).resource_spans[0]
    own = group.scope_spans[0].spans[0].SerializeToString()
    own += b"\x4a" + varint(len(deep)) + deep
    scope = b"\x12" + varint(len(own)) + own
    rest = group.scope_spans[1].SerializeToString()
    body = b"".join(b"\x12" + varint(len(part)) + part for part in (scope, rest))
    understood = heard(b"\x0a" + varint(len(body)) + body)
    assert (understood.heard, understood.sightings.num_rows) == (2, 2)


# Lengths of nearly 2**64, which wrap around in a decoder that adds them up: to itself, to its end.
WRAPPING = [2**64 - 1, 2**64 - 5, 2**64 - 10, 2**64 - 11, 2**63]


@pytest.mark.parametrize("length", WRAPPING)
@pytest.mark.parametrize("signal", Signal)
def test_a_length_that_wraps_around_is_malformed(length: int, signal: Signal) -> None:
    broken = varint(length) + b"\x0a\x00" * 4
    for tags in (b"\x0a", b"\x0a\x12", b"\x0a\x12\x12", b"\x0a\x12\x12\x4a"):
        body = tags[-1:] + broken
        for tag in reversed(tags[:-1]):
            body = bytes([tag]) + varint(len(body)) + body
        with pytest.raises(Malformed):
            heard(body, signal=signal)


@pytest.mark.parametrize("length", WRAPPING)
def test_a_length_that_wraps_around_costs_its_item_alone(length: int) -> None:
    sound = request(call())
    scopes = ExportTraceServiceRequest.FromString(sound).resource_spans[0].SerializeToString()
    bad = b"\x4a" + varint(length) + b"\x0a\x00"
    scopes += b"\x12" + varint(len(bad) + 2) + b"\x12" + varint(len(bad)) + bad
    understood = heard(b"\x0a" + varint(len(scopes)) + scopes)
    assert (understood.heard, understood.sightings.num_rows) == (2, 1)
    assert understood.refused == {"spans: bytes that cannot be read": 1}
