"""Keeps the OTLP requests that an instrumentation sends, as files for ``tests/vectors``.

    python tests/capturing/record.py --port 4399 --into FOLDER --scenario NAME

Writes ``NAME-traces-1.pb``, ``NAME-logs-1.pb`` ... in the order of arrival; a JSON body as
``.json``. Standard library only.
"""

import argparse
import gzip
import itertools
import threading
import zlib
from collections import defaultdict
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar


class Recorder(BaseHTTPRequestHandler):
    """The OTLP/HTTP door."""

    protocol_version = "HTTP/1.1"
    into = Path()
    scenario = ""
    numbers: ClassVar[defaultdict[str, Iterator[int]]] = defaultdict(lambda: itertools.count(1))
    lock = threading.Lock()

    def do_POST(self) -> None:
        """Keep one request."""
        body = self._body()
        match self.headers.get("content-encoding"):
            case "gzip":
                body = gzip.decompress(body)
            case "deflate":
                body = zlib.decompress(body)
        signal = self.path.rstrip("/").rsplit("/", 1)[-1]
        is_json = "json" in (self.headers.get("content-type") or "")
        with self.lock:
            name = f"{self.scenario}-{signal}-{next(self.numbers[signal])}"
            (self.into / f"{name}.{'json' if is_json else 'pb'}").write_bytes(body)
        answer = b"{}" if is_json else b""
        self.send_response(200)
        self.send_header("content-type", self.headers.get("content-type") or "text/plain")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def _body(self) -> bytes:
        if self.headers.get("transfer-encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("content-length") or 0))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Say nothing."""


def main() -> None:
    """Record until interrupted."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--port", type=int, default=4399)
    options.add_argument("--into", type=Path, required=True)
    options.add_argument("--scenario", required=True)
    told = options.parse_args()
    told.into.mkdir(parents=True, exist_ok=True)
    Recorder.into, Recorder.scenario = told.into, told.scenario
    with ThreadingHTTPServer(("127.0.0.1", told.port), Recorder) as server:
        print(f"recording into {told.into} from http://127.0.0.1:{told.port}", flush=True)  # noqa: T201 - a command
        server.serve_forever()


if __name__ == "__main__":
    main()
