"""The product as processes, with a misbehaving network around it.

senders -> proxy -> collector (workers) -> proxy -> Postgres. Postgres is ours to kill and to bring
back; the collector and the jobs are started again when they end, as a service manager would.
"""

import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from faults.ledger import Ledger
from faults.proxy import Proxy
from serving import children_of, environment, eventually

from app.local_postgres import LocalPostgres, local_postgres
from migrations.run import upgrade

TICK = 0.05


class Part:
    """One command of ours that is started again when it ends."""

    def __init__(self, name: str, settings: dict[str, str], folder: Path) -> None:
        self.name = name
        self.starts = 0
        self.wanted = False
        self._environment = environment(folder / "data", **settings)
        self._log = folder / f"{name}.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    def start(self) -> None:
        self.wanted = True
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603  # this very program
                [sys.executable, "-P", "-m", "app", self.name],
                env=self._environment,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.starts += 1

    def tend(self) -> None:
        if self.wanted and self._process and self._process.poll() is not None:
            self.start()

    def workers(self) -> list[int]:
        """The processes that it started, which do the work."""
        return [pid for pid, args in children_of(self.pid) if "-m app" in args]

    def stop(self) -> int | None:
        """Its exit code; None when it had to be killed."""
        self.wanted = False
        if self._process is None:
            return 0
        with suppress(ProcessLookupError):
            self._process.terminate()
        try:
            return self._process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            return None

    def said(self) -> str:
        return self._log.read_text() if self._log.exists() else ""


class House:
    """Everything that runs."""

    def __init__(self, server: LocalPostgres, folder: Path, chance: random.Random, **more: str):
        self.server = server
        self.folder = folder
        self.to_database = Proxy(("127.0.0.1", server.port), chance)
        holders = [Proxy(("127.0.0.1", 0), chance) for _ in range(2)]
        self.http, self.grpc = holders
        settings = {
            "DATABASE_URL": self._through(server.url, self.to_database.port),
            # The ports stay the same when the collector is started again.
            "OTLP_HTTP_ADDR": f"127.0.0.1:{free_port()}",
            "OTLP_GRPC_ADDR": f"127.0.0.1:{free_port()}",
            "API_ADDR": f"127.0.0.1:{free_port()}",
            **more,
        }
        for proxy, name in ((self.http, "OTLP_HTTP_ADDR"), (self.grpc, "OTLP_GRPC_ADDR")):
            proxy.target = ("127.0.0.1", int(settings[name].rpartition(":")[2]))
        self.collector = Part("collector", settings, folder)
        self.jobs = Part("jobs", settings, folder)
        self.api = Part("api", settings, folder)
        self.api_address = settings["API_ADDR"]
        self._over = threading.Event()
        self._tending = threading.Thread(target=self._tend, daemon=True)

    @property
    def data(self) -> Path:
        """The data folder of the parts."""
        return self.folder / "data"

    def open(self, *, jobs: bool) -> None:
        """Jobs by the clock, and the API, only where asked for."""
        self.collector.start()
        if jobs:
            self.jobs.start()
            self.api.start()
        self._tending.start()
        self.until_it_hears()

    def close(self) -> None:
        self._over.set()
        if self._tending.is_alive():
            self._tending.join(10)
        for part in (self.api, self.jobs, self.collector):
            part.stop()
        for proxy in (self.http, self.grpc, self.to_database):
            proxy.close()

    def until_it_hears(self) -> None:
        """Until an empty request is answered, past the proxies."""
        eventually(self.hears, "the collector hears")

    def hears(self) -> bool:
        connection = HTTPConnection("127.0.0.1", self.http.target[1], timeout=5)
        try:
            connection.request(
                "POST", "/v1/traces", b"", {"content-type": "application/x-protobuf"}
            )
            return connection.getresponse().status == 200
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()

    @property
    def ledger(self) -> Ledger:
        return Ledger(self.server.url, self.data)

    def asking(self) -> AbstractContextManager[psycopg.Connection]:
        """A connection to the database that no fault stands in the way of."""
        return self.ledger.asking()

    def kill(self, pid: int, number: int = signal.SIGKILL) -> bool:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return False
        return True

    def postgres_processes(self) -> list[int]:
        """The postmaster first."""
        pid = self.server.pid
        return [pid, *(child for child, _ in children_of(pid))] if pid else []

    def end_postgres(self, number: int) -> None:
        """SIGKILL, or SIGQUIT as ``pg_ctl stop -m immediate`` sends it."""
        pid = self.server.pid
        assert pid
        os.kill(pid, number)
        eventually(lambda: not self.server.alive(), "Postgres is gone")

    def recover_postgres(self) -> None:
        before = self.server.port
        self.server.recover()
        if self.server.port != before:
            self.to_database.target = ("127.0.0.1", self.server.port)

    def _through(self, url: str, port: int) -> str:
        parts = urlsplit(url)
        return urlunsplit(parts._replace(netloc=f"{parts.netloc.rpartition(':')[0]}:{port}"))

    def _tend(self) -> None:
        while not self._over.wait(TICK):
            for part in (self.collector, self.jobs, self.api):
                part.tend()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def house(
    folder: Path,
    chance: random.Random,
    *,
    jobs: bool = False,
    **more: str,
) -> Iterator[House]:
    """A migrated Postgres in ``folder``, and all that stands on it."""
    with local_postgres(folder / "postgres") as server:
        upgrade(server.url)
        opened = House(server, folder, chance, **more)
        try:
            opened.open(jobs=jobs)
            yield opened
        finally:
            opened.close()


def wait(seconds: float, stop: Callable[[], bool] = lambda: False) -> None:
    """Lets a fault, or a load, last so long: its length is what is tried."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not stop():
        time.sleep(min(TICK, max(0.0, deadline - time.monotonic())))
