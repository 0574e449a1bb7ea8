"""Receives the messages of a webhook on this machine: for people who want to see them arrive.

It does what a receiver should: takes only what is signed with its key, and shows what comes twice
once.
"""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Any, Final

from jobs.delivery.webhooks import is_signed

HOST: Final = "127.0.0.1"
MOST_BYTES: Final = 1024 * 1024
"""Of a message."""
_SECONDS: Final = 10
"""That a sender may take between two of its bytes."""


class Listener:
    """What listens, and what came."""

    def __init__(self, key: str, port: int) -> None:
        self.url = f"http://{HOST}:{port}/"
        self._key = key
        self._came: SimpleQueue[dict[str, Any]] = SimpleQueue()
        self._seen: set[str] = set()
        self._lock = Lock()

    def next(self, seconds: float) -> dict[str, Any] | None:
        """The next message, as docs/delivery.md says; None: none came in so many seconds."""
        try:
            return self._came.get(timeout=seconds)
        except Empty:
            return None

    def take(self, headers: dict[str, str], body: bytes) -> int:
        """The status to answer. ``headers``: their names in lower case."""
        if not is_signed(self._key, headers, body, datetime.now(UTC)):
            return 401
        with self._lock:
            known = headers["webhook-id"] in self._seen
            self._seen.add(headers["webhook-id"])
        if not known:
            self._came.put(json.loads(body))
        return 204


def is_left_behind(url: str) -> bool:
    """Whether this is the address of a listener that is gone."""
    begins = f"http://{HOST}:"
    port = url.removeprefix(begins).rstrip("/")
    if not url.startswith(begins) or not port.isdecimal():
        return False
    try:
        socket.create_connection((HOST, int(port)), timeout=1).close()
    except OSError:
        return True
    return False


@contextmanager
def listening(key: str) -> Iterator[Listener]:
    """Listens at a free port of loopback for what is signed with a key, while the block lasts."""

    class Answering(BaseHTTPRequestHandler):
        timeout = _SECONDS

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            if not length.isdecimal() or int(length) > MOST_BYTES:
                self._answer(413 if length.isdecimal() else 411)
                return
            headers = {name.lower(): text for name, text in self.headers.items()}
            self._answer(listener.take(headers, self.rfile.read(int(length))))

        def _answer(self, status: int) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """What comes is told by who asked for it."""

    with ThreadingHTTPServer((HOST, 0), Answering) as server:
        server.daemon_threads = True
        listener = Listener(key, server.server_port)
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1})
        thread.start()
        try:
            yield listener
        finally:
            server.shutdown()
            thread.join()
