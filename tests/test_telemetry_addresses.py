"""Where our own traces and metrics may go: never to a door of ours, nor nowhere."""

import socket
from pathlib import Path

import pytest
from click.testing import CliRunner
from pydantic import ValidationError

from app.addresses import Address
from app.cli import cli
from app.errors import WrongSetting
from app.settings import Settings
from app.telemetry.own_doors import refuse_own_doors


@pytest.mark.parametrize(
    ("endpoint", "door"),
    [
        ("http://localhost:4318", "127.0.0.1"),
        ("http://127.0.0.1:4318/otlp", "localhost"),
        ("http://127.0.0.1:4318", "0.0.0.0"),  # noqa: S104  # compared
        ("https://[::1]:4318", "::1"),
        ("http://[::ffff:127.0.0.1]:4318", "127.0.0.1"),
        (f"http://{socket.gethostname()}:4318", "0.0.0.0"),  # noqa: S104  # as above
    ],
)
@pytest.mark.parametrize("name", ["telemetry_endpoint", "export_endpoint"])
def test_our_own_door_is_refused_by_whatever_name(
    endpoint: str, door: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = {socket.gethostname(): "127.0.0.1", "localhost": "127.0.0.1"}

    def known(host: str, *_: object, **__: object) -> list[tuple[object, ...]]:
        return [(0, 0, 0, "", (own.get(host, host), 0))]

    monkeypatch.setattr(socket, "getaddrinfo", known)
    told = Settings(**{name: endpoint, "otlp_http_addr": Address(door, 4318)})  # type: ignore[arg-type]  # by name
    with pytest.raises(WrongSetting, match=f"SPANLEDGER_{name.upper()}: that is our own"):
        refuse_own_doors(told)


@pytest.mark.parametrize("door", ["otlp_http_addr", "otlp_grpc_addr", "api_addr", "jobs_addr"])
def test_each_of_our_doors_is_refused(door: str) -> None:
    told = Settings(telemetry_endpoint="http://127.0.0.1:9", **{door: Address("127.0.0.1", 9)})  # type: ignore[arg-type]  # by name
    with pytest.raises(WrongSetting, match=f"that is our own SPANLEDGER_{door.upper()}"):
        refuse_own_doors(told)


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://zq name/",
        "http://zq/é",
        "http://0.0.0.0:4318",
        "http://[fe80::1]:4318",
        "http://zq/?a=b",
    ],
)
def test_an_address_that_nothing_could_be_sent_to_is_refused_at_the_start(endpoint: str) -> None:
    with pytest.raises(ValidationError, match="write a URL such as") as refused:
        Settings(export_endpoint=endpoint)
    assert "zq" not in refused.value.errors()[0]["msg"]


def test_another_receiver_on_this_machine_is_none_of_our_doors() -> None:
    told = Settings(
        telemetry_endpoint="http://127.0.0.1:5318", export_endpoint="http://127.0.0.2:4318"
    )
    refuse_own_doors(told)


def test_a_serve_that_would_tell_itself_does_not_start(tmp_path: Path) -> None:
    environment = {
        "SPANLEDGER_DATA_DIR": str(tmp_path / "data"),
        "SPANLEDGER_OTLP_HTTP_ADDR": "127.0.0.1:14318",
        "SPANLEDGER_TELEMETRY_ENDPOINT": "http://localhost:14318",
    }
    for command in ("serve", "collector", "jobs", "api"):
        ended = CliRunner(env=environment).invoke(cli, [command])
        assert ended.exit_code == 2
        own = "SPANLEDGER_TELEMETRY_ENDPOINT: that is our own SPANLEDGER_OTLP_HTTP_ADDR"
        assert ended.stderr.startswith(own)
        assert not (tmp_path / "data" / "postgres").exists()
