"""A process that we run: started, watched, started again, stopped."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Final

import structlog

from app.doors import addresses
from app.settings import PREFIX, Settings

log = structlog.get_logger(__name__)

_LONGEST_PAUSE: Final = 30.0
# A child that has lived so long has not died of what killed the one before.
_SETTLED: Final = 60.0

Environment = Callable[[], Mapping[str, str]]
"""What a child is told, as it is when one is started."""


class ChildFailed(Exception):  # noqa: N818  # says what happened
    """A part ended before it served; it has said why. Its exit code is ours."""

    def __init__(self, name: str, code: int) -> None:
        super().__init__(f"{name} did not start")
        self.code = code if code > 0 else 1


class Child:
    """One command of ours in a process of its own, tied to us by a socket (app/life.py)."""

    def __init__(
        self,
        name: str,
        *,
        run: Sequence[str] = (),
        listener: socket.socket | None = None,
        grace: float = 30,
    ) -> None:
        """``run`` is what follows ``python -m``; a ``listener`` is ours, and lent to it.

        ``grace`` seconds it has to end before it is killed.
        """
        self.name = name
        self.where: dict[str, str] | None = None
        """What it serves, once it does."""
        self._run = run or ("app", name)
        self._listener = listener
        self._grace = grace
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self._heard = b""
        self._started_at = 0.0
        self._start_at: float | None = None
        self._deaths = 0
        self._leave_until: float | None = None
        self._killed = False

    @property
    def pid(self) -> int | None:
        """Its process id, while it runs."""
        return self._process.pid if self._process else None

    def start(self, environment: Mapping[str, str]) -> None:
        """Starts it; ``where`` is known when it serves."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        with theirs:
            # -P: a folder called app where somebody happens to stand is not ours.
            command = [sys.executable, "-P", "-m", *self._run, "--parent", str(theirs.fileno())]
            lent = [theirs.fileno()]
            if self._listener:
                command += ["--listener", str(self._listener.fileno())]
                lent.append(self._listener.fileno())
            self._process = subprocess.Popen(  # noqa: S603  # this very program
                command,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                pass_fds=lent,
                # Ctrl-C reaches the whole group of a terminal; the order of stopping is ours.
                start_new_session=True,
            )
        self._socket = ours
        self._heard = b""
        self._started_at = time.monotonic()
        self._start_at = None
        self._leave_until = None
        self._killed = False

    def tend(self, environment: Environment) -> None:
        """Notices that it serves, or that it died; starts it again, after a pause that grows.

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
        self._deaths = 1 if time.monotonic() - self._started_at > _SETTLED else self._deaths + 1
        # At once after the first: whoever sends waits for it.
        pause = min(_LONGEST_PAUSE, 2.0 ** (self._deaths - 3)) if self._deaths > 1 else 0
        self._start_at = time.monotonic() + pause
        log.error(
            "a part died",
            part=self.name,
            ended=_ending(code),
            in_a_row=self._deaths,
            again_in=pause,
        )

    def let_go(self) -> None:
        """Tells it to finish what it has in hand, and to end."""
        self._start_at = None
        if self._process and self._leave_until is None:
            self._leave_until = time.monotonic() + self._grace
            self._process.terminate()

    def has_left(self, *, hurried: bool = False) -> bool:
        """Whether it has ended after ``let_go``; kills it when that takes too long."""
        if self._process and self._process.poll() is None:
            if not hurried and time.monotonic() < (self._leave_until or 0):
                return False
            self._process.kill()
            self._process.wait()
            self._killed = True
        self._forget()
        return True

    def stop(self, *, hurried: Callable[[], bool]) -> bool:
        """Lets it go and waits until it has left. False: it had to be killed."""
        self.let_go()
        while not self.has_left(hurried=hurried()):
            time.sleep(0.02)
        return not self._killed

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


def environment_of(settings: Settings, url: str) -> Mapping[str, str]:
    """What children are told: the database that runs, and ports that are chosen."""
    ours = {"DATABASE_URL": url, "DATA_DIR": str(settings.data_dir)}
    ours |= {name: str(address) for name, address in addresses(settings).items()}
    return os.environ | {f"{PREFIX}{name}": value for name, value in ours.items()}


def _ending(code: int) -> str:
    return f"exit {code}" if code >= 0 else f"signal {-code}"
