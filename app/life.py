"""The life of a process that serves: when it is told to stop, and whom it tells that it is ready.

A child of ``serve`` shares a socket with its parent. It writes there where it listens; when the
other end closes, the parent is gone, however it ended, and the child stops too.
"""

import json
import os
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from threading import Event, Thread
from types import FrameType

Where = dict[str, str]
"""What listens where: ``{"otlp_http": "127.0.0.1:4318"}``."""


class Life:
    """Stops on SIGINT, SIGTERM and SIGHUP; a second one ends the process at once."""

    def __init__(self, parent: int | None, say: Callable[[Where], None]) -> None:
        self.stop = Event()
        self._say = say
        self._parent = socket.socket(fileno=parent) if parent is not None else None
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._told)
        if self._parent:
            Thread(target=self._watch, args=[self._parent], daemon=True).start()

    def ready(self, where: Where) -> None:
        """Tells the parent, or the person who started us, that we serve, and where."""
        if self._parent:
            self._parent.sendall(json.dumps(where).encode() + b"\n")
        else:
            self._say(where)

    def _told(self, number: int, _frame: FrameType | None) -> None:
        if self.stop.is_set():
            # What is committed is safe, and nothing else was promised.
            os._exit(128 + number)
        self.stop.set()

    def _watch(self, parent: socket.socket) -> None:
        with suppress(OSError):  # closed with something unread: gone all the same
            while parent.recv(64):
                pass
        self.stop.set()
