"""The configuration for a stock OpenTelemetry Collector in front holds together, and suits us.

Checked without the Collector: what is here is what its own check would not say.
"""

import re
from pathlib import Path
from typing import Any

import pytest

from collector.came_from import key_in
from collector.encodings import KNOWN
from collector.limits import Limits
from collector.signals import Signal

FILE = Path(__file__).parent.parent / "docs" / "otel-collector.yaml"
EXPORTER = "otlphttp/spanledger"


def parsed(text: str) -> dict[str, Any]:
    """YAML of maps within maps by two spaces, lists in brackets and plain values, and no other."""
    root: dict[str, Any] = {}
    open_maps = [root]
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        found = re.fullmatch(r"((?:  )*)([\w/]+):(?: (\S.*))?", line)
        assert found, f"beyond this reader: {line!r}"
        depth, name, told = len(found[1]) // 2, found[2], found[3]
        assert depth < len(open_maps), f"indented too far: {line!r}"
        del open_maps[depth + 1 :]
        assert name not in open_maps[depth], f"twice: {line!r}"
        open_maps[depth][name] = value(told) if told else {}
        if not told:
            open_maps.append(open_maps[depth][name])
    return root


def value(told: str) -> Any:
    if told.startswith("["):
        return [part.strip() for part in told.strip("[]").split(",")]
    if told in {"true", "false"}:
        return told == "true"
    assert not re.search(r": |^[&*!|>'\"%@`{]| #", told), f"beyond this reader: {told!r}"
    return int(told) if told.isdecimal() else told


@pytest.fixture(scope="module")
def config() -> dict[str, Any]:
    return parsed(FILE.read_text("utf-8"))


def test_every_signal_goes_through_and_every_name_is_defined_and_used(
    config: dict[str, Any],
) -> None:
    pipelines = config["service"]["pipelines"]
    assert set(pipelines) == {str(signal) for signal in Signal}
    for kind in ("receivers", "processors", "exporters"):
        used = {name for pipeline in pipelines.values() for name in pipeline[kind]}
        assert used == set(config[kind]), kind
    assert set(config["service"]["extensions"]) == set(config["extensions"])
    assert set(config) == {"extensions", "receivers", "processors", "exporters", "service"}
    for pipeline in pipelines.values():
        assert pipeline["processors"][0] == "memory_limiter"
        # It answers before anything is on disk.
        assert not any(name.startswith("batch") for name in pipeline["processors"])


def test_what_it_answered_for_is_on_its_disk_until_we_answered(config: dict[str, Any]) -> None:
    exporter = config["exporters"][EXPORTER]
    queue, retry = exporter["sending_queue"], exporter["retry_on_failure"]
    assert queue["enabled"] is True
    assert config["extensions"][queue["storage"]]["fsync"] is True
    assert queue["block_on_overflow"] is True
    assert (retry["enabled"], retry["max_elapsed_time"]) == (True, "0s")


def test_its_requests_are_within_our_limits(config: dict[str, Any]) -> None:
    limits, exporter = Limits(), config["exporters"][EXPORTER]
    batch = exporter["sending_queue"]["batch"]
    assert batch["sizer"] == "bytes"
    assert batch["min_size"] < batch["max_size"] < limits.request_bytes / 2
    assert int(exporter["timeout"].removesuffix("s")) > limits.answer_seconds
    http = config["receivers"]["otlp"]["protocols"]["http"]
    grpc = config["receivers"]["otlp"]["protocols"]["grpc"]
    assert http["max_request_body_size"] == limits.request_bytes
    assert grpc["max_recv_msg_size_mib"] * 2**20 == limits.request_bytes


def test_our_door_takes_its_compression_and_its_key(config: dict[str, Any]) -> None:
    exporter = config["exporters"][EXPORTER]
    assert exporter["compression"] in KNOWN
    assert exporter["encoding"] == "proto"
    key = exporter["headers"]["authorization"].replace("${env:SPANLEDGER_API_KEY}", "sl_key")
    assert key_in({"authorization": key}) == "sl_key"
    # Where there is no key, none is shown.
    assert key_in({"authorization": key.replace("sl_key", "")}) is None


def test_nobody_beyond_the_machine_is_let_in_and_no_secret_stands_in_it(
    config: dict[str, Any],
) -> None:
    protocols = config["receivers"]["otlp"]["protocols"]
    for listener in (*protocols.values(), config["extensions"]["health_check"]):
        assert listener["endpoint"].startswith("127.0.0.1:")
    ours = config["exporters"][EXPORTER]["endpoint"]
    # Not to itself.
    assert not {"4317", "4318"} & set(re.findall(r":(\d+)", ours))
    assert "sl_" not in FILE.read_text("utf-8")
