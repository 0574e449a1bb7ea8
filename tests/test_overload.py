"""What senders do too slowly, too often or too much is bounded, and others go on being served."""

import http.client
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path

import grpc
import pytest
from collecting import collecting
from doors import PEPPER, PROTOBUF, Doors, call, open_doors, request
from serving import eventually

from collector.limits import MIB, Limits
from store.access.keys import create_key
from store.postgres.sessions import Database
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
HEAD = f"POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: {PROTOBUF}\r\n".encode()


def opened(address: str, said: bytes = b"") -> socket.socket:
    host, port = address.split(":")
    connection = socket.create_connection((host, int(port)), timeout=20)
    connection.sendall(said)
    return connection


def heard(connection: socket.socket) -> bytes:
    """All that comes until the other side hangs up."""
    said = b""
    try:
        while part := connection.recv(65536):
            said += part
    except ConnectionResetError:
        pass
    connection.close()
    return said


@pytest.fixture
def strict(database: Database) -> Iterator[Doors]:
    """Doors of little room."""
    with open_doors(database, Limits(connections=8)) as doors:
        yield doors


def test_who_sends_too_slowly_or_nothing_at_all_is_hung_up_on(database: Database) -> None:
    limits = Limits(header_seconds=0.3, body_pause_seconds=0.3, idle_seconds=1)
    with open_doors(database, limits) as doors:
        silent = opened(doors.http)
        slow_header = opened(doors.http, HEAD)
        slow_body = opened(doors.http, HEAD + b"content-length: 1000\r\n\r\nx")
        assert heard(slow_header) == b""
        assert heard(slow_body).startswith(b"HTTP/1.1 503 ")
        assert heard(silent) == b""
        # On a busy machine even we may be too slow once.
        eventually(lambda: is_taken(doors), "who sends at once is heard")


def is_taken(doors: Doors) -> bool:
    try:
        return doors.post(request(call(1))).status == 200
    except (OSError, http.client.HTTPException):
        return False


def test_for_one_connection_too_many_the_one_that_waits_longest_is_closed(strict: Doors) -> None:
    waiting = [opened(strict.http) for _ in range(20)]
    assert [heard(connection) for connection in waiting[:12]] == [b""] * 12
    assert strict.post(request(call(1))).status == 200
    for connection in waiting[12:]:
        connection.close()


def test_where_all_connections_are_at_work_one_more_is_told_to_come_again(
    database: Database,
) -> None:
    half = HEAD + b"content-length: 1000\r\n\r\nx"
    with open_doors(database, Limits(connections=3)) as doors, ExitStack() as busy:
        for _ in range(3):
            connection = busy.enter_context(opened(doors.http, HEAD + b"expect: 100-continue\r\n"))
            connection.sendall(half.removeprefix(HEAD))
            assert connection.recv(100).startswith(b"HTTP/1.1 100 ")
        said = heard(opened(doors.http))
        assert said.startswith(b"HTTP/1.1 503 ")
        assert b"\r\nretry-after: 3\r\n" in said


def test_headers_without_an_end_are_refused(strict: Doors) -> None:
    connection = opened(strict.http, HEAD)
    with suppress(OSError):  # it hangs up before it has all
        connection.sendall(b"".join(b"x-%d: %s\r\n" % (n, b"z" * 9_000) for n in range(100)))
    assert b" 200 " not in heard(connection)
    assert strict.post(request(call(1))).status == 200


def test_requests_sent_ahead_are_answered_and_a_flood_of_them_is_not(strict: Doors) -> None:
    one = HEAD + b"content-length: 0\r\n\r\n"
    last = HEAD + b"connection: close\r\ncontent-length: 0\r\n\r\n"
    assert heard(opened(strict.http, 4 * one + last)).count(b"HTTP/1.1 200 ") == 5
    assert heard(opened(strict.http, 1000 * one)).count(b"HTTP/1.1 200 ") < 1000


