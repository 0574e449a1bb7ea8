"""The public doors of a system: where they are, what one shows there, and what they answer."""

import json
import os
import ssl
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from textwrap import shorten
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlsplit

import grpc
import httpx2
from google.protobuf.message import DecodeError
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]  # ships none

from app.addresses import Address

PROTOBUF: Final = "application/x-protobuf"
JSON: Final = "application/json"
SENDING_KEY: Final = "SPANLEDGER_API_KEY"
READING_KEY: Final = "SPANLEDGER_READ_KEY"
_EXPORT: Final = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
_PATIENCE: Final = 10.0
"""Seconds for one answer: a collector has eight for its own."""
_POSITION: Final = "Spanledger-Position"
_LONGEST: Final = 240
_DATED_WITHIN: Final = 2.0


@dataclass(frozen=True, slots=True)
class Trust:
    """What is shown over TLS, and whom one believes there. The files are PEM."""

    ca: Path | None = None
    """None: whom this machine believes."""
    cert: Path | None = None
    cert_key: Path | None = None

    def context(self) -> ssl.SSLContext:
        """For HTTPS. Raises OSError, ssl.SSLError."""
        context = ssl.create_default_context(cafile=self.ca)
        if self.cert:
            context.load_cert_chain(self.cert, self.cert_key)
        return context

    def credentials(self) -> grpc.ChannelCredentials:
        """For gRPC. Raises OSError."""
        ca, key, cert = (
            None if each is None else each.read_bytes()
            for each in (self.ca, self.cert_key, self.cert)
        )
        return grpc.ssl_channel_credentials(ca, key, cert)


@dataclass(frozen=True, slots=True)
class Where:
    """The doors' addresses, and the keys that are shown there."""

    otlp: str
    """http://… or https://…, without /v1/traces."""
    api: str
    grpc: str | None
    """Likewise a URL; None: gRPC is not offered."""
    trust: Trust = Trust()
    sending_key: str | None = field(default=None, repr=False)
    reading_key: str | None = field(default=None, repr=False)


def keys_shown() -> tuple[str | None, str | None]:
    """The key to send with and the one to read with, of the environment."""
    return os.environ.get(SENDING_KEY) or None, os.environ.get(READING_KEY) or None


@dataclass(frozen=True, slots=True)
class Reply:
    """What a door answered, or that it did not."""

    ok: bool
    """200, or gRPC's OK."""
    said: str
    """Its status, and why, for people."""
    seconds: float
    status: int | None = None
    """Of HTTP; None: nothing came, or it was gRPC."""
    body: bytes = b""
    ahead: tuple[float, float] | None = None
    """Seconds that its clock is ahead of ours, from and to; None: it did not tell the time."""

    def json(self) -> Any:
        """The body, if it is JSON; else an empty object."""
        with suppress(ValueError):
            return json.loads(self.body)
        return {}


