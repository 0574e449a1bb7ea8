"""A terminal with a shell in it, as somebody has it who types what a document says."""

import contextlib
import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import termios
from collections.abc import Sequence
from pathlib import Path
from threading import Thread

from serving import eventually

_COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_DONE, _FAILED = "\x01done\x01", "\x01failed: "
_FAILURES = re.compile(f"{_FAILED}(.*)\x01")
_SIZE = struct.pack("4H", 40, 100, 0, 0)


class Terminal:
    """bash, in a folder, with an environment of its own. Forty lines of a hundred columns."""

    def __init__(self, within: Sequence[str], folder: Path, environment: dict[str, str]) -> None:
        self._ours, theirs = pty.openpty()
        quiet = termios.tcgetattr(theirs)
        quiet[3] &= ~termios.ECHO
        termios.tcsetattr(theirs, termios.TCSANOW, quiet)
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, _SIZE)
        self._all = b""
        self._read_until = 0
        self.shell = subprocess.Popen(  # noqa: S603  # constant
            [*within, "setsid", "--ctty", "bash", "--noprofile", "--norc"],
            cwd=folder,
            env=environment,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()
        self._write(f'trap \'printf "\\n{_octal(_FAILED)}%s\\001\\n" "$BASH_COMMAND"\' ERR')

    def type(self, commands: str) -> None:
        """What is shown from now on is theirs."""
        self._read_until = len(self._all)
        self._write(f"{commands}\nprintf '\\n{_octal(_DONE)}\\n'")

    def press_ctrl_c(self) -> None:
        """What is shown from now on comes of it."""
        self._read_until = len(self._all)
        os.write(self._ours, b"\x03")

    @property
    def shown(self) -> str:
        """Since something was typed, without colours."""
        text = self._all[self._read_until :].decode(errors="replace")
        return _COLOURS.sub("", text).replace("\r\n", "\n")

    @property
    def done(self) -> bool:
        """All that was typed came to its end."""
        return _DONE in self.shown or self.shell.poll() is not None

    @property
    def failed(self) -> list[str]:
        """The commands that ended with something other than 0."""
        return _FAILURES.findall(self.shown)

    def close(self) -> None:
        """Ends what still runs in it, as closing the window would, and waits for that."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.shell.pid, signal.SIGHUP)
        # It ends when nobody has the terminal any more.
        self._reader.join(timeout=60)
        if self.shell.poll() is None:
            self.shell.kill()
        self.shell.wait()
        os.close(self._ours)

    def wait_until_done(self, what: str) -> None:
        eventually(lambda: self.done, f"{what} ends: {self.shown}")

    def _write(self, line: str) -> None:
        os.write(self._ours, f"{line}\n".encode())

    def _read(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while piece := os.read(self._ours, 4096):
                self._all += piece


def _octal(text: str) -> str:
    """For printf: what is typed does not look like what it prints."""
    return text.replace("\x01", "\\001")
