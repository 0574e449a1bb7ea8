"""The life of a process: when it is told to stop, and whom it tells that it is ready.

A child of ``serve`` shares a socket with its parent. It writes there where it listens; when the
other end closes, the parent is gone, however it ended, and the child stops too.
"""

import json
import os
import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from threading import Event, Thread
from types import FrameType

Where = dict[str, str]
"""What listens where: ``{"otlp_http": "127.0.0.1:4318"}``."""

ALONE_SECONDS = 30.0
"""After its parent is gone a process that does not come to its end is ended: nobody else would do
it, and a worker that hangs keeps others from what it has in its spool."""

_ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Life:
    """Of a process that serves: stops on SIGINT, SIGTERM and SIGHUP.

    A second one ends it at once, unless it has a parent: a service manager tells the whole group,
    and then the parent tells its children again. It kills those that it will not wait for.
    """

    def __init__(self, parent: int | None, say: Callable[[Where], None]) -> None:
        self.stop = Event()
        self._say = say
        self._parent = socket.socket(fileno=parent) if parent is not None else None
        for number in _ENDINGS:
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
        if self.stop.is_set() and not self._parent:
            # What is committed is safe, and nothing else was promised.
            os._exit(128 + number)
        self.stop.set()

    def _watch(self, parent: socket.socket) -> None:
        with suppress(OSError):  # closed with something unread: gone all the same
            while parent.recv(64):
                pass
        self.stop.set()
        time.sleep(ALONE_SECONDS)
        # What was acknowledged is on a disk.
        os._exit(1)


class LifeOfParent(Life):
    """Of a process that has children: a second signal asks it to hurry them.

    SIGUSR2 asks for new workers in place of those that run.
    """

    def __init__(self, parent: int | None, say: Callable[[Where], None]) -> None:
        super().__init__(parent, say)
        self.hurry = False
        self._replace = False
        signal.signal(signal.SIGUSR2, self._told_to_replace)

    def asked_to_replace(self) -> bool:
        """Whether SIGUSR2 came since this was asked last."""
        asked, self._replace = self._replace, False
        return asked

    def _told(self, _number: int, _frame: FrameType | None) -> None:
        self.hurry = self.stop.is_set()
        self.stop.set()

    def _told_to_replace(self, _number: int, _frame: FrameType | None) -> None:
        self._replace = True
