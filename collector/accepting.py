"""Takes connections from a socket that other processes take from, too, and leaves them their part.

Whoever wakes first would take all that wait, and keep them for as long as their senders live: of
eight connections opened at once one worker had eight and the other none. So each takes one, lets
the others have their turn, and comes again.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable
from typing import Final

import structlog

log = structlog.get_logger(__name__)

_TURN: Final = 0.001
"""Seconds for the others; a clock of uvloop's ticks no faster."""
_AT_ONCE: Final = 16
"""For each so many connections that it has, a worker takes one more at a time: what one has more
than another matters less then, and who comes back after a restart is not kept waiting."""
_GREETING: Final = 10.0
"""Seconds to agree on TLS in."""
_GOODBYE: Final = 0.5
"""Seconds for the other side to say that it has heard the end: one that waits reads nothing."""
_MOST_GREETING: Final = 1000
"""Connections that do so at a time."""
_NO_ROOM: Final = 0.2
"""Seconds until the next try, where the system gives us no more connections."""


class Accepting:
    """The connections that one process takes from a listening socket."""

    def __init__(
        self,
        listener: socket.socket,
        protocol: Callable[[], asyncio.Protocol],
        count: Callable[[], int],
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """``count`` tells how many connections this process has; ``tls``: what they speak."""
        listener.setblocking(False)
        self._listener = listener
        self._protocol = protocol
        self._count = count
        self._tls = tls
        self._loop = asyncio.get_running_loop()
        self._again: asyncio.TimerHandle | None = None
        self._making: set[asyncio.Task[object]] = set()
        self._listen()

    def stop(self) -> None:
        """Takes no more. The socket stays open in the processes that share it."""
        self._loop.remove_reader(self._listener)
        if self._again:
            self._again.cancel()
        self._listener.close()

    def _listen(self) -> None:
        self._loop.add_reader(self._listener, self._take)

    def _take(self) -> None:
        pause = _TURN
        for _ in range(1 + self._count() // _AT_ONCE):
            if len(self._making) >= _MOST_GREETING:
                pause = _NO_ROOM
                break
            try:
                connection, _peer = self._listener.accept()
            except (BlockingIOError, ConnectionAbortedError):
                break
            except OSError as error:
                log.warning("no room for another connection", error=str(error))
                pause = _NO_ROOM
                break
            connection.setblocking(False)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            making = self._loop.connect_accepted_socket(
                self._protocol,
                connection,
                ssl=self._tls,
                ssl_handshake_timeout=_GREETING if self._tls else None,
                ssl_shutdown_timeout=_GOODBYE if self._tls else None,
            )
            task: asyncio.Task[object] = self._loop.create_task(making)
            self._making.add(task)
            task.add_done_callback(self._made)
        self._loop.remove_reader(self._listener)
        self._again = self._loop.call_later(pause, self._listen)

    def _made(self, task: asyncio.Task[object]) -> None:
        self._making.discard(task)
        if not task.cancelled() and (failed := task.exception()):
            # Who shows no certificate, or a wrong one, or speaks no TLS: theirs to mend.
            log.info("a connection came to nothing", why=type(failed).__name__)
