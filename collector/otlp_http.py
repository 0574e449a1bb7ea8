"""The door for OTLP over HTTP: POST to a signal's path, protobuf or JSON, answered by the spec.

An ASGI application without a framework: a span's way through one costs more than to understand it.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from collector import health
from collector.answers import RETRY_SECONDS, Code, Refusal, refusal_of, success, success_as_json
from collector.came_from import CameFrom, is_local, key_in
from collector.cors import allowed, preflight
from collector.encodings import KNOWN, decompress
from collector.errors import Busy, TooLarge
from collector.limits import Share
from collector.other_signals import check_signal
from collector.otlp_json.request import to_protobuf
from collector.receive import Receiver
from collector.senders import Sender
from collector.signals import Request, Signal
from spend.secret_shapes import without_secrets

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

DOOR: Final = "http"
PROTOBUF: Final = "application/x-protobuf"
JSON: Final = "application/json"
SIGNALS: Final = {signal.path: signal for signal in Signal}
_MOST_DRAINED: Final = 64 * 2**20
_NO_CONTENT: Final = 204


class _Refused(Exception):  # noqa: N818 - what happened to the request
    """A request that HTTP alone can tell is wrong."""

    def __init__(self, http: int, code: Code, message: str, **headers: str) -> None:
        super().__init__(message)
        self.refusal = Refusal(http, code, without_secrets(message))
        self.headers = headers


class _Gone(Exception):  # noqa: N818 - as above
    """The sender hung up: there is nobody to answer."""


@dataclass(slots=True)
class _Exchange:
    """One request and its answer."""

    scope: Message
    receive: Receive
    send: Send
    headers: dict[str, str]
    read: int = 0
    complete: bool = False
    close: bool = False
    answer_headers: dict[str, str] = field(default_factory=dict)
    began: float = field(default_factory=time.perf_counter)

    @property
    def took(self) -> float:
        """Seconds since its headers were here."""
        return time.perf_counter() - self.began

    @property
    def as_json(self) -> bool:
        """In which of the two the answer is: as the request, and for people where it is neither."""
        return self.media_type != PROTOBUF

    @property
    def media_type(self) -> str:
        """What the request says it is, without parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def encoding(self) -> str:
        """How the request says it is compressed."""
        return self.headers.get("content-encoding", "").strip().lower()


