"""The Postgres that spanledger runs for itself."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import psycopg
import pytest
from serving import PATIENCE, eventually

from app.errors import PostgresUnavailable
from app.local_postgres import LocalPostgres, local_postgres


@pytest.fixture
def binaries(postgres: LocalPostgres) -> Path:
    """Of each server that tests run on."""
    return postgres.binaries.folder


def write(server: LocalPostgres, number: int) -> None:
    with psycopg.connect(server.url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (number int)")
        connection.execute("INSERT INTO kept VALUES (%s)", [number])


def kept(server: LocalPostgres) -> list[int]:
    with psycopg.connect(server.url) as connection:
        return [row[0] for row in connection.execute("SELECT number FROM kept ORDER BY 1")]


def gone(pid: int) -> bool:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def another_user(binaries: Path, data_dir: Path) -> subprocess.Popen[str]:
    """A process that says the server's pid, and uses it until its stdin is closed."""
    program = (
        "import sys; from pathlib import Path; from app.local_postgres import local_postgres"
        "\nwith local_postgres(Path(sys.argv[1]), binaries=Path(sys.argv[2])) as server:"
        "\n    print(server.pid, flush=True); sys.stdin.read()"
    )
    return subprocess.Popen(  # noqa: S603  # this very program
        [sys.executable, "-c", program, str(data_dir), str(binaries)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_data_and_address_are_found_again(binaries: Path, data_dir: Path) -> None:
    with local_postgres(data_dir, binaries=binaries) as server:
        write(server, 1)
        first = server.url
    with local_postgres(data_dir, binaries=binaries) as server:
        assert kept(server) == [1]
        assert server.url == first


def test_it_stops_when_its_user_leaves(binaries: Path, data_dir: Path) -> None:
    with local_postgres(data_dir, binaries=binaries) as server:
        pid = server.pid
        assert pid is not None
    assert gone(pid)
    assert not server.answers()


def test_users_share_a_server_and_the_last_one_stops_it(binaries: Path, data_dir: Path) -> None:
    with local_postgres(data_dir, binaries=binaries) as second:
        with local_postgres(data_dir, binaries=binaries) as first:
            assert first.pid == second.pid
        assert second.answers()
        pid = second.pid
    assert pid
    assert gone(pid)


def test_whoever_started_it_may_leave_first(binaries: Path, data_dir: Path) -> None:
    with another_user(binaries, data_dir) as starter:
        assert starter.stdout
        starter.stdout.readline()
        with local_postgres(data_dir, binaries=binaries) as server:
            assert starter.stdin
            starter.stdin.close()
            assert starter.wait(timeout=PATIENCE) == 0
            assert server.answers()
            pid = server.pid
        assert pid
        assert gone(pid)


def test_a_killed_server_comes_back_with_what_was_committed(binaries: Path, data_dir: Path) -> None:
    with local_postgres(data_dir, binaries=binaries) as server:
        for number in range(3):
            write(server, number)
            assert server.pid
            os.kill(server.pid, signal.SIGKILL)
            eventually(lambda: not server.alive(), "the server is killed")
            server.recover()
            assert kept(server) == list(range(number + 1))


def test_a_server_that_dies_while_it_is_asked_for_is_started_again(
    binaries: Path, data_dir: Path
) -> None:
    with local_postgres(data_dir, binaries=binaries) as server:
        write(server, 1)
        dying = server.pid
        assert dying
        # It is there when it is asked first, and gone before anybody sees that it is.
        os.kill(dying, signal.SIGSTOP)
        death = threading.Timer(0.3, os.kill, [dying, signal.SIGKILL])
        death.start()
        server.recover()
        death.join()
        assert server.pid != dying
        assert kept(server) == [1]


def test_when_its_user_is_killed_it_shuts_down_by_itself(binaries: Path, data_dir: Path) -> None:
    with another_user(binaries, data_dir) as user:
        assert user.stdout
        pid = int(user.stdout.readline())
        user.kill()
    assert gone(pid)
    assert "database system is shut down" in (data_dir / "postgres.log").read_text()


def test_secrets_are_readable_by_their_owner_only(binaries: Path, data_dir: Path) -> None:
    with local_postgres(data_dir, binaries=binaries) as server:
        assert (data_dir / "postgres.password").stat().st_mode & 0o077 == 0
        assert (data_dir / "postgres").stat().st_mode & 0o077 == 0
        assert data_dir.stat().st_mode & 0o077 == 0
        wrong = server.url.replace(server.url.split(":")[2].split("@")[0], "wrong")
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(wrong)


def test_a_port_taken_by_somebody_else_is_given_up(binaries: Path, data_dir: Path) -> None:
    with local_postgres(data_dir, binaries=binaries) as server:
        port = server.port
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        with local_postgres(data_dir, binaries=binaries) as server:
            assert server.port != port
            assert server.answers()


def test_data_of_another_major_version_are_refused_with_the_way_out(
    binaries: Path, data_dir: Path
) -> None:
    with local_postgres(data_dir, binaries=binaries):
        pass
    (data_dir / "postgres" / "PG_VERSION").write_text("12\n")
    with (
        pytest.raises(PostgresUnavailable, match=r"made by Postgres 12.*dump"),
        local_postgres(data_dir, binaries=binaries),
    ):
        pass


def test_a_folder_without_postgres_is_refused(data_dir: Path) -> None:
    with (
        pytest.raises(PostgresUnavailable, match="SPANLEDGER_DATABASE_URL"),
        local_postgres(data_dir, binaries=Path("/bin")),
    ):
        pass


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to run it as somebody else")
def test_as_root_it_runs_where_its_own_user_may_not_enter(binaries: Path, data_dir: Path) -> None:
    data_dir.parent.chmod(0o700)
    with local_postgres(data_dir, binaries=binaries) as server:
        write(server, 1)
        assert server.account is not None
        owner = (data_dir / "postgres").stat().st_uid
        assert owner == server.account.uid != 0
