"""A local stand-in for the collector's HTTP door: keeps what a real exporter sends it."""

import gzip
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Status


@dataclass(frozen=True)
class Heard:
    name: str
    attributes: dict[str, Any]
    resource: dict[str, Any]
    scope: str
    headers: dict[str, str]
    path: str
    connection: tuple[str, int]
    trace: str
    id: str
    parent: str
    kind: int
    failed: bool
    began: int
    ended: int


@dataclass
class Listener:
    endpoint: str
    spans: list[Heard] = field(default_factory=list)
    pass_on: Callable[[str, bytes], None] = lambda _path, _body: None
    """Given what was heard, as a Collector in front would give it to others."""

    def named(self, name: str) -> list[Heard]:
        return [span for span in self.spans if span.name == name]

    def only(self, name: str) -> Heard:
        (span,) = self.named(name)
        return span


@contextmanager
def otlp_listener() -> Iterator[Listener]:
    class Door(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # connections stay open, as the real door's do

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            listener.pass_on(self.path, body)
            request = ExportTraceServiceRequest.FromString(body)
            headers = {name.lower(): value for name, value in self.headers.items()}
            listener.spans.extend(heard(request, headers, self.path, self.client_address))
            answer = ExportTraceServiceResponse().SerializeToString()
            self.send_response(200)
            self.send_header("content-type", "application/x-protobuf")
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Door) as server:
        server.daemon_threads = True
        listener = Listener(endpoint=f"http://127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield listener
        finally:
            server.shutdown()
            thread.join()


def heard(
    request: ExportTraceServiceRequest,
    headers: dict[str, str],
    path: str,
    connection: tuple[str, int],
) -> Iterator[Heard]:
    for resource_spans in request.resource_spans:
        resource = plain(resource_spans.resource.attributes)
        for scope_spans in resource_spans.scope_spans:
            for span in scope_spans.spans:
                yield Heard(
                    name=span.name,
                    attributes=plain(span.attributes),
                    resource=resource,
                    scope=scope_spans.scope.name,
                    headers=headers,
                    path=path,
                    connection=connection,
                    trace=span.trace_id.hex(),
                    id=span.span_id.hex(),
                    parent=span.parent_span_id.hex(),
                    kind=span.kind,
                    failed=span.status.code == Status.STATUS_CODE_ERROR,
                    began=span.start_time_unix_nano,
                    ended=span.end_time_unix_nano,
                )


def plain(attributes: Any) -> dict[str, Any]:
    return {
        pair.key: getattr(pair.value, pair.value.WhichOneof("value") or "string_value")
        for pair in attributes
    }
