"""The OTLP specification's smaller print, at both doors: what docs/otlp.md promises of it."""

import gzip
import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import grpc
import pytest
from doors import JSON, PROTOBUF, Doors, call, open_doors, other_span, request, text
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from serving import eventually

from collector.answers import LONGEST_ERROR, LONGEST_MESSAGE, refusal_of, success, success_as_json
from collector.errors import Malformed
from collector.limits import Limits
from collector.signals import Signal
from store.intake.intake import Account
from store.postgres.sessions import Database

pytestmark = pytest.mark.one_server

EXPORT = f"/{Signal.TRACES.service}/Export"


@pytest.fixture
def doors(database: Database) -> Iterator[Doors]:
    with open_doors(database) as opened:
        yield opened


def waits_for(doors: Doors, **sums: int) -> None:
    eventually(lambda: sums.items() <= doors.accounted().items(), f"{sums} are accounted for")


def connect(doors: Doors) -> socket.socket:
    host, port = doors.http.rsplit(":", 1)
    return socket.create_connection((host, int(port)), timeout=20)


def head(length: int | str, *lines: str) -> bytes:
    """Headers of a request of traces; ``length`` in bytes, or 'chunked'."""
    framed = f"content-length: {length}" if length != "chunked" else "transfer-encoding: chunked"
    told = ["POST /v1/traces HTTP/1.1", "host: x", f"content-type: {PROTOBUF}", framed, *lines]
    return "\r\n".join([*told, "", ""]).encode()


def heard_back(sender: socket.socket) -> bytes:
    """All that is answered until the connection ends."""
    said = b""
    while part := sender.recv(65536):
        said += part
    return said


def test_a_media_type_may_have_parameters_and_any_case(doors: Doors) -> None:
    body = request(call(1))
    for told in (f"{PROTOBUF}; charset=utf-8", "Application/X-Protobuf", f" {PROTOBUF} ;q=1"):
        answer = doors.post(body, told)
        assert (answer.status, answer.headers["content-type"]) == (200, PROTOBUF), told
    for told in (f'{JSON}; charset="utf-8"', f"{JSON};charset=utf-16"):
        answer = doors.post(b"{}", told)
        assert (answer.status, answer.headers["content-type"], answer.body) == (200, JSON, b"{}")
    assert doors.accounted()["duplicate"] == 2


