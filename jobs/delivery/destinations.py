"""Asks over HTTP: only an address that was looked at, within one deadline, once.

A name is resolved here and the address that was checked is the address that is connected to, so
that a name which answers differently a moment later gains nothing. Redirects are not followed,
proxies of the environment are not used, and no more of an answer is read than is needed.
"""

import socket
import ssl
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlencode

import httpcore2

from spend.channels.destinations import DEFAULT_PORTS, Destination, check_address, destination

TIMEOUT: Final = 10.0
"""Seconds, from connecting to the end of the answer. (A look-up waits as the resolver does.)"""
MOST_READ: Final = 64 * 1024
"""Bytes of an answer's body."""

_AGENT: Final = b"spanledger"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a destination answered."""

    status: int
    retry_after: str | None
    """The header, as sent."""
    body: bytes
    """Its beginning, at most as much as was to be read."""


class Unreachable(Exception):  # noqa: N818  # a state of the network, tried again
    """No whole answer came. Send it again later."""

    def __init__(self, said: str, *, sent: bool, begun: Answer | None = None) -> None:
        super().__init__(said)
        self.sent = sent
        """Whether any of it went out: then nobody knows whether it arrived."""
        self.begun = begun
        """The beginning of the answer, where there was one."""


def post_json(
    url: str,
    body: bytes,
    *,
    headers: Mapping[str, str] | None = None,
    allow_private: bool,
    until: float | None = None,
) -> Answer:
    """Posts a JSON body. As ``post``."""
    kind = {"Content-Type": "application/json; charset=utf-8"}
    return post(
        url, body, headers=kind | dict(headers or {}), allow_private=allow_private, until=until
    )


def post_form(
    url: str,
    fields: Mapping[str, str],
    *,
    headers: Mapping[str, str] | None = None,
    allow_private: bool,
    until: float | None = None,
    most_read: int = MOST_READ,
) -> Answer:
    """Posts a form. As ``post``."""
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    return post(
        url,
        urlencode(fields).encode(),
        headers=kind | dict(headers or {}),
        allow_private=allow_private,
        until=until,
        most_read=most_read,
    )


def post(
    url: str,
    body: bytes,
    *,
    headers: Mapping[str, str],
    allow_private: bool,
    until: float | None = None,
    most_read: int = MOST_READ,
) -> Answer:
    """Posts bytes; ``until`` (time.monotonic) ends it earlier than TIMEOUT would.

    Raises DestinationRefused (nothing was sent), Unreachable.
    """
    sent = {"Content-Length": str(len(body))} | dict(headers)
    return _ask(
        "POST", url, body, sent, allow_private=allow_private, until=until, most_read=most_read
    )


def get(
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    allow_private: bool,
    until: float | None = None,
    most_read: int = MOST_READ,
) -> Answer:
    """Gets what is there. As ``post``."""
    asked = dict(headers or {})
    return _ask(
        "GET", url, b"", asked, allow_private=allow_private, until=until, most_read=most_read
    )


def _ask(
    method: str,
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    allow_private: bool,
    until: float | None,
    most_read: int,
) -> Answer:
    to = destination(url, allow_private=allow_private)
    ends = time.monotonic() + TIMEOUT
    backend = _Checked(
        allow_private=allow_private, deadline=ends if until is None else min(ends, until)
    )
    begun: Answer | None = None
    try:
        with (
            httpcore2.ConnectionPool(ssl_context=_tls(to), network_backend=backend) as pool,
            pool.stream(
                method,
                httpcore2.URL(
                    scheme=to.scheme.encode(),
                    host=to.host.encode(),
                    port=to.port,
                    target=to.target.encode(),
                ),
                headers=_headers(to, headers),
                content=body,
            ) as answer,
        ):
            got = {name.lower(): value for name, value in answer.headers}
            retry_after = got.get(b"retry-after")
            begun = Answer(
                status=answer.status,
                retry_after=None if retry_after is None else retry_after.decode("latin-1"),
                body=b"",
            )
            for part in answer.iter_stream():
                begun = replace(begun, body=(begun.body + part)[:most_read])
                if len(begun.body) == most_read:
                    break
            return begun
    except (httpcore2.TimeoutException, TimeoutError):
        said = f"no whole answer within {TIMEOUT:g} s"
        raise Unreachable(said, sent=backend.wrote, begun=begun) from None
    except (httpcore2.NetworkError, httpcore2.ProtocolError, OSError) as error:
        said = f"{type(error).__name__}: {_said(error)}"
        raise Unreachable(said, sent=backend.wrote, begun=begun) from None


def _tls(to: Destination) -> ssl.SSLContext | None:
    # Reading the certificates that are trusted takes longer than all else.
    return ssl.create_default_context() if to.scheme == "https" else None


def _headers(to: Destination, more: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    name = f"[{to.host}]" if ":" in to.host else to.host
    host = name if to.port == DEFAULT_PORTS[to.scheme] else f"{name}:{to.port}"
    return [
        (b"Host", host.encode()),
        (b"User-Agent", _AGENT),
        (b"Accept-Encoding", b"identity"),
        *((name.encode(), value.encode("latin-1")) for name, value in more.items()),
    ]


def _said(error: Exception) -> str:
    # Only what the system says: a library's text may hold the URL, which is a secret.
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, OSError):
        cause = cause.__cause__ or cause.__context__
    if isinstance(cause, ssl.SSLError):
        return "TLS failed"
    return (cause.strerror if cause is not None else None) or "the connection failed"


class _Checked(httpcore2.NetworkBackend):
    """Connects to addresses that may be connected to, and ends everything at one deadline."""

    def __init__(self, *, allow_private: bool, deadline: float) -> None:
        self._allow_private = allow_private
        self._deadline = deadline
        self.wrote = False
        """Whether anything was written to a connection."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002  # the deadline stands for it
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        # Every address has to pass before one is used: of a name that points inside and outside
        # at once nothing good is meant.
        addresses = addresses_of(host, port)
        for address in addresses:
            check_address(address, allow_private=self._allow_private)
        failure: Exception = httpcore2.ConnectError("no address")
        for address in addresses:
            try:
                stream = httpcore2.SyncBackend().connect_tcp(
                    address, port, _left(self._deadline), local_address, socket_options or ()
                )
            except httpcore2.ConnectError as error:
                failure = error
            else:
                return _Timed(stream, self._deadline, self)
        raise failure


def addresses_of(host: str, port: int) -> list[str]:
    """The numeric addresses of a host, each once; OSError when it has none."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class _Timed(httpcore2.NetworkStream):
    """A connection whose every wait ends at one moment.

    A server that sends a byte now and then cannot hold the sender for hours.
    """

    def __init__(self, stream: httpcore2.NetworkStream, deadline: float, backend: _Checked) -> None:
        self._stream = stream
        self._deadline = deadline
        self._backend = backend

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002  # as above
        return self._stream.read(max_bytes, _left(self._deadline))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002  # as above
        self._backend.wrote = True
        self._stream.write(buffer, _left(self._deadline))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002  # as above
    ) -> httpcore2.NetworkStream:
        secured = self._stream.start_tls(ssl_context, server_hostname, _left(self._deadline))
        return _Timed(secured, self._deadline, self._backend)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise httpcore2.ReadTimeout
    return left
