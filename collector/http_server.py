"""OTLP/HTTP's server: uvicorn, and the bounds that it leaves open.

How long and how large headers may be, how many connections there are, and how a connection ends
that nobody uses at the moment.
"""

import asyncio
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from collector.accepting import Accepting
from collector.answers import RETRY_SECONDS
from collector.limits import Limits
from collector.otlp_http import HttpDoor

BACKLOG: Final = 2048
"""Connections that wait to be taken; the kernel may hold it lower (net.core.somaxconn)."""
_MOST_PIPELINED: Final = 16
"""Requests sent before the one in front of them is answered. No exporter sends any."""
_LAST_WORD: Final = 0.5
"""Seconds that a connection stays open when we end: what is on its way still gets an answer."""
_FULL: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\ncontent-length: 0\r\n"
    b"retry-after: %d\r\n\r\n" % RETRY_SECONDS
)
_TOO_LONG: Final = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\n"
    b"content-length: 0\r\n\r\n"
)


class HttpServer(uvicorn.Server):
    """uvicorn without its signal handlers: whoever runs us decides when to stop.

    And with our own way to take connections, which it leaves to the event loop.
    """

    def __init__(self, config: uvicorn.Config, limits: Limits, tls: ssl.SSLContext | None) -> None:
        super().__init__(config)
        self._tls = tls
        self.server_state = _Crowd(limits)
        self._accepting: list[Accepting] = []

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begins to take connections from listening sockets."""
        await super().startup(sockets=[])
        taken = self.server_state.connections
        for listener in sockets or []:
            self._accepting.append(
                Accepting(listener, self._connection, lambda: len(taken), self._tls)
            )

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Takes no more of them, and ends after what is in hand."""
        for accepting in self._accepting:
            accepting.stop()
        await super().shutdown(sockets)

    def _connection(self) -> HttpToolsProtocol:
        return _Connection(self.config, self.server_state, self.lifespan.state)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leaves signals alone."""
        yield


class _Crowd(ServerState):
    """All connections, and those among them that wait for a request, the longest first."""

    def __init__(self, limits: Limits) -> None:
        super().__init__()
        self.limits = limits
        self.idle: dict[_Connection, None] = {}

    def is_full(self) -> bool:
        """Whether there are too many, also after one that waits is closed for a new one."""
        if len(self.connections) <= self.limits.connections:
            return False
        longest = next(iter(self.idle), None)
        if longest is None:
            return True
        longest.leave()
        return False


class _Connection(HttpToolsProtocol):
    """One connection. It waits for a request, or for the rest of its headers, or is at work."""

    def __init__(
        self,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        if not isinstance(server_state, _Crowd):
            raise TypeError("a connection needs a crowd")
        self._crowd = server_state
        self._limits = server_state.limits
        self._in_headers = True
        self._header_bytes = 0
        self._too_slow: asyncio.TimerHandle | None = None
        self._is_last = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Lets it in, or tells it that there is no room."""
        super().connection_made(transport)
        if self._crowd.is_full():
            transport.write(_FULL)
            transport.close()
        else:
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forgets it."""
        self._crowd.idle.pop(self, None)
        self._stop_watch()
        self._unset_keepalive_if_required()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Reads on, and hangs up on headers that take too long or too much."""
        self._crowd.idle.pop(self, None)
        if self._in_headers:
            self._header_bytes += len(data)
            if self._too_slow is None:
                seconds = self._limits.header_seconds
                self._too_slow = self.loop.call_later(seconds, self.transport.abort)
        super().data_received(data)
        if self._in_headers and self._header_bytes > self._limits.header_bytes:
            self.transport.write(_TOO_LONG)
            self.transport.close()

    def on_headers_complete(self) -> None:
        """The request is at work from here."""
        self._in_headers = False
        self._stop_watch()
        super().on_headers_complete()
        if self._is_last:
            self.cycle.keep_alive = False
        if len(self.pipeline) > _MOST_PIPELINED:
            self.transport.abort()

    def on_message_complete(self) -> None:
        """What comes now is the next request."""
        super().on_message_complete()
        self._in_headers = True
        self._header_bytes = 0

    def on_response_complete(self) -> None:
        """It is answered."""
        super().on_response_complete()
        # The last that was sent: others may have waited behind the one that is answered now.
        answered = self.cycle.response_complete and self._too_slow is None
        if answered and not self.transport.is_closing():
            self._wait()

    def shutdown(self) -> None:
        """Ends after the request in hand; one that waits, after a moment."""
        if self not in self._crowd.idle:
            super().shutdown()
            return
        self._is_last = True
        self._unset_keepalive_if_required()
        self.timeout_keep_alive_task = self.loop.call_later(_LAST_WORD, self.leave)

    def leave(self) -> None:
        """Hangs up."""
        self._crowd.idle.pop(self, None)
        self.transport.close()

    def _wait(self) -> None:
        """For a request; not for ever."""
        self._crowd.idle[self] = None
        self._unset_keepalive_if_required()
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.leave)

    def _stop_watch(self) -> None:
        if self._too_slow:
            self._too_slow.cancel()
            self._too_slow = None


def http_server(
    door: HttpDoor, limits: Limits, *, grace: int, tls: ssl.SSLContext | None
) -> HttpServer:
    """A server that does not listen yet. ``grace``: seconds for what is in hand at its end."""
    config = uvicorn.Config(
        door,
        http=_Connection,
        lifespan="off",
        ws="none",
        interface="asgi3",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=limits.idle_seconds,
        timeout_graceful_shutdown=grace,
        backlog=BACKLOG,
    )
    return HttpServer(config, limits, tls)