def test_other_methods_are_told_in_kind(doors: Doors) -> None:
    for method in ("GET", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"):
        answer = doors.post(b"", method=method)
        assert (answer.status, answer.headers["allow"], answer.error().code) == (405, "POST", 12)
        answer = doors.post(b"", None, method=method)
        assert (answer.status, json.loads(answer.body)["code"]) == (405, 12)
    answer = doors.post(b"", method="HEAD")
    assert (answer.status, answer.body) == (405, b"")


def test_a_body_in_chunks_and_one_that_waits_for_our_word_are_taken(doors: Doors) -> None:
    body = request(call(1))
    with connect(doors) as sender:
        sender.sendall(head("chunked", "connection: close"))
        for at in range(0, len(body), 50):
            sender.sendall(b"%x\r\n%b\r\n" % (len(body[at : at + 50]), body[at : at + 50]))
        sender.sendall(b"0\r\n\r\n")
        assert heard_back(sender).startswith(b"HTTP/1.1 200 ")
    with connect(doors) as sender:
        sender.sendall(head(len(body), "connection: close", "expect: 100-continue"))
        assert sender.recv(4096).startswith(b"HTTP/1.1 100 ")
        sender.sendall(body)
        assert heard_back(sender).startswith(b"HTTP/1.1 200 ")
    assert doors.accounted()["heard"] == 2


def test_a_length_that_lies_costs_its_sender_alone(doors: Doors) -> None:
    body = request(call(1), call(2))
    with connect(doors) as sender:
        sender.sendall(head(len(body) - 9, "connection: close") + body)
        assert heard_back(sender).startswith(b"HTTP/1.1 400 ")
    with connect(doors) as sender:
        sender.sendall(head("-5", "connection: close") + body)
        assert b" 400 " in heard_back(sender)
    assert doors.post(body).status == 200
    assert doors.accounted()["heard"] == 2


def test_a_request_that_is_cut_anywhere_stores_nothing_and_holds_nothing(
    database: Database,
) -> None:
    body = request(call(1), call(2), call(3))
    whole = head(len(body)) + body
    # Room for three such requests: what a cut one went on holding would be missed.
    with open_doors(database, Limits(in_flight_bytes=3 * len(body))) as doors:
        for end in range(0, len(whole), max(1, len(whole) // 60)):
            with connect(doors) as sender:
                sender.sendall(whole[:end])
        assert doors.post(body).status == 200
        assert doors.accounted()["heard"] == 3


def test_a_body_that_does_not_come_is_told_so(database: Database) -> None:
    with open_doors(database, Limits(body_seconds=0.2)) as doors:
        with connect(doors) as sender:
            sender.sendall(head(1000) + b"\x0a")
            said = heard_back(sender)
        assert said.startswith(b"HTTP/1.1 503 ")
        assert b"retry-after: 3" in said
        assert b"connection: close" in said


def test_an_answer_that_is_lost_after_the_commit_costs_nothing(doors: Doors) -> None:
    body = request(call(1), call(2))
    with connect(doors) as sender:
        sender.sendall(head(len(body)) + body)
        waits_for(doors, stored=2)
    assert doors.post(body).status == 200
    with grpc.insecure_channel(doors.grpc) as channel:
        asked = channel.unary_unary(EXPORT).future(body, timeout=20)
        waits_for(doors, duplicate=4)
        asked.cancel()
    assert doors.accounted() == {
        "heard": 6, "stored": 2, "duplicate": 4, "not_a_call": 0, "refused": 0,
    }  # fmt: skip


def test_a_bad_item_of_json_is_refused_alone_and_told(doors: Doors) -> None:
    good = {
        "traceId": "0a" * 16,
        "spanId": "0b" * 8,
        "startTimeUnixNano": str(call(1).start_time_unix_nano),
        "attributes": [
            {"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}},
            {"key": "gen_ai.request.model", "value": {"stringValue": "gpt-5"}},
        ],
    }
    spans = [good, {**good, "kind": "SPAN_KIND_CLIENT"}, {**good, "spanId": "abc"}]
    body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}).encode()
    answer = doors.post(body, JSON)
    told = json.loads(answer.body)["partialSuccess"]
    assert (answer.status, told["rejectedSpans"]) == (200, "2")
    assert "kind must be an integer (1)" in told["errorMessage"]
    assert doors.accounted() == {
        "heard": 3, "stored": 1, "duplicate": 0, "not_a_call": 0, "refused": 2,
    }  # fmt: skip


def test_ids_that_are_none_are_refused_and_never_taken_for_each_other(doors: Doors) -> None:
    odd = []
    for trace in (b"", bytes(16), b"\x01" * 15, b"\x01" * 17):
        odd += [call(1), call(2)]
        for span in odd[-2:]:
            span.trace_id = trace
    for own in (b"", bytes(8), b"\x01" * 7, b"\x01" * 9):
        span = call(1)
        span.span_id = own
        odd.append(span)
    told = doors.post(request(*odd, call(1))).export().partial_success
    assert told.rejected_spans == 12
    assert "trace_id: not 16 bytes, or all zero (8)" in told.error_message
    assert doors.stored() == 1


def test_strange_names_and_values_cost_no_neighbour(doors: Doors) -> None:
    strange = call(1, **{"gen_ai__response__id": "a\0b", "x\0y": "\0"})
    strange.name = "chat\0"
    strange.attributes.append(text("k" * 2**20, "v"))
    strange.attributes.extend(text(f"key.{n}", "v") for n in range(10_000))
    for key in (
        "__proto__",
        "constructor.prototype.x",
        "__class__.__init__",
        "a.b",
        "a",
        "a." * 99,
    ):
        strange.attributes.append(text(key, "polluted"))
    answer = doors.post(request(strange, call(2), other_span(3)))
    assert (answer.status, answer.body) == (200, b"")
    assert doors.stored() == 2


def test_what_is_packed_twice_is_unpacked_once(doors: Doors) -> None:
    body = gzip.compress(gzip.compress(request(call(1))))
    assert doors.post(body, content_encoding="gzip").status == 400


def test_an_answer_is_bounded_whatever_went_wrong() -> None:
    reasons = {f"{'ä' * 500}{number}": number for number in range(1, 500)}
    account = Account(10**6, 0, 0, 0, reasons, {})
    for signal in Signal:
        answer = success(account, signal)
        assert len(answer) < LONGEST_MESSAGE + 32
        assert len(success_as_json(account, signal)) < LONGEST_MESSAGE + 99
    assert ExportTraceServiceResponse.FromString(
        success(account, Signal.TRACES)
    ).partial_success.rejected_spans == sum(reasons.values())
    refusal = refusal_of(Malformed("ä" * 10_000))
    assert len(refusal.message.encode()) <= LONGEST_ERROR
    assert Status.FromString(refusal.body(as_json=False)).message == refusal.message


def test_grpc_is_taken_in_each_compression_that_it_has(doors: Doors) -> None:
    with grpc.insecure_channel(doors.grpc) as channel:
        for number, how in enumerate(grpc.Compression, start=1):
            channel.unary_unary(EXPORT)(request(call(number)), timeout=20, compression=how)
    assert doors.stored() == len(grpc.Compression)


def test_grpc_is_told_at_once_what_is_too_much(database: Database) -> None:
    with (
        open_doors(database, Limits(spans=3)) as doors,
        grpc.insecure_channel(doors.grpc) as channel,
        pytest.raises(grpc.RpcError) as refused,
    ):
        channel.unary_unary(EXPORT)(request(*map(call, range(1, 9))), timeout=20)
    assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    trailers = dict(refused.value.trailing_metadata())
    # With a RetryInfo senders would send it again.
    assert Status.FromString(trailers["grpc-status-details-bin"]).details == []
    assert "google.rpc.retryinfo-bin" not in trailers


def test_streams_that_are_given_up_harm_no_other(doors: Doors) -> None:
    bodies = [request(call(number, trace=number)) for number in range(1, 201)]
    with (
        closing(grpc.insecure_channel(doors.grpc)) as channel,
        ThreadPoolExecutor(8) as senders,
    ):
        export = channel.unary_unary(EXPORT)

        def send(number: int) -> None:
            if number % 3 == 0:
                export.future(bodies[number], timeout=0.001)
            elif number % 3 == 1:
                export.future(bodies[number], timeout=20).cancel()
            export(bodies[number], timeout=20)

        list(senders.map(send, range(len(bodies))))
    sums = doors.accounted()
    assert sums["stored"] == doors.stored() == len(bodies)
    assert sums["heard"] == sums["stored"] + sums["duplicate"]
