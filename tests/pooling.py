"""PgBouncer in transaction mode, as Debian packages it, in front of a server of the tests."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from serving import PATIENCE, eventually

PGBOUNCER = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
WITHOUT_POOLER = "none: tests of a pooler are skipped (apt-get install pgbouncer)"

needs_pgbouncer = pytest.mark.skipif(PGBOUNCER is None, reason=WITHOUT_POOLER)

_INI = """
[databases]
* = host=127.0.0.1 port={server}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {folder}/users
pool_mode = transaction
default_pool_size = {size}
query_wait_timeout = 20
server_login_retry = 1
{more}
"""


@contextmanager
def pgbouncer(url: str, folder: Path, *, size: int = 20, more: str = "") -> Iterator[str]:
    """The URL of the same database, reached through PgBouncer. ``more``: lines of its settings."""
    assert PGBOUNCER
    parts = urlsplit(url)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder.mkdir()
    (folder / "users").write_text(f'"{parts.username}" "{parts.password}"\n')
    said = _INI.format(server=parts.port, port=port, folder=folder, size=size, more=more)
    (folder / "pgbouncer.ini").write_text(said)
    pooled = urlunsplit(
        parts._replace(netloc=f"{parts.username}:{parts.password}@127.0.0.1:{port}")
    )
    # It does not run as root.
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603  # Debian's program
            [PGBOUNCER, "-q", *user, folder / "pgbouncer.ini"], stdout=log, stderr=log
        )
    try:
        eventually(lambda: process.poll() is not None or _answers(port), "PgBouncer listens")
        assert process.poll() is None, (folder / "log").read_text()
        yield pooled
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE)


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