class HttpDoor:
    """The ASGI application."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request."""
        exchange = _Exchange(scope, receive, send, _headers(scope["headers"]))
        origins = self._receiver.limits.origins
        exchange.answer_headers |= allowed(exchange.headers, origins)
        asked = preflight(scope["method"], exchange.headers, origins)
        if asked and scope["path"] in SIGNALS:
            exchange.answer_headers |= asked
            await _send(exchange, _NO_CONTENT, b"")
            return
        if scope["path"] in health.PATHS:
            await self._tell(exchange)
            return
        try:
            body = await self._answer(exchange)
        except _Gone:
            return
        except asyncio.CancelledError:  # by the server, which ends and has waited long enough
            exchange.close = True
            await self._refuse(exchange, Busy("shutting down"))
        except Exception as error:  # noqa: BLE001 - told to the sender, counted and logged
            await self._refuse(exchange, error)
        else:
            self._receiver.tally.answered(DOOR, "stored", exchange.took)
            await _send(exchange, 200, body)

    async def _tell(self, exchange: _Exchange) -> None:
        try:
            status, body = await self._told(exchange)
        except Exception as error:  # noqa: BLE001 - as any other's
            await self._refuse(exchange, error)
        else:
            await _send(exchange, status, body)

    async def _told(self, exchange: _Exchange) -> tuple[int, bytes]:
        """How this process is: status and body."""
        path, method = exchange.scope["path"], exchange.scope["method"]
        if method not in {"GET", "HEAD"}:
            message = f"{path} takes GET only"
            raise _Refused(405, Code.UNIMPLEMENTED, message, allow="GET, HEAD")
        if path == health.LIVE:
            return 200, b"{}"
        if path == health.READY:
            ready, body = await self._receiver.ready()
            return 200 if ready else 503, body
        await self._admit(exchange)
        media_type, text = await self._receiver.metrics(exchange.headers.get("accept"))
        exchange.answer_headers["content-type"] = media_type
        return 200, text

    async def _admit(self, exchange: _Exchange) -> Sender:
        peer, _port = exchange.scope.get("client") or ("", 0)
        came = CameFrom.of(exchange.headers, peer, local=is_local(peer))
        return await self._receiver.admit(came)

    async def _answer(self, exchange: _Exchange) -> bytes:
        signal = _signal(exchange)
        sender = await self._admit(exchange)
        _check_content(exchange)
        with self._receiver.in_flight.share(key_in(exchange.headers)) as share:
            body = await self._body(exchange, share)
            read = partial(self._request, body, exchange, signal, share)
            account = await self._receiver.hear(read, sender, signal)
        answer = success_as_json if exchange.as_json else success
        return answer(account, signal)

    async def _body(self, exchange: _Exchange, share: Share) -> bytes:
        """The body as it comes, within the limits."""
        most = self._receiver.limits.request_bytes
        length = exchange.headers.get("content-length", "")
        if length.isdecimal() and int(length) > most:
            raise TooLarge(f"the body has more than {most:,} bytes")
        parts = []
        began = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(None) as patience:
                while not exchange.complete:
                    patience.reschedule(began + self._receiver.limits.patience(exchange.read))
                    part = await _next_part(exchange)
                    if exchange.read > most:
                        raise TooLarge(f"the body has more than {most:,} bytes")
                    share.take(len(part))
                    parts.append(part)
        except TimeoutError:
            exchange.close = True
            raise Busy("the body did not arrive in time") from None
        return b"".join(parts)

    def _request(self, body: bytes, exchange: _Exchange, signal: Signal, share: Share) -> Request:
        """The request in a body. Runs in a thread."""
        plain = decompress(body, exchange.encoding, self._receiver.limits, share)
        if exchange.media_type != JSON:
            check_signal(plain, signal)
            return Request(plain)
        return to_protobuf(plain, signal, self._receiver.limits)

    async def _refuse(self, exchange: _Exchange, error: Exception) -> None:
        if isinstance(error, _Refused):
            refusal = error.refusal
            exchange.answer_headers |= error.headers
            self._receiver.tally.answered(DOOR, "malformed", exchange.took)
        else:
            refusal = refusal_of(error)
            self._receiver.refused(DOOR, error, exchange.took)
        # Its frames hold the body, which nobody counts any more.
        error.__traceback__ = error.__context__ = None
        if refusal.code is Code.UNAVAILABLE:
            exchange.answer_headers["retry-after"] = str(RETRY_SECONDS)
        if refusal.code is Code.UNAUTHENTICATED:
            exchange.answer_headers["www-authenticate"] = "Bearer"
        try:
            await self._drain(exchange)
        except _Gone:
            return
        await _send(exchange, refusal.http, refusal.body(as_json=exchange.as_json))

    async def _drain(self, exchange: _Exchange) -> None:
        """Let the rest of the body pass: a sender still sending would not hear our answer."""
        headers = exchange.headers
        if "expect" in headers and not exchange.read:  # it waits for our word before it sends
            exchange.close = True
        if exchange.close or not headers.keys() & {"content-length", "transfer-encoding"}:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(self._receiver.limits.answer_seconds):
                while not exchange.complete and exchange.read < _MOST_DRAINED:
                    await _next_part(exchange)
        exchange.close = not exchange.complete


def _signal(exchange: _Exchange) -> Signal:
    path, method = exchange.scope["path"], exchange.scope["method"]
    if path not in SIGNALS:
        raise _Refused(404, Code.NOT_FOUND, f"there is only POST {', '.join(SIGNALS)} here")
    if method != "POST":
        raise _Refused(405, Code.UNIMPLEMENTED, f"{path} takes POST only", allow="POST")
    return SIGNALS[path]


def _check_content(exchange: _Exchange) -> None:
    if exchange.media_type not in {PROTOBUF, JSON}:
        told = _as_sent(exchange, "content-type") or "missing"
        message = f"Content-Type is {told}: send {PROTOBUF} or {JSON}"
        raise _Refused(415, Code.INVALID_ARGUMENT, message)
    if exchange.encoding not in KNOWN:
        told = _as_sent(exchange, "content-encoding")
        message = f"Content-Encoding is {told}: send gzip, deflate, zstd or none"
        raise _Refused(415, Code.INVALID_ARGUMENT, message)


def _as_sent(exchange: _Exchange, name: str) -> str:
    """A header for people: in small letters nobody would know a secret any more."""
    return without_secrets(exchange.headers.get(name, "").strip())[:100]


def _headers(pairs: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Names in lower case, as ASGI gives them; of a repeated one the last."""
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in pairs}


async def _next_part(exchange: _Exchange) -> bytes:
    message = await exchange.receive()
    if message["type"] == "http.disconnect":
        raise _Gone
    part: bytes = message.get("body", b"")
    exchange.read += len(part)
    exchange.complete = not message.get("more_body", False)
    return part


async def _send(exchange: _Exchange, status: int, body: bytes) -> None:
    of_body = {
        "content-type": JSON if exchange.as_json else PROTOBUF,
        "content-length": str(len(body)),
    }
    headers = {
        **({} if status == _NO_CONTENT else of_body),
        **({"connection": "close"} if exchange.close else {}),
        **exchange.answer_headers,
    }
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    await exchange.send({"type": "http.response.start", "status": status, "headers": pairs})
    await exchange.send({"type": "http.response.body", "body": body})