class Doors:
    """Connections to a system's doors."""

    def __init__(self, where: Where, clock: Callable[[], datetime]) -> None:
        """``clock`` gives the present moment (UTC), as this machine has it."""
        self.where = where
        self._clock = clock
        # A system that speaks in the open needs no certificates to be read.
        tls = any(urlsplit(url).scheme == "https" for url in (where.otlp, where.api))
        self._http = httpx2.Client(
            verify=where.trust.context() if tls else False,
            timeout=_PATIENCE,
            # A proxy for the world does not know this machine.
            mounts={_host(url): None for url in (where.otlp, where.api) if _is_here(url)},
        )
        self._channel = _channel(where)
        self._position: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.close()
        if self._channel:
            self._channel.close()

    def send(self, body: bytes, content_type: str) -> Reply:
        """Posts a request of traces."""
        headers = {"Content-Type": content_type} | _bearer(self.where.sending_key)
        return self._ask("POST", f"{self.where.otlp}/v1/traces", headers, body=body)

    def send_over_grpc(self, body: bytes) -> Reply:
        """Sends a request of traces, in protobuf."""
        if self._channel is None:
            raise RuntimeError("gRPC is not offered")
        export = self._channel.unary_unary(_EXPORT, lambda sent: sent, lambda heard: heard)
        key = self.where.sending_key
        metadata = (("authorization", f"Bearer {key}"),) if key else None
        began = time.monotonic()
        try:
            answered = export(body, timeout=_PATIENCE, metadata=metadata)
        except grpc.RpcError as error:
            told = f"{error.code().name}: {plain(str(error.details()))}"
            return Reply(ok=False, said=told, seconds=time.monotonic() - began)
        return Reply(ok=True, said="OK", seconds=time.monotonic() - began, body=answered)

    def collector(self, path: str) -> Reply:
        """Asks the collector for what anybody may ask."""
        return self._ask("GET", f"{self.where.otlp}{path}", {})

    def api(self, path: str, **asked: str) -> Reply:
        """Asks the API. Of what it told once nothing older comes, whichever replica answers."""
        headers = _bearer(self.where.reading_key) | self._position
        return self._ask("GET", f"{self.where.api}{path}", headers, asked=asked)

    def _ask(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        *,
        body: bytes | None = None,
        asked: Mapping[str, str] | None = None,
    ) -> Reply:
        before, began = self._clock(), time.monotonic()
        try:
            answer = self._http.request(method, url, headers=headers, content=body, params=asked)
        except httpx2.HTTPError as error:
            why = plain(str(error)) or type(error).__name__
            told = f"nothing answers at {urlsplit(url).netloc}: {why}"
            return Reply(ok=False, said=told, seconds=time.monotonic() - began)
        seconds = time.monotonic() - began
        if told_at := answer.headers.get(_POSITION):
            self._position[_POSITION] = told_at
        return Reply(
            ok=answer.status_code == httpx2.codes.OK,
            said=_said(answer),
            seconds=seconds,
            status=answer.status_code,
            body=answer.content,
            ahead=_ahead(answer.headers.get("date"), before, seconds),
        )


def _channel(where: Where) -> grpc.Channel | None:
    if where.grpc is None:
        return None
    parts = urlsplit(where.grpc)
    options = [("grpc.enable_http_proxy", 0)] if _is_here(where.grpc) else None
    if parts.scheme == "https":
        return grpc.secure_channel(parts.netloc, where.trust.credentials(), options)
    return grpc.insecure_channel(parts.netloc, options)


def _host(url: str) -> str:
    """An address without its path, as httpx2 tells transports apart."""
    return f"all://{urlsplit(url).netloc}"


def _is_here(url: str) -> bool:
    return Address(urlsplit(url).hostname or "", 0).is_loopback


def _bearer(key: str | None) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"} if key else {}


def _said(answer: httpx2.Response) -> str:
    """The status and, of an error, why: as the API's problems or OTLP's statuses have it."""
    told = str(answer.status_code)
    if answer.status_code == httpx2.codes.OK:
        return told
    if answer.headers.get("content-type") == PROTOBUF:
        with suppress(DecodeError):
            return f"{told}: {plain(Status.FromString(answer.content).message)}"
    with suppress(ValueError, AttributeError):
        body = json.loads(answer.content)
        why = body.get("detail") or body.get("message") or body.get("title")
        return f"{told}: {plain(str(why))}" if why else told
    return told


def plain(text: str) -> str:
    """What others wrote, in one line that a terminal may be shown."""
    shown = "".join(sign if sign.isprintable() else " " for sign in text)
    return shorten(shown, _LONGEST, placeholder=" …")


def _ahead(date: str | None, before: datetime, seconds: float) -> tuple[float, float] | None:
    """By how much a clock is ahead that said ``date`` within ``seconds`` after ``before``."""
    if date is None:
        return None
    try:
        moment = parsedate_to_datetime(date).astimezone(UTC)
    except ValueError:
        return None
    # It tells whole seconds, which servers look up once a second; and we do not know when within
    # ours that was.
    ahead = (moment - before).total_seconds()
    return ahead - seconds, ahead + _DATED_WITHIN
