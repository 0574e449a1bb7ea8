"""The alert rules: valid, tried one by one, explained; and a real Prometheus that asks them."""

import json
import re
import shutil
import socket
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from serving import PATIENCE, eventually, serving
from told_metrics import promtool

from api.metrics import metric_list as api_list
from collector import metric_list as collector_list
from jobs import metric_list as jobs_list
from spend.metric_names import Metric

pytestmark = pytest.mark.one_server

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "deploy" / "prometheus"
TRIALS = ("alerts_test.yaml", "alerts_week_test.yaml")
DOCUMENT = (ROOT / "docs" / "metrics.md").read_text("utf-8")
RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((FOLDER / "alerts.yaml").read_text("utf-8"))["groups"]
    for rule in group["rules"]
]
LISTED = {
    each.name: each for each in (*api_list.METRICS, *collector_list.METRICS, *jobs_list.METRICS)
}
SEVERITIES = {"page", "ticket"}


def series_of(metric: Metric) -> set[str]:
    """What it is asked by."""
    if metric.kind != "histogram":
        return {metric.name}
    return {f"{metric.name}_{part}" for part in ("bucket", "sum", "count")}


@pytest.mark.parametrize(
    "asked", [("check", "config", "prometheus.yaml"), ("test", "rules", *TRIALS)]
)
def test_promtool_takes_the_configuration_and_each_rule_does_what_its_trial_says(
    asked: tuple[str, ...],
) -> None:
    done = subprocess.run(  # noqa: S603  # Prometheus' own tool
        [promtool(), *asked], cwd=FOLDER, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_alert_is_tried_and_says_what_to_do() -> None:
    read = [yaml.safe_load((FOLDER / name).read_text("utf-8")) for name in TRIALS]
    trials = [trial for each in read for trial in each["tests"]]
    fires: set[str] = set()
    quiet: set[str] = set()
    for trial in trials:
        for each in trial.get("alert_rule_test", ()):
            (fires if each.get("exp_alerts") else quiet).add(each["alertname"])
    names = [rule["alert"] for rule in RULES]
    assert len(set(names)) == len(names)
    assert fires == quiet == set(names)
    explained = re.findall(r"^### (Spanledger\w+)$", DOCUMENT, re.MULTILINE)
    assert explained == names
    for rule in RULES:
        assert rule["labels"]["severity"] in SEVERITIES
        said = rule["annotations"]
        assert said["summary"]
        assert said["description"]
        assert said["runbook"] == f"docs/metrics.md#{rule['alert'].lower()}"


def test_an_alert_asks_for_nothing_that_is_not_told() -> None:
    told = {name: each for each in LISTED.values() for name in series_of(each)}
    for rule in RULES:
        expression = rule["expr"]
        for name, matchers in re.findall(r"(spanledger_\w+)(?:{(.*?)})?", expression):
            assert name in told, f"{rule['alert']} asks for {name}"
            labels = set(re.findall(r"(\w+)[=!]", matchers))
            assert labels <= set(told[name].labels), f"{rule['alert']}: {labels}"
        grouped = " ".join(re.findall(r"(?:by|on) \((.*?)\)", expression)).replace(",", " ")
        known = {"le", "instance", "job"} | {one for each in told.values() for one in each.labels}
        assert set(grouped.split()) <= known


def test_what_the_document_names_is_told() -> None:
    told = {name for each in LISTED.values() for name in (each.name, *series_of(each))}
    named = set(re.findall(r"`(spanledger_\w+)", DOCUMENT)) | set(
        re.findall(r"\b(spanledger_\w+_total)", DOCUMENT)
    )
    assert {each for each in named if each not in told} == set()


@contextmanager
def prometheus(folder: Path, collector: str, api: str, jobs: str) -> Iterator[str]:
    """A real one, that asks each door every second; gives its address."""
    program = shutil.which("prometheus")
    if program is None:
        pytest.skip("there is no Prometheus here (Debian: apt-get install prometheus)")
    config = yaml.safe_load((FOLDER / "prometheus.yaml").read_text("utf-8"))
    places = {"spanledger-collector": collector}
    for each in config["scrape_configs"]:
        each["static_configs"] = [{"targets": [places.get(each["job_name"], api)]}]
        each["scrape_interval"] = "1s"
    config["scrape_configs"].append(
        {"job_name": "spanledger-jobs", "static_configs": [{"targets": [jobs]}]}
    )
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(config))
    shutil.copy(FOLDER / "alerts.yaml", folder)
    address = f"127.0.0.1:{free_port()}"
    options = [
        f"--config.file={folder / 'prometheus.yaml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={address}",
    ]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen([program, *options], stderr=log, stdout=log)  # noqa: S603  # as above
        try:
            eventually(lambda: process.poll() is not None or is_ready(address), "it is ready")
            assert process.poll() is None, (folder / "log").read_text()
            yield address
        finally:
            process.terminate()
            process.wait(PATIENCE)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def is_ready(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://{address}/-/ready", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def asked(address: str, path: str, **query: str) -> Any:
    url = f"http://{address}/api/v1/{path}?{urllib.parse.urlencode(query)}"
    with urllib.request.urlopen(url, timeout=20) as answer:
        return json.load(answer)["data"]


def test_a_real_prometheus_scrapes_a_running_serve_and_answers_what_each_alert_asks(
    tmp_path: Path, database_url: str
) -> None:
    jobs = f"127.0.0.1:{free_port()}"
    settings = {"JOBS_ADDR": jobs, "DATABASE_URL": database_url, "COLLECTOR_WORKERS": "1"}
    folder = tmp_path / "prometheus"
    folder.mkdir()
    with serving(tmp_path / "data", **settings) as running:
        collector, api = (running.address(name) for name in ("OTLP/HTTP", "Pages"))
        assert running.post(running.first_span()) == 200
        with prometheus(folder, collector, api, jobs) as address:
            eventually(lambda: is_scraped(address), "each door is scraped")
            for rule in RULES:
                # Parsed and answered, whatever the answer is.
                asked(address, "query", query=rule["expr"])
            groups = asked(address, "rules")["groups"]
            assert {each["name"] for group in groups for each in group["rules"]} == {
                rule["alert"] for rule in RULES
            }
            assert all(each["health"] != "err" for group in groups for each in group["rules"])
            # A door of a busy machine may take longer than a second once.
            for query in (
                "max(spanledger_spans_heard_total) == 1",
                "min(spanledger_database_up) == 1",
                "count(spanledger_job_interval_seconds) > 10",
            ):
                eventually(partial(holds, address, query), query)
            firing = asked(address, "alerts")["alerts"]
            assert [each for each in firing if each["state"] == "firing"] == []


def is_scraped(address: str) -> bool:
    targets = asked(address, "targets", state="active")["activeTargets"]
    return len(targets) == 5 and all(each["health"] == "up" for each in targets)


def holds(address: str, query: str) -> bool:
    """Whether a comparison holds: of one that does not, nothing is answered."""
    return len(asked(address, "query", query=query)["result"]) == 1
