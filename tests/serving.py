"""``spanledger serve`` as somebody at a terminal has it: a process, its words, its signals."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.error import HTTPError

ANY_PORT = {
    f"SPANLEDGER_{name}": "127.0.0.1:0" for name in ("OTLP_HTTP_ADDR", "OTLP_GRPC_ADDR", "API_ADDR")
}
PATIENCE = 60
_BUSY = 503


def environment(data_dir: Path, **settings: str) -> dict[str, str]:
    """This process's, with no setting but those given, and free ports."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("SPANLEDGER_")}
    named = {f"SPANLEDGER_{name}": value for name, value in settings.items()}
    return inherited | ANY_PORT | {"SPANLEDGER_DATA_DIR": str(data_dir)} | named


def spanledger(
    data_dir: Path, *arguments: str, **settings: str
) -> subprocess.CompletedProcess[str]:
    """A command, run to its end."""
    return subprocess.run(  # noqa: S603  # this very program
        [sys.executable, "-P", "-m", "app", *arguments],
        env=environment(data_dir, **settings),
        # Not from the checkout: a folder of that name must not matter.
        cwd="/",
        capture_output=True,
        text=True,
        # It works, and does not only answer: a busy machine takes minutes for a week of the demo.
        timeout=5 * PATIENCE,
        check=False,
    )


def eventually(happens: Callable[[], object], what: str, patience: float = PATIENCE) -> None:
    """Waits for a condition, so many seconds."""
    deadline = time.monotonic() + patience
    while not happens():
        assert time.monotonic() < deadline, f"it never came about that {what}"
        time.sleep(0.05)


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def children_of(parent: int) -> Iterator[tuple[int, str]]:
    """Process ids and command lines."""
    if not Path("/proc/self/stat").exists():  # macOS
        asked = ["ps", "-wwax", "-o", "ppid=,pid=,args="]
        listed = subprocess.run(asked, capture_output=True, text=True, check=True)  # noqa: S603  # constant
        for line in listed.stdout.splitlines():
            ppid, pid, arguments = line.split(maxsplit=2)
            if int(ppid) == parent:
                yield int(pid), arguments
        return
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            # pid (name) state ppid ...: the name may hold anything, brackets too.
            ppid = (entry / "stat").read_text().rpartition(")")[2].split()[1]
            arguments = (entry / "cmdline").read_text().replace("\0", " ")
        except OSError:  # gone meanwhile
            continue
        if int(ppid) == parent:
            yield int(entry.name), arguments


class Serving:
    """A running ``serve``."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self.process = process
        self._log = log
        self.said = ""
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.said += line

    def wait_until_it_serves(self) -> None:
        eventually(lambda: "Ctrl-C" in self.said or self.process.poll() is not None, "it serves")
        assert self.process.poll() is None, self.told()

    def told(self) -> str:
        return self.said + self._log.read_text()

    def address(self, name: str) -> str:
        found = re.search(rf"^  {name} +(?:http://)?(\S+)", self.said, re.MULTILINE)
        assert found, self.said
        return found[1]

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(f"http://{self.address('Pages')}{path}", timeout=30) as answer:
            return json.load(answer)

    def post(self, body: str) -> int:
        """Sends OTLP/JSON, again while it is busy, as senders do; the status."""
        answers: list[int] = []

        def is_answered() -> bool:
            answers.append(self._posted(body))
            return answers[-1] != _BUSY

        eventually(is_answered, "it takes a request")
        return answers[-1]

    def _posted(self, body: str) -> int:
        request = urllib.request.Request(  # http, to this machine
            f"http://{self.address('OTLP/HTTP')}/v1/traces",
            data=body.encode(),
            headers={"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310  # as above
                return int(answer.status)
        except HTTPError as busy:
            if busy.code != _BUSY:
                raise
            return _BUSY

    def first_span(self) -> str:
        """The body of the curl command that it shows."""
        found = re.search(r"-d '(.*?)'$", self.said, re.DOTALL | re.MULTILINE)
        assert found, self.said
        return found[1]

    def parts(self) -> dict[str, int]:
        """Name -> process id."""
        found = {}
        for pid, arguments in children_of(self.process.pid):
            part = re.search(r"-m app[ .](collector|jobs|api)|(postgres) -D", arguments)
            if part:
                found[part[1] or part[2]] = pid
        return found

    def stop(self, number: int = signal.SIGINT) -> int:
        self.process.send_signal(number)
        code = self.process.wait(timeout=PATIENCE)
        self._reader.join(timeout=PATIENCE)
        return code


@contextmanager
def started(
    command: str, data_dir: Path, **settings: str
) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """A command that goes on, and its log; waited for at the end of the block."""
    log = data_dir.with_suffix(".log")
    with (
        log.open("a") as stderr,
        subprocess.Popen(  # noqa: S603  # this very program
            [sys.executable, "-P", "-m", "app", command],
            env=environment(data_dir, **settings),
            cwd="/",
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        ) as process,
    ):
        yield process, log


@contextmanager
def serving(data_dir: Path, **settings: str) -> Iterator[Serving]:
    """``serve`` over a folder, ready; killed at the end if the test did not stop it.

    With one worker, unless it is told otherwise: each takes a second and a half to start.
    """
    settings = {"COLLECTOR_WORKERS": "1"} | settings
    with started("serve", data_dir, **settings) as (process, log):
        running = Serving(process, log)
        try:
            running.wait_until_it_serves()
            yield running
        finally:
            if process.poll() is None:
                running.stop()
