"""The OTLP/HTTP door answers as the specification says, to good requests and to bad ones."""

import gzip
import http.client
import json
import socket
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from doors import JSON, NOON, PEPPER, PROTOBUF, Doors, call, open_doors, other_span, request, varint
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from collector.limits import Limits
from store.access.keys import create_key, list_keys, revoke_key
from store.postgres.sessions import Database
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

MIB = 2**20


def packed(body: bytes) -> bytes:
    frame: bytes = pa.Codec("zstd").compress(body).to_pybytes()
    return frame


@pytest.fixture
def doors(database: Database) -> Iterator[Doors]:
    with open_doors(database) as opened:
        yield opened


@pytest.mark.parametrize("compression", [Compression.NoCompression, Compression.Gzip])
def test_a_real_exporter_finds_every_call_stored(doors: Doors, compression: Compression) -> None:
    exporter = OTLPSpanExporter(f"http://{doors.http}/v1/traces", compression=compression)
    provider = TracerProvider(resource=Resource({"service.name": "search-api"}))
    provider.add_span_processor(BatchSpanProcessor(exporter))
    for _ in range(20):
        with provider.get_tracer("test").start_as_current_span("chat") as span:
            span.set_attributes(
                {
                    "gen_ai.operation.name": "chat",
                    "gen_ai.provider.name": "openai",
                    "gen_ai.request.model": "gpt-5",
                    "gen_ai.usage.input_tokens": 10,
                }
            )
    provider.shutdown()
    assert doors.stored() == 20


def test_full_success_is_an_empty_answer_of_the_same_type(doors: Doors) -> None:
    answer = doors.post(request(call(1), other_span(2)))
    assert (answer.status, answer.headers["content-type"], answer.body) == (200, PROTOBUF, b"")
    answer = doors.post(as_json("0a", "0B"), f"{JSON}; charset=utf-8")
    assert (answer.status, answer.headers["content-type"], answer.body) == (200, JSON, b"{}")
    assert doors.accounted() == {
        "heard": 4, "stored": 3, "duplicate": 0, "not_a_call": 1, "refused": 0,
    }  # fmt: skip


def as_json(*span_ids: str) -> bytes:
    start = int(NOON.timestamp()) * 10**9
    spans = [
        {
            "traceId": "5B8EFFF798038103D269B633813FC60C",
            "spanId": span_id.rjust(16, "0"),
            "name": "chat gpt-5",
            "kind": 3,
            "startTimeUnixNano": str(start),
            "endTimeUnixNano": start + 1_000_000,
            "attributes": [
                {"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}},
                {"key": "gen_ai.provider.name", "value": {"stringValue": "openai"}},
                {"key": "gen_ai.request.model", "value": {"stringValue": "gpt-5"}},
                {"key": "gen_ai.usage.input_tokens", "value": {"intValue": "10"}},
            ],
        }
        for span_id in span_ids
    ]
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}).encode()


@pytest.mark.parametrize("body", [b"", request()])
def test_an_empty_request_succeeds(doors: Doors, body: bytes) -> None:
    answer = doors.post(body)
    assert (answer.status, answer.body) == (200, b"")
    assert doors.accounted()["heard"] == 0


def test_sent_twice_is_stored_once_and_welcome_both_times(doors: Doors) -> None:
    body = request(call(1), call(2))
    assert [doors.post(body).status for _ in range(2)] == [200, 200]
    assert doors.stored() == 2
    assert doors.accounted()["duplicate"] == 2


@pytest.mark.parametrize(
    ("encoding", "compress"),
    [
        ("gzip", gzip.compress),
        ("GZIP", gzip.compress),
        ("x-gzip", lambda body: gzip.compress(body[:9]) + gzip.compress(body[9:])),
        ("deflate", zlib.compress),
        ("zstd", packed),
        ("deflate", lambda body: zlib.compress(body)[2:-4]),
        ("identity", lambda body: body),
    ],
)
def test_every_encoding_that_is_told_to_senders_is_taken(
    doors: Doors, encoding: str, compress: object
) -> None:
    assert callable(compress)
    answer = doors.post(compress(request(call(1))), content_encoding=encoding)
    assert answer.status == 200
    assert doors.stored() == 1


def test_refused_spans_are_counted_and_their_neighbours_kept(doors: Doors) -> None:
    nameless = call(2)
    nameless.trace_id = b"short"
    answer = doors.post(request(call(1), nameless, call(3)))
    assert answer.status == 200
    told = answer.export().partial_success
    assert told.rejected_spans == 1
    assert told.error_message.startswith("spans refused: ")
    assert doors.stored() == 2
    assert doors.accounted()["refused"] == 1


