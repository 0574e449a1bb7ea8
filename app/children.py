"""The processes that ``serve`` runs: started, watched, started again, stopped in order."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final

import structlog

log = structlog.get_logger(__name__)

_LONGEST_PAUSE: Final = 30.0
# A child that has lived so long has not died of what killed the one before.
_SETTLED: Final = 60.0
_GRACE: Final = 30.0


class ChildFailed(Exception):  # noqa: N818  # says what happened
    """A part ended before it served; it has said why. Its exit code is ours."""

    def __init__(self, name: str, code: int) -> None:
        super().__init__(f"{name} did not start")
        self.code = code if code > 0 else 1


class Child:
    """One command of ours in a process of its own, tied to us by a socket (app/life.py)."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.where: dict[str, str] | None = None
        """What it serves, once it does."""
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self._heard = b""
        self._started_at = 0.0
        self._start_at: float | None = None
        self._pause = 0.0

    @property
    def pid(self) -> int | None:
        """Its process id, while it runs."""
        return self._process.pid if self._process else None

    def start(self, environment: Mapping[str, str]) -> None:
        """Starts it; ``where`` is known when it serves."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603  # this very program
                # -P: a folder called app where somebody happens to stand is not ours.
                [sys.executable, "-P", "-m", "app", self.name, "--parent", str(theirs.fileno())],
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                # Ctrl-C reaches the whole group of a terminal; the order of stopping is ours.
                start_new_session=True,
            )
        self._socket = ours
        self._heard = b""
        self._started_at = time.monotonic()
        self._start_at = None

    def tend(self, environment: Callable[[], Mapping[str, str]]) -> None:
        """Notices that it serves, or that it died; starts it again after a pause that grows.

        Raises ChildFailed where it died before it ever served.
        """
        self._listen()
        if self._start_at is not None:
            if time.monotonic() >= self._start_at:
                self.start(environment())
            return
        if self._process is None or self._process.poll() is None:
            return
        code = self._process.returncode
        self._forget()
        if self.where is None:
            raise ChildFailed(self.name, code)
        settled = time.monotonic() - self._started_at > _SETTLED
        self._pause = 0.5 if settled or not self._pause else min(_LONGEST_PAUSE, self._pause * 2)
        self._start_at = time.monotonic() + self._pause
        log.error("a part died", part=self.name, ended=_ending(code), again_in=f"{self._pause} s")

    def stop(self, *, hurried: Callable[[], bool]) -> bool:
        """Lets it finish what it has in hand. False: it had to be killed."""
        self._start_at = None
        if self._process is None:
            return True
        self._process.terminate()
        deadline = time.monotonic() + _GRACE
        while self._process.poll() is None:
            if hurried() or time.monotonic() > deadline:
                self._process.kill()
                self._process.wait()
                self._forget()
                return False
            time.sleep(0.02)
        self._forget()
        return True

    def _listen(self) -> None:
        if self._socket is None:
            return
        with suppress(OSError):  # nothing said yet, or gone: poll() tells
            while part := self._socket.recv(4096):
                self._heard += part
        if b"\n" in self._heard:
            if self.where is not None:
                log.warning("a part is back", part=self.name)
            self.where = json.loads(self._heard.partition(b"\n")[0])
            self._heard = b""

    def _forget(self) -> None:
        if self._socket:
            self._socket.close()
        self._socket = None
        self._process = None


def _ending(code: int) -> str:
    return f"exit {code}" if code >= 0 else f"signal {-code}"
