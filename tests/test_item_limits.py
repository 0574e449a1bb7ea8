"""What one request may hold is bounded before memory is spent, however it is written."""

import pytest
from deliveries import sent
from doors import varint

from collector.errors import Malformed, TooLarge
from collector.limits import Limits, check_items
from collector.otlp_json.request import to_protobuf
from collector.signals import Signal

MOST = 1_000
# Fields that nobody knows, in the form of groups, which protobuf's decoders pass over.
GROUP = b"\x1b\x1c"


def sized(tag: int, content: bytes) -> bytes:
    return bytes([tag]) + varint(len(content)) + content


def in_scope(content: bytes) -> bytes:
    return sized(0x0A, sized(0x12, content))


@pytest.mark.parametrize(
    "body",
    [
        in_scope(b"\x12\x00" * 1_500),
        GROUP + in_scope(b"\x12\x00" * 1_500),
        in_scope(GROUP + b"\x12\x00" * 1_500),
        sized(0x0A, b"\x12\x00" * 2_500),
        b"\x0a\x00" * 2_500,
        b"\x08\x00" * 45_000,
        sized(0x0A, b"\x15\0\0\0\0" * 45_000),
    ],
    ids=[
        "items",
        "items after a group",
        "items beside a group",
        "scopes",
        "resources",
        "what nobody knows",
        "what nobody knows in a resource",
    ],
)
@pytest.mark.parametrize("signal", Signal)
def test_many_items_are_too_large_however_they_are_framed(body: bytes, signal: Signal) -> None:
    with pytest.raises(TooLarge):
        check_items(body, MOST, signal)


@pytest.mark.parametrize("group", [b"", GROUP])
def test_many_points_of_one_metric_are_too_large(group: bytes) -> None:
    body = in_scope(sized(0x12, group + sized(0x2A, b"\x0a\x00" * 1_500)))
    with pytest.raises(TooLarge, match="data points"):
        check_items(body, MOST, Signal.METRICS)


@pytest.mark.parametrize(
    "body",
    [
        sized(0x0A, sized(0x0A, b"\x0a\x00" * 45_000)),
        sized(0x0A, sized(0x0A, b"\x0a\x03\x0a\x01a" * 45_000)),
        in_scope(sized(0x12, b"\x62\x00" * 45_000)),
        in_scope(sized(0x12, sized(0x2A, sized(0x0A, b"\x3a\x00" * 45_000)))),
        in_scope(sized(0x12, sized(0x4A, sized(0x0A, sized(0x42, b"\x3a\x00" * 45_000))))),
    ],
    ids=["of a resource", "with keys", "of a metric", "of a point", "of an exemplar"],
)
def test_many_attributes_of_metrics_are_too_large(body: bytes) -> None:
    with pytest.raises(TooLarge, match="values"):
        check_items(body, MOST, Signal.METRICS)


def test_what_is_sent_in_earnest_is_never_too_large() -> None:
    for signal in Signal:
        for scenario in ("claude-code/default", "otel-genai/openai"):
            for of, body in sent(scenario, [signal]):
                check_items(body, 100, of)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b'{"resourceSpans":[' + b"{}," * 2_500 + b"{}]}", "groups of spans"),
        (b'{"resourceSpans":[{"scopeSpans":[' + b"{}," * 2_500 + b"{}]}]}", "groups of spans"),
        (
            b'{"resourceSpans":[{"scopeSpans":[{"spans":[' + b"7," * 1_500 + b"{}]}]}]}",
            "more than 1,000 spans",
        ),
        (b"[" * 200_001, "objects and lists"),
    ],
    ids=["resources", "scopes", "spans", "brackets"],
)
def test_a_json_body_is_bounded_before_it_is_read_into_protobuf(body: bytes, why: str) -> None:
    with pytest.raises(TooLarge, match=why):
        to_protobuf(body, Signal.TRACES, Limits(spans=MOST, json_objects=200_000))


def test_what_is_no_protobuf_is_left_to_the_decoder() -> None:
    for body in (b"\xff" * 9_000, in_scope(b"\x12\x00" * 900)[:-1], b"\x0f" * 9_000):
        try:
            check_items(body, MOST, Signal.METRICS)
        except TooLarge:
            raise
        except Malformed:
            pytest.fail("the decoder says what is wrong with it, and salvage what is not")
