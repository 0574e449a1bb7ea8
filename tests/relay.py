"""Something between a client and a server that passes all on, and changes what is answered."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx2

from app.canary.doors import Trust

Change = Callable[[str, dict[str, str], bytes], bytes]
"""Path, headers (which it may change) and body of an answer -> the body that is passed on."""

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "host"}


@contextmanager
def relay(upstream: str, change: Change, trust: Trust) -> Iterator[str]:
    """Its address, as a URL; ``trust`` is what is shown to ``upstream``."""
    client = httpx2.Client(verify=trust.context(), timeout=20)

    class Relay(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._pass_on()

        def do_POST(self) -> None:
            self._pass_on()

        def _pass_on(self) -> None:
            sent = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {k: v for k, v in self.headers.items() if k.lower() not in HOP_BY_HOP}
            url = upstream + self.path
            answer = client.request(self.command, url, headers=headers, content=sent)
            told = {k.lower(): v for k, v in answer.headers.items() if k.lower() not in HOP_BY_HOP}
            told.pop("content-encoding", None)
            body = change(self.path, told, answer.content)
            self.send_response_only(answer.status_code)
            for name, value in told.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Relay)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        client.close()