def test_refused_usage_is_a_warning_and_the_call_is_kept(doors: Doors) -> None:
    answer = doors.post(request(call(1, tokens=-5)))
    told = answer.export().partial_success
    assert (answer.status, told.rejected_spans) == (200, 0)
    assert told.error_message.startswith("calls kept without usage: ")
    assert doors.stored() == 1


ZIPPED = {"content_encoding": "gzip"}
DEFLATED = {"content_encoding": "deflate"}
ZSTD = {"content_encoding": "zstd"}
BAD = {
    "no protobuf": (b"\xff\xff\xff", PROTOBUF, {}, 400, 3),
    "cut off": (request(call(1))[:-7], PROTOBUF, {}, 400, 3),
    "no JSON": (b'{"resourceSpans": [', JSON, {}, 400, 3),
    "JSON of another shape": (b'{"resourceSpans": {"a": 1}}', JSON, {}, 400, 3),
    "a JSON array": (b"[]", JSON, {}, 400, 3),
    "empty JSON body": (b"", JSON, {}, 400, 3),
    "deep JSON": (b"[" * 100_000, JSON, {}, 400, 3),
    "no gzip": (b"plain", PROTOBUF, ZIPPED, 400, 3),
    "gzip cut off": (gzip.compress(b"x" * 999)[:-9], PROTOBUF, ZIPPED, 400, 3),
    "gzip with a tail": (gzip.compress(b"") + b"x", PROTOBUF, ZIPPED, 400, 3),
    "empty gzip": (b"", PROTOBUF, ZIPPED, 400, 3),
    "many gzip members": (gzip.compress(b"") * 9999, PROTOBUF, ZIPPED, 400, 3),
    "no deflate": (b"\xff" * 9, PROTOBUF, DEFLATED, 400, 3),
    "unknown encoding": (b"", PROTOBUF, {"content_encoding": "br"}, 415, 3),
    "no zstd": (b"plain", PROTOBUF, ZSTD, 400, 3),
    "zstd cut off": (packed(b"x" * 999)[:-5], PROTOBUF, ZSTD, 400, 3),
    "empty zstd": (b"", PROTOBUF, ZSTD, 400, 3),
    "two encodings": (b"", PROTOBUF, {"content_encoding": "gzip, gzip"}, 415, 3),
    "text": (b"", "text/plain", {}, 415, 3),
    "almost protobuf": (b"", "application/x-protobuffer", {}, 415, 3),
    "no type": (b"", None, {}, 415, 3),
    "too large": (b"\0" * (20 * MIB + 1), PROTOBUF, {}, 413, 8),
    "GET": (b"", PROTOBUF, {"method": "GET"}, 405, 12),
    "PUT": (b"x", PROTOBUF, {"method": "PUT"}, 405, 12),
    "OPTIONS": (b"", PROTOBUF, {"method": "OPTIONS"}, 405, 12),
    "elsewhere": (b"", PROTOBUF, {"path": "/v2/traces"}, 404, 5),
    "profiles": (b"", PROTOBUF, {"path": "/v1development/profiles"}, 404, 5),
}  # fmt: skip


def bombs() -> dict[str, tuple[bytes, str, dict[str, str], int, int]]:
    """Made where they are used: it takes a second."""
    opened = b"\0" * 200 * MIB
    return {
        "gzip bomb": (gzip.compress(opened, 1), PROTOBUF, ZIPPED, 413, 8),
        "deflate bomb": (zlib.compress(opened, 1), PROTOBUF, DEFLATED, 413, 8),
        "zstd bomb": (packed(opened), PROTOBUF, ZSTD, 413, 8),
    }


def test_a_bad_request_is_told_why_and_harms_nobody(doors: Doors) -> None:
    assert doors.post(request(call(1))).status == 200
    for name, (body, content_type, options, status, code) in (BAD | bombs()).items():
        answer = doors.post(body, content_type, **options)
        assert answer.status == status, (name, answer)
        if content_type == PROTOBUF:
            assert answer.headers["content-type"] == PROTOBUF, name
            told = answer.error()
            assert (told.code, bool(told.message)) == (code, True), (name, told)
        else:
            assert answer.headers["content-type"] == JSON, name
            found = json.loads(answer.body)
            assert (found["code"], bool(found["message"])) == (code, True), (name, found)
        assert "retry-after" not in answer.headers, name
    assert doors.post(b"", method="GET").headers["allow"] == "POST"
    assert doors.post(request(call(2))).status == 200
    assert doors.accounted() == {
        "heard": 2, "stored": 2, "duplicate": 0, "not_a_call": 0, "refused": 0,
    }  # fmt: skip


