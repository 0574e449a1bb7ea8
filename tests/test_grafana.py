"""Grafana's dashboards are whole, and each question in them is answered."""

import re
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import combinations
from pathlib import Path
from typing import Any

import psycopg
import pytest
import reported
import yaml
from dashboards import (
    FOLDER,
    NAMES,
    OVER_VIEWS,
    VARIABLE,
    Asked,
    dashboard,
    panels,
    promql_of,
    sql_of,
    variables,
)

from api.metrics import metric_list as api_metrics
from collector import metric_list as collector_metrics
from jobs import metric_list as job_metrics
from store.postgres.sessions import Database

pytestmark = pytest.mark.one_server

UNITS = {
    *("none", "short", "percentunit", "s", "ms", "bytes", "cps", "reqps"),
    *("dateTimeAsIso", "dateTimeFromNow"),
}
"""As Grafana calls them, of those that it has: a typing error shows numbers without a unit."""
KINDS = {"timeseries", "stat", "table"}
PROMTOOL = shutil.which("promtool")
LABELS_OF_A_TARGET = {"instance", "job", "le"}
METRICS = (*api_metrics.METRICS, *collector_metrics.METRICS, *job_metrics.METRICS)
EVERY_METRIC = {each.name: each for each in METRICS}


@pytest.mark.parametrize("name", NAMES)
def test_a_dashboard_is_one_that_grafana_takes(name: str) -> None:
    board = dashboard(name)
    assert (board["uid"], board["schemaVersion"], board["tags"]) == (
        *(f"spanledger-{name}", 42, ["spanledger"]),
    )
    assert "id" not in board, "that is a Grafana's own"
    every = board["panels"]
    assert len({each["id"] for each in every}) == len(every)
    titles = [each["title"] for each in every]
    assert len(set(titles)) == len(titles)
    for each in every:
        place = each["gridPos"]
        assert place["x"] >= 0
        assert place["x"] + place["w"] <= 24
    for one, other in combinations((each["gridPos"] for each in every), 2):
        apart = (
            one["x"] + one["w"] <= other["x"]
            or other["x"] + other["w"] <= one["x"]
            or one["y"] + one["h"] <= other["y"]
            or other["y"] + other["h"] <= one["y"]
        )
        assert apart, (one, other)


@pytest.mark.parametrize("name", NAMES)
def test_each_panel_says_what_it_shows_in_which_unit_and_from_where(name: str) -> None:
    board = dashboard(name)
    kind = "grafana-postgresql-datasource" if name in OVER_VIEWS else "prometheus"
    source = {"type": kind, "uid": "${datasource}"}
    assert variables(board)["datasource"]["query"] == kind
    for panel in panels(board):
        assert panel["type"] in KINDS
        assert panel["description"].endswith(".")
        assert panel["datasource"] == source
        assert panel["fieldConfig"]["defaults"]["unit"] in UNITS
        names = [each["refId"] for each in panel["targets"]]
        assert names == sorted(set(names))
        assert all(each["datasource"] == source for each in panel["targets"])
        for each in panel["fieldConfig"]["overrides"]:
            for said in each["properties"]:
                assert said["id"] != "unit" or said["value"] in UNITS


@pytest.mark.parametrize("name", NAMES)
def test_each_variable_is_used_and_each_that_is_used_is_there(name: str) -> None:
    board = dashboard(name)
    there = variables(board)
    questions = [
        text
        for panel in panels(board)
        for each in panel["targets"]
        for text in (
            each.get("rawSql", each.get("expr")),
            panel["title"],
            each["datasource"]["uid"],
        )
    ]
    questions += [str(each["query"]) for each in there.values()]
    used = {found[1] or found[2] for text in questions for found in VARIABLE.finditer(text)}
    assert used == set(there)


def test_what_is_provisioned_fits_the_dashboards_and_holds_no_secret() -> None:
    sources = yaml.safe_load((FOLDER / "provisioning/datasources/spanledger.yaml").read_text())
    kinds = {each["type"]: each for each in sources["datasources"]}
    assert set(kinds) == {variables(dashboard(name))["datasource"]["query"] for name in NAMES}
    views = kinds["grafana-postgresql-datasource"]
    assert views["user"] == reported.ROLE
    assert all(value.startswith("$") for value in views["secureJsonData"].values())
    said = (FOLDER / "provisioning/datasources/spanledger.yaml").read_text()
    explained = set(re.findall(r"^#   (SPANLEDGER_\w+)", said, re.MULTILINE))
    assert explained == set(re.findall(r"\$(\w+)", said))
    (provider,) = yaml.safe_load((FOLDER / "provisioning/dashboards/spanledger.yaml").read_text())[
        "providers"
    ]
    assert provider["type"] == "file"
    assert Path(provider["options"]["path"]).is_absolute()


def chosen(reader: psycopg.Connection[Any], board: dict[str, Any], days: int) -> Asked:
    """A dashboard as it opens: all of every variable, as its own questions tell them."""
    end = datetime.now(UTC)
    values: dict[str, Any] = {}
    for name, each in variables(board).items():
        if each["type"] != "query":
            continue
        asked = Asked(end - timedelta(days=days), end, values)
        found = [row[0] for row in reader.execute(sql_of(each["query"], asked).encode())]
        assert found, name
        values[name] = found if each["multi"] else found[0]
    return Asked(end - timedelta(days=days), end, values)