def test_one_key_does_not_take_the_memory_of_all(database: Database) -> None:
    keys = []
    for name in ("loud", "quiet"):
        with database.write() as session:
            key = create_key(
                session, tenant=TENANT, kind="ingest", name=name, team=None, pepper=PEPPER,
                now=datetime.now(UTC),
            )  # fmt: skip
        keys.append(key)
    loud, quiet = keys
    with open_doors(database, Limits(in_flight_bytes=10_000, key_bytes=1_000)) as doors:
        answer = doors.post(b"\0" * 2_000, x_api_key=loud)
        assert (answer.status, answer.headers["retry-after"]) == (503, "3")
        assert "of this key" in answer.error().message
        host, port = doors.http.split(":")
        held = http.client.HTTPConnection(host, int(port), timeout=20)
        held.putrequest("POST", "/v1/traces")
        for name, value in {"content-type": PROTOBUF, "x-api-key": loud}.items():
            held.putheader(name, value)
        held.putheader("content-length", "990")
        held.endheaders(b"\0" * 980)
        assert doors.post(request(call(1)), x_api_key=quiet).status == 200
        held.close()


def test_a_connection_that_waits_when_all_ends_gets_its_last_answer(database: Database) -> None:
    with open_doors(database) as doors:
        connection = http.client.HTTPConnection(doors.http, timeout=20)
        for span in range(1, 10_000):
            body = request(call(span))
            connection.request("POST", "/v1/traces", body, {"content-type": PROTOBUF})
            answer = connection.getresponse()
            assert (answer.status, answer.read()) == (200, b"")
            doors.stop.set()
            if answer.getheader("connection") == "close":
                break
        assert doors.stored() == span


def test_a_thousand_streams_and_some_that_never_send_are_survived(database: Database) -> None:
    with (
        open_doors(database, Limits(body_pause_seconds=0.3)) as doors,
        grpc.insecure_channel(doors.grpc) as channel,
    ):
        enough = threading.Event()
        stuck = channel.stream_unary(EXPORT, None, None)
        never = [stuck.future(iter(enough.wait, True)) for _ in range(20)]
        export = channel.unary_unary(EXPORT, None, None)
        body = request(call(1))
        answers = [export.future(body, timeout=20) for _ in range(1000)]
        ends = {how_it_ends(answer) for answer in answers}
        assert ends <= {grpc.StatusCode.OK, grpc.StatusCode.UNAVAILABLE}
        assert {how_it_ends(each) for each in never} == {grpc.StatusCode.UNAVAILABLE}
        enough.set()
        assert export(body, timeout=20) == b""
        assert doors.stored() == 1


def how_it_ends(future: "grpc.Future[bytes]") -> grpc.StatusCode:
    try:
        future.result(timeout=20)
    except grpc.RpcError as error:
        code: grpc.StatusCode = error.code()
        return code
    return grpc.StatusCode.OK


def test_a_storm_of_large_requests_does_not_take_all_memory(
    data_dir: Path, database_url: str
) -> None:
    """Thirty of 19 MiB at once are 570: 256 of that may be in flight, and a little beside."""
    body = memoryview(b"\xff" * (19 * MIB))
    with collecting(data_dir, database_url) as collector:
        (worker,) = collector.workers()
        before = most_resident(worker)
        begun = HEAD + f"content-length: {len(body)}\r\n\r\n".encode()

        def all_but_a_byte(_: int) -> socket.socket:
            connection = opened(collector.http, begun)
            connection.sendall(body[:-1])
            return connection

        with ThreadPoolExecutor(4) as senders:
            storm = list(senders.map(all_but_a_byte, range(30)))
        for connection in storm:
            connection.sendall(body[-1:])
        answers = {connection.recv(65536).split(b" ")[1] for connection in storm}
        assert answers == {b"400", b"503"}
        assert most_resident(worker) - before < 450 * MIB
        assert collector.workers() == {worker}
        for connection in storm:
            connection.close()


def most_resident(pid: int) -> int:
    """Bytes."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    (most,) = [line for line in lines if line.startswith("VmHWM:")]
    return int(most.split()[1]) * 1024
