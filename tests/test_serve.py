"""``spanledger serve``: it begins, it ends, and what happens to it in between."""

import os
import signal
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.error import URLError

import psycopg
import pytest
from serving import Serving, eventually, is_gone, serving, spanledger

from app.local_postgres import local_postgres


def calls_today(serve: Serving) -> int:
    today = datetime.now(UTC).date()
    # From yesterday: a test may begin before midnight.
    asked = f"from={today - timedelta(days=1)}&to={today + timedelta(days=1)}&group_by=team"
    rows = serve.get(f"/v1/spend?{asked}")["rows"]
    return sum(row["calls"] for row in rows if row["team"] == "search")


def loaded(pid: int, library: str) -> bool:
    """Whether a process holds an extension module of it; False where the system does not tell."""
    maps = Path(f"/proc/{pid}/maps")
    return maps.exists() and f"/{library}/" in maps.read_text()


def test_what_it_says_is_how_it_is_and_nothing_is_lost_when_it_is_killed_or_stopped_or_a_part_dies(
    data_dir: Path,
) -> None:
    with serving(data_dir) as serve:
        assert serve.get("/readyz") == {"status": "ok"}
        # The curl command that it shows, sent as it stands.
        assert serve.post(serve.first_span()) == 200
        parts = serve.parts()
        assert set(parts) == {"postgres", "collector", "jobs", "api"}
        # Only the jobs are to have the memory for it.
        assert not loaded(parts["api"], "pandas")
        serve.process.kill()
        eventually(
            lambda: all(is_gone(pid) for pid in parts.values()), "the parts end by themselves"
        )
    with serving(data_dir) as serve:
        assert serve.post(serve.first_span()) == 200
        whatever_dies_comes_back(serve)
        settled = spanledger(data_dir, "jobs", "run", "--all")
        assert settled.returncode == 0, settled.stderr
        assert calls_today(serve) == 2
        parts = serve.parts()
        # As systemd and containers do; Ctrl-C is in test_telemetry_of_serve.py.
        assert serve.stop(signal.SIGTERM) == 0
        assert "Postgres, done." in serve.said
        assert all(is_gone(pid) for pid in parts.values())
        with pytest.raises(OSError):  # noqa: PT011  # of whatever kind: nobody is there
            serve.get("/livez")
    with local_postgres(data_dir) as server, psycopg.connect(server.url) as connection:
        assert connection.execute("SELECT count(*) FROM sightings").fetchone() == (2,)


def whatever_dies_comes_back(serve: Serving) -> None:
    before = serve.parts()
    for name in ("collector", "api", "jobs", "postgres"):
        os.kill(before[name], signal.SIGKILL)
    eventually(
        lambda: all(serve.parts().get(name, pid) != pid for name, pid in before.items()),
        "every part has another process",
    )

    def answers() -> bool:
        try:
            return bool(serve.get("/readyz")) and serve.post(serve.first_span()) == 200
        except (URLError, OSError):
            return False

    eventually(answers, "both doors answer at the addresses that were told")


def test_a_second_serve_does_not_take_half_of_the_spans(data_dir: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        refused = spanledger(data_dir, "serve", OTLP_HTTP_ADDR=f"127.0.0.1:{port}")
    assert refused.returncode == 2
    assert refused.stderr.startswith("SPANLEDGER_OTLP_HTTP_ADDR: cannot listen at 127.0.0.1:")
    assert refused.stderr.count("\n") == 1


@pytest.mark.one_server
@pytest.mark.parametrize(
    ("command", "setting"),
    [("serve", "API_ADDR"), ("collector", "OTLP_GRPC_ADDR"), ("api", "API_ADDR")],
)
def test_strangers_are_not_let_in_without_a_key(
    data_dir: Path, database_url: str, command: str, setting: str
) -> None:
    everywhere = {setting: "0.0.0.0:0", "DATABASE_URL": database_url}
    refused = spanledger(data_dir, command, **everywhere)
    assert refused.returncode == 2, refused.stderr
    (line,) = [line for line in refused.stderr.splitlines() if not line.startswith("{")]
    assert line.startswith(f"SPANLEDGER_{setting}: 0.0.0.0:0 can be reached")
    assert "spanledger keys create" in line