@pytest.mark.parametrize("claimed", ["99999999999", "chunked"])
def test_a_body_is_measured_and_not_believed(doors: Doors, claimed: str) -> None:
    host, port = doors.http.split(":")
    length = "transfer-encoding: chunked" if claimed == "chunked" else f"content-length: {claimed}"
    with socket.create_connection((host, int(port)), timeout=20) as sender:
        sender.sendall(
            f"POST /v1/traces HTTP/1.1\r\nhost: x\r\nconnection: close\r\n"
            f"content-type: {PROTOBUF}\r\nexpect: 100-continue\r\n{length}\r\n\r\n".encode()
        )
        if claimed == "chunked":
            part = b"100000\r\n" + b"\0" * MIB + b"\r\n"
            for _ in range(22):
                sender.sendall(part)
            sender.sendall(b"0\r\n\r\n")
        said = b""
        while chunk := sender.recv(65536):
            said += chunk
    assert b"HTTP/1.1 413 " in said


def test_a_request_of_many_empty_spans_is_refused_before_it_takes_memory(doors: Doors) -> None:
    spans = b"\x12\x00" * 60_000
    scopes = b"\x12" + varint(len(spans)) + spans
    answer = doors.post(b"\x0a" + varint(len(scopes)) + scopes)
    assert answer.status == 413
    assert answer.error().message == "more than 50,000 spans in one request"
    assert doors.post(b"\x0a\x00" * 200_000).status == 413


def test_a_json_request_of_many_empty_objects_is_refused_before_it_takes_memory(
    doors: Doors,
) -> None:
    answer = doors.post(b'{"resourceSpans":[' + b"{}," * 2_000_000 + b"{}]}", JSON)
    assert (answer.status, json.loads(answer.body)["code"]) == (413, 8)


def test_requests_beyond_the_memory_of_all_are_told_to_come_again(database: Database) -> None:
    with open_doors(database, Limits(in_flight_bytes=1000)) as doors:
        answer = doors.post(b"\0" * 2000)
        assert (answer.status, answer.headers["retry-after"]) == (503, "3")
        assert answer.error().details[0].type_url.endswith("google.rpc.RetryInfo")
        assert doors.post(request(call(1))).status == 200


def test_one_connection_serves_good_requests_after_bad_ones(doors: Doors) -> None:
    connection = http.client.HTTPConnection(doors.http, timeout=20)
    for body, status in ((b"\xff", 400), (request(call(1)), 200), (b"\xff", 400)):
        connection.request("POST", "/v1/traces", body, {"content-type": PROTOBUF})
        response = connection.getresponse()
        response.read()
        assert response.status == status
    connection.close()


def make_key(database: Database, kind: str = "ingest") -> str:
    with database.write() as session:
        return create_key(
            session,
            tenant=TENANT,
            kind=kind,
            name="for tests",
            team="payments",
            pepper=PEPPER,
            now=datetime.now(UTC),
        )


def test_once_there_is_a_key_a_sender_needs_one(database: Database) -> None:
    key, reader = make_key(database), make_key(database, "read")
    with open_doors(database) as doors:
        for headers in ({}, {"authorization": "Bearer wrong"}, {"x_api_key": reader}):
            answer = doors.post(request(call(1)), **headers)
            assert (answer.status, answer.error().code) == (401, 16)
            assert answer.headers["www-authenticate"] == "Bearer"
        assert doors.stored() == 0
        assert doors.post(request(call(1)), authorization=f"bearer {key}").status == 200
        assert doors.post(request(call(2)), x_api_key=key).status == 200
        assert doors.stored() == 2


def test_revoking_the_last_key_does_not_open_the_door(database: Database) -> None:
    key = make_key(database)
    with database.write() as session:
        (listed,) = list_keys(session, tenant=TENANT)
        revoke_key(session, listed.id, tenant=TENANT, now=datetime.now(UTC))
    with open_doors(database) as doors:
        assert doors.post(request(call(1))).status == 401
        assert doors.post(request(call(1)), x_api_key=key).status == 401


def test_through_a_proxy_nobody_is_local(doors: Doors) -> None:
    assert doors.post(request(call(1)), x_forwarded_for="192.0.2.1").status == 401
    assert doors.post(request(call(1)), x_real_ip="192.0.2.1").status == 401


def test_a_page_whose_name_was_made_to_point_here_is_not_of_this_machine(doors: Doors) -> None:
    def told(host: str) -> list[int]:
        asked = doors.post(b"", None, path="/metrics", method="GET", host=host)
        return [doors.post(request(call(1)), host=host).status, asked.status]

    for ours in ("127.0.0.1:4318", "[::1]:4318", "localhost", "collector:4318"):
        assert told(ours) == [200, 200]
    for of_containers in ("host.docker.internal:4318", "Host.Containers.internal"):
        assert told(of_containers) == [200, 200]
    for theirs in ("page.example:4318", "127.0.0.1.page.example", "[::1", "localhost."):
        assert told(theirs) == [401, 401]
