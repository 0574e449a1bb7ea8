"""OTLP/JSON says the same as protobuf, by OTLP's own rules and not by protobuf's JSON."""

import json
import re
from typing import Any

import orjson
import pytest
from deliveries import as_otlp_json
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from spans import START, VECTORS, heard, only

from collector.errors import Malformed
from collector.otlp_json.request import to_protobuf
from collector.signals import Signal

TRACE, SPAN = "0102030405060708090a0b0c0d0e0f10", "0102030405060708"


def body(**changes: Any) -> dict[str, Any]:
    span = {
        "traceId": TRACE,
        "spanId": SPAN,
        "name": "chat gpt-4o",
        "kind": 3,
        "startTimeUnixNano": str(START),
        "endTimeUnixNano": START + 10**9,
        "attributes": [
            {"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}},
            {"key": "gen_ai.usage.input_tokens", "value": {"intValue": "1000"}},
            {"key": "gen_ai.usage.output_tokens", "value": {"intValue": 50}},
        ],
        "status": {},
        **changes,
    }
    return {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}


def read(told: bytes) -> bytes:
    """The request in a body, of which nothing is left out."""
    request = to_protobuf(told, Signal.TRACES)
    assert request.left_out == {}
    return request.body


@pytest.mark.parametrize("signal", Signal)
def test_json_and_protobuf_are_understood_alike(signal: Signal) -> None:
    files = sorted(VECTORS.glob(f"*/*-{signal}-*.pb"))
    assert files
    for file in files:
        request = file.read_bytes()
        as_json = to_protobuf(as_otlp_json(request, signal), signal).body
        one, other = heard(request, signal=signal), heard(as_json, signal=signal)
        assert one == other, file


@pytest.mark.parametrize("hexed", [str.upper, str.lower])
def test_ids_are_hex_in_any_case(hexed: Any) -> None:
    told = body(traceId=hexed("ABCDEF" + TRACE[6:]), spanId=hexed("ABCDEF" + SPAN[6:]))
    one = only(heard(read(orjson.dumps(told))))
    assert one.trace_id.hex.startswith("abcdef")
    assert one.usage == {"input": 1000, "output": 50}


@pytest.mark.parametrize("spoiled", ["", "xyz", "0102", 5, None, TRACE + "00", "AQIDBAUGBwg="])
def test_an_id_that_is_none_costs_its_span(spoiled: object) -> None:
    told = body()
    spans = told["resourceSpans"][0]["scopeSpans"][0]["spans"]
    spans.append({**spans[0], "spanId": spoiled})
    understood = heard(read(orjson.dumps(told)))
    assert understood.refused == {"span_id: not 8 bytes, or all zero": 1}
    assert understood.sightings.num_rows == 1


@pytest.mark.parametrize(
    ("whole", "fault"),
    [
        ("-5", "is negative"),
        (1.5, "is not a whole number"),
        (10**30, "is too large"),
        ("ten", "is not a number"),
        (True, "is true or false, not a number"),
    ],
)
def test_a_number_that_is_none_costs_the_usage(whole: object, fault: str) -> None:
    attributes = [
        {"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}},
        {"key": "gen_ai.usage.input_tokens", "value": {"intValue": whole}},
    ]
    one = only(heard(read(json.dumps(body(attributes=attributes)).encode())))
    assert one.details["usage_refused"] == [f"usage: gen_ai.usage.input_tokens {fault}"]


def test_half_an_emoji_costs_nothing_but_itself() -> None:
    text = json.dumps(body(name="XX"))
    for escape, name in (
        (r"\ud83d", "\ufffd"),
        (r"\ud83d\ude00", "\U0001f600"),
        (r"\\ud83d", "\\ud83d"),
        (r"\ude00\ud83d", "\ufffd\ufffd"),
    ):
        mended = read(text.replace("XX", escape + r"\ud800").encode())
        request = ExportTraceServiceRequest.FromString(mended)
        assert request.resource_spans[0].scope_spans[0].spans[0].name == name + "\ufffd"


@pytest.mark.parametrize(
    ("told", "says"),
    [
        (b"", "JSON"),
        (b"{", "JSON"),
        (b"[]", "an object is expected"),
        (b"NaN", "an object is expected"),
        (b"\xff", "JSON"),
        (b"[" * 5_000, "JSON"),
        (b'{"resourceSpans": {}}', "resourceSpans must be a list"),
        (b'{"resourceSpans": [3]}', "resourceSpans[0] must be an object"),
        (
            b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"kind": "SPAN_KIND_CLIENT"}]}]}]}',
            "spans: kind must be an integer",
        ),
        (
            b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"name": 3}]}]}]}',
            "spans: name must be a string",
        ),
        (
            b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"status": 3}]}]}]}',
            "spans: status must be an object",
        ),
    ],
    ids=[str(number) for number in range(11)],
)
def test_what_is_no_request_is_refused_with_its_place(told: bytes, says: str) -> None:
    with pytest.raises(Malformed, match=re.escape(says)):
        to_protobuf(told, Signal.TRACES)


def test_unknown_members_and_other_spellings_are_ignored() -> None:
    told = {"resource_spans": [{}], "more": 1, **body(trace_state={"a": 1}, flags="x")}
    assert only(heard(read(orjson.dumps(told)))).usage["input"] == 1000


def test_values_nested_deeper_than_anything_kept_are_left_out() -> None:
    value: dict[str, Any] = {"intValue": 1}
    for _ in range(60):
        value = {"arrayValue": {"values": [value]}}
    told = body()
    told["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["attributes"].append(
        {"key": "deep", "value": value}
    )
    assert only(heard(read(orjson.dumps(told)))).usage["input"] == 1000