def numbers(rows: list[tuple[Any, ...]]) -> bool:
    return all(isinstance(each, int | float | Decimal | None) for row in rows for each in row)


@pytest.mark.parametrize("name", OVER_VIEWS)
def test_each_panels_question_is_answered_with_what_its_panel_shows(
    company: Database, name: str
) -> None:
    board = dashboard(name)
    url = company.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with reported.may_read(url) as its, psycopg.connect(its) as reader:
        every = chosen(reader, board, days=30)
        few = Asked(every.start, every.end, {**every.values, "team": ["o'brien", "search"]}, "1h")
        for panel in panels(board):
            for target in panel["targets"]:
                reader.execute(sql_of(target["rawSql"], few).encode())
                answer = reader.execute(sql_of(target["rawSql"], every).encode())
                assert answer.description
                names = [column.name for column in answer.description]
                rows = answer.fetchall()
                assert rows, panel["title"]
                assert len(set(names)) == len(names)
                judged(panel, names, rows)


def judged(panel: dict[str, Any], names: list[str], rows: list[tuple[Any, ...]]) -> None:
    title = panel["title"]
    if panel["type"] == "timeseries":
        assert names[0] == "time", title
        assert numbers([row[:1] for row in rows]), title
        moments = [row[0] for row in rows]
        assert moments == sorted(moments), title
        first = 2 if "metric" in names else 1
        assert names.index("metric") == 1 if first == 2 else True, title
        assert numbers([row[first:] for row in rows]), title
        assert any(value is not None for row in rows for value in row[first:]), title
    elif panel["type"] == "stat":
        assert (len(rows), len(names)) == (1, 1), title
        assert numbers(rows), title
        # On the first day of a month none of its days is over: nothing is to be compared yet.
        early = title == "Against last month" and datetime.now(UTC).day == 1
        assert rows[0][0] is not None or early, title
    else:
        formatted = {
            each["matcher"]["options"]
            for each in panel["fieldConfig"]["overrides"]
            if each["matcher"]["id"] == "byName"
        }
        assert formatted <= set(names), title
        assert len(rows) < 1000, title


def test_the_month_on_the_dashboard_is_that_of_the_report(company: Database) -> None:
    board = dashboard("spend")
    (panel,) = (each for each in panels(board) if each["title"] == "This month so far")
    url = company.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url) as reader:
        asked = chosen(reader, board, days=60)
        shown = reader.execute(sql_of(panel["targets"][0]["rawSql"], asked).encode()).fetchone()
        month = reader.execute(
            "SELECT sum(amount) FROM charges WHERE currency = 'USD' AND"
            " slot >= date_trunc('month', now(), 'UTC')"
        ).fetchone()
    assert shown == month


def test_what_is_asked_of_prometheus_is_told_by_somebody() -> None:
    offered = re.findall(r"label_values\((\w+), (\w+)\)", str(variables(dashboard("operations"))))
    assert offered
    for name, label in set(offered):
        assert label in {*EVERY_METRIC[name].labels, *LABELS_OF_A_TARGET}, name
    for panel in panels(dashboard("operations")):
        for target in panel["targets"]:
            expression = target["expr"]
            found = set(re.findall(r"\b((?:spanledger|process)_\w+)", expression))
            assert found
            names = {_without_suffix(each) for each in found}
            assert names <= EVERY_METRIC.keys(), (panel["title"], names)
            told = {label for each in METRICS if each.name in names for label in each.labels}
            said = " ".join(re.findall(r"by \(([^)]*)\)", expression)).replace(",", " ").split()
            said += re.findall(r"(\w+)=", expression)
            said += re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])
            assert set(said) <= told | LABELS_OF_A_TARGET, (panel["title"], said)
            for name in names:
                counter = EVERY_METRIC[name].kind in {"counter", "histogram"}
                assert counter == ("rate(" in expression), panel["title"]


def _without_suffix(name: str) -> str:
    bare = re.sub(r"_(bucket|sum|count)$", "", name)
    return bare if bare in EVERY_METRIC and EVERY_METRIC[bare].kind == "histogram" else name


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not here (Debian: prometheus)")
def test_prometheus_understands_each_question(tmp_path: Path) -> None:
    rules = [
        {"record": f"asked:{panel['id']}:{target['refId']}", "expr": promql_of(target["expr"])}
        for panel in panels(dashboard("operations"))
        for target in panel["targets"]
    ]
    asked = tmp_path / "asked.yaml"
    asked.write_text(yaml.safe_dump({"groups": [{"name": "asked", "rules": rules}]}))
    judged = subprocess.run(  # noqa: S603  # Prometheus's own
        [str(PROMTOOL), "check", "rules", asked], capture_output=True, text=True, check=False
    )
    assert judged.returncode == 0, judged.stdout + judged.stderr
    assert f"{len(rules)} rules found" in judged.stdout
