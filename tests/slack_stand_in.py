"""A local HTTP server that stands in for Slack: it records what it gets and answers as told."""

import contextlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Handler = BaseHTTPRequestHandler
Behaviour = Callable[[Handler], None]


def answer(status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Behaviour:
    """Answers with a status, a body and headers."""

    def behave(handler: Handler) -> None:
        handler.send_response(status)
        for name, value in (headers or {}).items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return behave


OK = answer(200, b"ok")


def close_in_the_body(handler: Handler) -> None:
    """Promises more than it sends."""
    handler.send_response(200)
    handler.send_header("Content-Length", "100")
    handler.end_headers()
    handler.wfile.write(b"o")
    handler.close_connection = True


@dataclass
class StandIn:
    """What it got, and what it answers: ``script`` in turn, then ``ok`` for ever."""

    url: str = ""
    messages: list[dict[str, Any]] = field(default_factory=list)
    """Those that are JSON."""
    bodies: list[bytes] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    script: list[Behaviour] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    closing: threading.Event = field(default_factory=threading.Event)

    def hang(self, _handler: Handler) -> None:
        """Says nothing until the test ends."""
        self.closing.wait(30)

    def drip(self, handler: Handler) -> None:
        """Sends a header's byte now and then: each read succeeds, the answer never ends."""
        with contextlib.suppress(OSError):
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            while not self.closing.wait(0.05):
                handler.wfile.write(b"x")

    @property
    def texts(self) -> list[str]:
        """The fallback texts of what it got."""
        return [message["text"] for message in self.messages]


@contextlib.contextmanager
def slack_stand_in() -> Iterator[StandIn]:
    """Serves on a free port of loopback."""
    stand_in = StandIn()

    class Answering(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with stand_in.lock:
                stand_in.bodies.append(body)
                stand_in.paths.append(self.path)
                with contextlib.suppress(ValueError):
                    stand_in.messages.append(json.loads(body))
                stand_in.headers.append({name.lower(): text for name, text in self.headers.items()})
                behave = stand_in.script.pop(0) if stand_in.script else OK
            behave(self)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    server.daemon_threads = True
    stand_in.url = f"http://127.0.0.1:{server.server_port}/services/T0/B0/secret"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield stand_in
    finally:
        stand_in.closing.set()
        server.shutdown()
        thread.join()
        server.server_close()
