"""What must hold for any bytes: each target takes some, and raises where a promise is broken.

Only ``Malformed`` (``TooLarge`` is one) and ``Busy`` may come of bytes, and what is heard is
accounted for. ``python -m fuzzing`` aims atheris at them, ``test_any_bytes.py`` hypothesis.
"""

import asyncio
import gzip
import zlib
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pyarrow as pa
from spans import RECEIVED

from collector.came_from import CameFrom
from collector.encodings import decompress
from collector.errors import Busy, Malformed
from collector.limits import InFlight, Limits, check_items
from collector.other_signals import check_signal
from collector.otlp_http import HttpDoor
from collector.otlp_json.request import to_protobuf
from collector.senders import Sender
from collector.signals import Request, Signal
from collector.tally import Tally
from collector.understanding.by_signal import understand_signal, with_left_out
from collector.understanding.salvage import salvage
from store.intake.intake import Account, Heard
from store.tenants import TENANT

SIGNALS = tuple(Signal)
LIMITS = Limits(request_bytes=2**20, spans=1000, json_objects=20_000)
ENCODINGS = ("gzip", "deflate", "zstd", "", "x-gzip")
ANSWERS = {200, 400, 413, 415}


def hear(request: Request, signal: Signal) -> Heard:
    """What a door and the receiver make of a request, with all of it accounted for."""
    check_items(request.body, LIMITS.spans, signal)
    understood = understand_signal(signal, [request.body], tenant=TENANT, received_at=RECEIVED)
    heard = with_left_out(understood, [request])
    (part,) = heard.parts
    told = heard.sightings.num_rows + len(part.readings)
    assert part.heard == told + part.not_a_call + sum(part.refused.values())
    assert all(count > 0 for count in part.refused.values())
    heard.sightings.validate(full=True)
    return heard


def protobuf(data: bytes) -> None:
    """A body of protobuf; the first byte is the signal's."""
    signal = SIGNALS[data[0] % 3 if data else 0]
    with suppress(Malformed):
        check_signal(data[1:], signal)
        hear(Request(data[1:]), signal)


def otlp_json(data: bytes) -> None:
    """A body of JSON; the first byte is the signal's."""
    signal = SIGNALS[data[0] % 3 if data else 0]
    with suppress(Malformed):
        hear(to_protobuf(data[1:], signal, LIMITS), signal)


def compressed(data: bytes) -> None:
    """A compressed body; the first byte is the encoding's, the second says what is done to it."""
    if len(data) < 3:
        return
    encoding, how, body = ENCODINGS[data[0] % len(ENCODINGS)], data[1], data[2:]
    if how & 1:  # what mutates is what is inside
        body = packed(body, encoding)
    if how & 2:
        at = len(body) * how // 256
        body = body[:at] + bytes([body[at] ^ how]) + body[at + 1 :] if body else body
    in_flight = InFlight(4 * LIMITS.request_bytes)
    with suppress(Malformed, Busy), in_flight.share() as share:
        plain = decompress(body, encoding, LIMITS, share)
        assert len(plain) <= LIMITS.request_bytes or not encoding
        assert how & 3 != 1 or plain == data[2:]
    assert in_flight.held == 0


def packed(body: bytes, encoding: str) -> bytes:
    """A body in an encoding."""
    if encoding == "deflate":
        return zlib.compress(body)
    if encoding == "zstd":
        frame: bytes = pa.Codec("zstd").compress(body).to_pybytes()
        return frame
    return gzip.compress(body) if encoding else body


def cut(data: bytes) -> None:
    """A request that is cut into its items, some of which (by their bytes) cannot be read."""

    def readable(request: bytes) -> bool:
        return b"\xff\xff" not in request

    with suppress(Malformed):
        saved = salvage(data, readable)
        assert saved.kept >= 0
        assert saved.lost >= 0
        again = salvage(saved.request, readable)
        assert (again.kept, again.lost) == (saved.kept, 0)
        assert again.request == saved.request
        whole = salvage(data, lambda _: True)
        assert whole.kept == saved.kept + saved.lost


def exchange(data: bytes) -> None:
    """A whole exchange over HTTP: headers by the first three bytes, the rest is the body."""
    if len(data) < 3:
        return
    kinds = ("application/x-protobuf", "application/json", "application/json; charset=utf-16", "x")
    signal, kind, encoding = SIGNALS[data[0] % 3], kinds[data[1] % 4], ENCODINGS[data[2] % 5]
    body = packed(data[3:], encoding) if data[2] & 128 else data[3:]
    status, answer = post(signal.path, body, kind, encoding)
    assert status in ANSWERS, (status, answer)
    assert len(answer) <= 8192


def post(path: str, body: bytes, kind: str, encoding: str) -> tuple[int, bytes]:
    """The answer of the HTTP door, with nothing behind it but the understanding."""
    sent: list[Any] = []
    parts = [body[: len(body) // 2], body[len(body) // 2 :]]

    async def receive() -> Any:
        return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [
        (b"content-type", kind.encode()),
        (b"content-encoding", encoding.encode()),
        (b"content-length", str(len(body)).encode()),
    ]
    scope = {"path": path, "method": "POST", "headers": headers, "client": ("127.0.0.1", 1)}
    behind: Any = Behind()
    LOOP.run_until_complete(HttpDoor(behind)(scope, receive, send))
    assert behind.in_flight.held == 0
    return int(sent[0]["status"]), sent[1]["body"]


LOOP = asyncio.new_event_loop()


class Behind:
    """What stands behind the door in place of the receiver: it stores all that is no fault."""

    limits = LIMITS

    def __init__(self) -> None:
        self.in_flight = InFlight(8 * LIMITS.request_bytes)
        self.tally = Tally()

    async def admit(self, came: CameFrom) -> Sender:
        assert came.key is None
        assert came.local
        return Sender(TENANT, None)

    async def hear(self, read: Callable[[], Request], sender: Sender, signal: Signal) -> Account:
        assert sender.tenant == TENANT
        heard = hear(read(), signal)
        (part,) = heard.parts
        stored = part.heard - part.not_a_call - sum(part.refused.values())
        return Account(part.heard, stored, 0, part.not_a_call, part.refused, part.usage_refused)

    def refused(self, door: str, error: Exception, seconds: float) -> None:
        assert door == "http"
        assert seconds >= 0
        if not isinstance(error, Malformed):
            raise error


TARGETS: dict[str, Callable[[bytes], None]] = {
    "protobuf": protobuf,
    "json": otlp_json,
    "compressed": compressed,
    "cut": cut,
    "exchange": exchange,
}
