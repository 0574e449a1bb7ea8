"""Who is started with what cannot work says why in a line, ends, and has opened no door."""

import socket
from pathlib import Path

import pytest
from click.testing import CliRunner

from app.cli import cli

WRONG = {
    "TIMEZONE": "Mars",
    "OTLP_HTTP_ADDR": "nowhere",
    "KEY_PEPPER": "short",
    "DATABASE_URL": "mysql://me:hidden@127.0.0.1/x",
    "COLLECTOR_WORKERS": "0",
}


@pytest.mark.parametrize("command", ["serve", "collector", "jobs", "api"])
@pytest.mark.parametrize("setting", WRONG)
def test_who_cannot_work_says_why_in_a_line_and_opens_no_door(
    command: str, setting: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def opened(*_: object) -> None:
        raise AssertionError("it opened a door")

    monkeypatch.setattr(socket.socket, "listen", opened)
    environment = {
        "SPANLEDGER_DATA_DIR": str(tmp_path / "data"),
        f"SPANLEDGER_{setting}": WRONG[setting],
    }
    # As a service manager has it: again and again.
    for _ in range(2):
        ended = CliRunner(env=environment).invoke(cli, [command])
        assert ended.exit_code == 2
        assert ended.stderr.startswith(f"SPANLEDGER_{setting}: ")
        assert ended.stderr.count("\n") == 1
        assert "hidden" not in ended.output
    assert not (tmp_path / "data").exists()
