"""Grafana's dashboards as it would use them: variables and macros in their questions replaced.

As Grafana 13 does it in its Postgres data source: variables first, as quoted lists where several
may be chosen, then macros by a regular expression whose arguments end at the first bracket.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

FOLDER: Final = Path(__file__).parent.parent / "deploy" / "grafana"
NAMES: Final = ("spend", "performance", "operations")
OVER_VIEWS: Final = ("spend", "performance")

VARIABLE: Final = re.compile(r"\$\{(\w+)\}|\$(?!__)(\w+)")
_MACRO: Final = re.compile(r"\$([_a-zA-Z0-9]+)\(([^\)]*)\)")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_BUILT_IN: Final = ("$__interval", "$__rate_interval")


@dataclass(frozen=True)
class Asked:
    """What a dashboard is asked with."""

    start: datetime
    end: datetime
    values: Mapping[str, str | Sequence[str]]
    """Of each variable; a list where several may be chosen."""
    interval: str = "15m"


def dashboard(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / "dashboards" / f"{name}.json").read_text("utf-8"))
    return found


def panels(board: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Those that show something: rows only head them."""
    return (each for each in board["panels"] if each["type"] != "row")


def variables(board: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in board["templating"]["list"]}


def sql_of(question: str, asked: Asked) -> str:
    """The SQL that Grafana sends."""
    replaced = VARIABLE.sub(lambda found: _value(asked.values[found[1] or found[2]]), question)
    return _MACRO.sub(lambda found: _expanded(found, asked), replaced)


def promql_of(expression: str) -> str:
    """The PromQL that Grafana sends, of all instances."""
    for name in _BUILT_IN:
        expression = expression.replace(name, "1m")
    return VARIABLE.sub("a:1|b:2", expression)


def _value(value: str | Sequence[str]) -> str:
    if isinstance(value, str):
        return value.replace("'", "''")
    return ",".join("'" + each.replace("'", "''") + "'" for each in value)


def _expanded(found: re.Match[str], asked: Asked) -> str:
    name, *arguments = (found[1], *(each.strip() for each in found[2].split(",")))
    start, end = (
        f"{each.astimezone(UTC):%Y-%m-%dT%H:%M:%S.123Z}" for each in (asked.start, asked.end)
    )
    if name == "__timeFilter":
        return f"{arguments[0]} BETWEEN '{start}' AND '{end}'"
    if name == "__timeGroupAlias":
        seconds = _seconds(arguments[1].replace("$__interval", asked.interval).strip("'"))
        return f'floor(extract(epoch from {arguments[0]})/{seconds})*{seconds} AS "time"'
    raise AssertionError(f"Grafana's data source for Postgres has no macro {name}")


def _seconds(interval: str) -> int:
    found = re.fullmatch(r"(\d+)([smhd])", interval)
    assert found, interval
    return int(found[1]) * _SECONDS[found[2]]
