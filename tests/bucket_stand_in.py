"""A small server that speaks as much S3 as pyarrow asks of a bucket; it checks no signature."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape


@dataclass
class Bucket:
    """What is in it, and what it was asked."""

    url: str = ""
    objects: dict[str, bytes] = field(default_factory=dict)
    parts: dict[str, dict[int, bytes]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    away: bool = False
    """Answers 503 to everything."""


@contextmanager
def bucket() -> Iterator[Bucket]:
    """One that is called ``calls``, served on loopback until the block ends."""
    held = Bucket()

    class Handler(_Handler):
        bucket = held

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    held.url = f"127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield held
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    bucket: Bucket
    protocol_version = "HTTP/1.1"

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except ConnectionError:
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self._object()

    def do_GET(self) -> None:
        _path, asked = self._asked()
        if "list-type" in asked:
            self._listed(asked)
        else:
            self._object()

    def do_PUT(self) -> None:
        path, asked = self._asked()
        body = self._body()
        if "partNumber" in asked:
            self.bucket.parts[asked["uploadId"]][int(asked["partNumber"])] = body
        else:
            self.bucket.objects[path] = body
        self._answer(200, headers={"ETag": '"a"'})

    def do_POST(self) -> None:
        path, asked = self._asked()
        self._body()
        if "uploads" in asked:
            upload = f"upload-{len(self.bucket.parts)}"
            self.bucket.parts[upload] = {}
            told = f"<Bucket>calls</Bucket><Key>{escape(path)}</Key><UploadId>{upload}</UploadId>"
            self._xml("InitiateMultipartUploadResult", told)
        else:
            parts = self.bucket.parts.pop(asked["uploadId"])
            self.bucket.objects[path] = b"".join(parts[number] for number in sorted(parts))
            self._xml("CompleteMultipartUploadResult", f"<Key>{escape(path)}</Key>")

    def do_DELETE(self) -> None:
        path, asked = self._asked()
        if "uploadId" in asked:
            self.bucket.parts.pop(asked["uploadId"], None)
        else:
            self.bucket.objects.pop(path, None)
        self._answer(204)

    def _asked(self) -> tuple[str, dict[str, str]]:
        parts = urlsplit(self.path)
        self.bucket.asked.append(f"{self.command} {self.path}")
        asked = {
            name: its[0] for name, its in parse_qs(parts.query, keep_blank_values=True).items()
        }
        return unquote(parts.path).removeprefix("/calls").lstrip("/"), asked

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = self._chunks()
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if "aws-chunked" not in self.headers.get("Content-Encoding", ""):
            return body
        whole = b""
        while body:
            size, _, rest = body.partition(b"\r\n")
            length = int(size.split(b";")[0], 16)
            if not length:
                break
            whole, body = whole + rest[:length], rest[length + 2 :]
        return whole

    def _chunks(self) -> bytes:
        body = b""
        while length := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(length)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _object(self) -> None:
        path, _ = self._asked()
        content = self.bucket.objects.get(path)
        if content is None and path:
            self._answer(404)
            return
        content = content or b""
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if asked is None:
            self._answer(200, content)
            return
        first, last = int(asked[1]), int(asked[2] or len(content) - 1)
        said = {"Content-Range": f"bytes {first}-{last}/{len(content)}"}
        self._answer(206, content[first : last + 1], said)

    def _listed(self, asked: dict[str, str]) -> None:
        names = sorted(
            name for name in self.bucket.objects if name.startswith(asked.get("prefix", ""))
        )
        told = "".join(
            f"<Contents><Key>{escape(name)}</Key><Size>{len(self.bucket.objects[name])}</Size>"
            "<LastModified>2026-11-23T00:00:00.000Z</LastModified></Contents>"
            for name in names
        )
        self._xml("ListBucketResult", f"<KeyCount>{len(names)}</KeyCount>{told}")

    def _xml(self, name: str, told: str) -> None:
        body = f'<?xml version="1.0" encoding="UTF-8"?><{name}>{told}</{name}>'
        self._answer(200, body.encode(), {"Content-Type": "application/xml"})

    def _answer(
        self, status: int, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> None:
        if self.bucket.away:
            status, body, headers = 503, b"", None
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Last-Modified", "Mon, 23 Nov 2026 00:00:00 GMT")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
