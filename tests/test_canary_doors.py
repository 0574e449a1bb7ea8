"""How the canary reaches doors."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import grpc
import pytest

from app.canary.doors import Doors, Where
from app.canary.promises import TAKEN_GRPC, Proof
from app.canary.run import Run

NOBODY = "http://127.0.0.1:1"
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "grpc_proxy")


class Answers(BaseHTTPRequestHandler):
    """200 to whatever is asked, and always the same."""

    body = b""

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("content-length") or 0))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.body)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


@contextmanager
def over_http(body: bytes = b"") -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), type("These", (Answers,), {"body": body}))
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def over_grpc() -> Iterator[str]:
    takes = {"Export": grpc.unary_unary_rpc_method_handler(lambda _sent, _context: b"")}
    service = "opentelemetry.proto.collector.trace.v1.TraceService"
    with ThreadPoolExecutor(1) as pool:
        server = grpc.server(pool, handlers=[grpc.method_handlers_generic_handler(service, takes)])
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.stop(None).wait()


@pytest.mark.parametrize("path", ["", "/spend"])
def test_a_proxy_for_the_world_is_not_asked_for_doors_of_this_machine(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in PROXIES:
        monkeypatch.setenv(name, NOBODY)
        monkeypatch.setenv(name.upper(), NOBODY)
    for name in ("no_proxy", "no_grpc_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    with over_http() as url, over_grpc() as grpc_url:
        here = Where(otlp=url, api=f"{url}{path}", grpc=grpc_url)
        with Doors(here, lambda: datetime.now(UTC)) as doors:
            assert doors.collector("/livez").said == "200"
            assert doors.api("/livez").said == "200"
            assert doors.send_over_grpc(b"").said == "OK"
        elsewhere = Where(otlp=url.replace("127.0.0.1", "spans.example"), api=url, grpc=None)
        with Doors(elsewhere, lambda: datetime.now(UTC)) as doors:
            assert "refused" in doors.collector("/livez").said, "by the proxy, which is away"


@pytest.mark.parametrize("body", [b"<p>Sign in</p>", b"[]", b"5", b'{"total": 5}', b"{}", b""])
def test_what_is_not_spanledger_is_told_as_that_whatever_it_answers(body: bytes) -> None:
    with over_http(body) as url:
        found = run(url)
    assert found["collector"] == "what answers is no collector of spanledger"
    if b"total" not in body:
        assert found["api"] == "what answers is no API of spanledger"


@pytest.mark.parametrize(
    "more", [b'"total": 5', b'"total": {"calls": "x"}', b'"total": {}, "partialSuccess": 5']
)
def test_an_answer_of_another_shape_ends_in_no_traceback(more: bytes) -> None:
    with over_http(b'{"database": "there", ' + more + b"}") as url:
        found = run(url)
    assert "another shape" in found["stored"]


def run(url: str) -> dict[str, str]:
    """What was seen of each promise."""
    proof, where = Proof(without=frozenset({TAKEN_GRPC})), Where(otlp=url, api=url, grpc=None)

    def clock() -> datetime:
        return datetime.now(UTC)

    with Doors(where, clock) as doors:
        Run(doors, proof, clock, timeout=0.1, still=0.1).go()
    assert not proof.all_kept
    return {each.promise.name: each.seen for each in proof.found()}
