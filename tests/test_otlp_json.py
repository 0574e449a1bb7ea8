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
from collector.limits import Limits
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
    request = to_protobuf(told, Signal.TRACES, Limits())
    assert request.left_out == {}
    return request.body


@pytest.mark.parametrize("signal", Signal)
def test_json_and_protobuf_are_understood_alike(signal: Signal) -> None:
    files = sorted(VECTORS.glob(f"*/*-{signal}-*.pb"))
    assert files
    for file in files:
        request = file.read_bytes()
        as_json = to_protobuf(as_otlp_json(request, signal), signal, Limits()).body
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
        ("1e3", "is not a number"),
        ("\uff11\uff12", "is not a number"),
        ("12_000", "is not a number"),
        (str(2**63), "is too large"),
        (2**70, "is too large"),
        ("9" * 400, "is not a number"),
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


@pytest.mark.parametrize("whole", ["1000", 1000, 1000.0], ids=["text", "number", "real"])
def test_a_64_bit_integer_is_a_text_or_a_number(whole: object) -> None:
    attributes = [
        {"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}},
        {"key": "gen_ai.usage.input_tokens", "value": {"intValue": whole}},
        {"key": "gen_ai.usage.output_tokens", "value": {"intValue": None}},
    ]
    told = body(attributes=attributes, startTimeUnixNano=START, endTimeUnixNano=str(START))
    one = only(heard(read(json.dumps(told).encode())))
    assert (one.usage, one.duration_us) == ({"input": 1000}, 0)


@pytest.mark.parametrize("bare", ["NaN", "Infinity", "-Infinity", "1e400", "9" * 400])
def test_a_number_that_is_beyond_json_costs_the_usage(bare: str) -> None:
    attributes = [
        {"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}},
        {"key": "gen_ai.usage.input_tokens", "value": {"doubleValue": "BARE"}},
    ]
    told = json.dumps(body(attributes=attributes)).replace('"BARE"', bare)
    one = only(heard(read(told.encode())))
    assert one.details["usage_refused"][0].startswith("usage: gen_ai.usage.input_tokens is ")


def spans_of(told: dict[str, Any]) -> list[Any]:
    spans: list[Any] = told["resourceSpans"][0]["scopeSpans"][0]["spans"]
    return spans


@pytest.mark.parametrize(
    ("spoiled", "why"),
    [
        ({"kind": "SPAN_KIND_CLIENT"}, "spans: kind must be an integer"),
        ({"kind": True}, "spans: kind must be an integer"),
        ({"name": 5}, "spans: name must be a string"),
        ({"status": {"code": "STATUS_CODE_OK"}}, "spans: status.code must be an integer"),
        ({"attributes": {}}, "spans: attributes must be a list"),
        ({"attributes": [1]}, "spans: attributes[] must be an object"),
        ({"attributes": [{}, {"key": 1}]}, "spans: attributes[].key must be a string"),
        ({"events": [{"name": []}]}, "spans: events[].name must be a string"),
        (None, "spans: must be an object"),
    ],
)
def test_one_bad_span_loses_one_span(spoiled: dict[str, Any] | None, why: str) -> None:
    told = body()
    good = spans_of(told)[0]
    bad = spoiled if spoiled is None else {**good, **spoiled}
    spans_of(told)[:] = [good, bad, {**good, "spanId": SPAN[::-1]}, bad]
    request = to_protobuf(orjson.dumps(told), Signal.TRACES, Limits())
    assert request.left_out == {why: 2}
    assert heard(request.body).sightings.num_rows == 2


def test_one_bad_record_or_metric_is_lost_alone_too() -> None:
    records = [{"severityNumber": "INFO"}, {"timeUnixNano": str(START)}]
    told: dict[str, Any] = {"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]}
    assert to_protobuf(orjson.dumps(told), Signal.LOGS, Limits()).left_out == {
        "logRecords: severityNumber must be an integer": 1
    }
    metrics = [{"name": "a", "sum": {"aggregationTemporality": "DELTA"}}, {"name": "b"}]
    told = {"resourceMetrics": [{"scopeMetrics": [{"metrics": metrics}]}]}
    assert to_protobuf(orjson.dumps(told), Signal.METRICS, Limits()).left_out == {
        "metrics: sum.aggregationTemporality must be an integer": 1
    }


def test_enums_that_nobody_knows_are_no_fault() -> None:
    for number in (-1, 99, 2**31 - 1, 2**40):
        told = body(kind=number, status={"code": number})
        assert only(heard(read(orjson.dumps(told)))).usage["input"] == 1000


@pytest.mark.parametrize("encoding", ["utf-8-sig", "latin-1"])
def test_text_that_is_no_plain_utf8_costs_no_call(encoding: str) -> None:
    told = json.dumps(body(name="caf\u00e9 \x7f"), ensure_ascii=False)
    assert only(heard(read(told.encode(encoding)))).usage["input"] == 1000
    broken = told.encode().replace(b"\x7f", b"\xed\xa0\x80\n\t")
    assert only(heard(read(broken))).usage["input"] == 1000


def test_of_a_name_that_comes_twice_the_last_counts() -> None:
    told = orjson.dumps(body()).replace(b'"kind":3', b'"kind":"x","kind":3')
    assert only(heard(read(told))).usage["input"] == 1000


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
        (json.dumps({"resourceSpans": []}).encode("utf-16"), "JSON"),
        (b'{"resourceSpans": [{"a": ' + b"[" * 100_000, "JSON"),
        (b'{"a": ' + b'{"a": ' * 5_000 + b"1" + b"}" * 5_001, "JSON"),
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
    ids=[str(number) for number in range(14)],
)
def test_what_is_no_request_is_refused_with_its_place(told: bytes, says: str) -> None:
    with pytest.raises(Malformed, match=re.escape(says)):
        to_protobuf(told, Signal.TRACES, Limits())


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
