"""Reads what a /metrics tells, and asks promtool about it."""

import shutil
import subprocess
from collections.abc import Iterable

import pytest
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as open_families,
)
from prometheus_client.parser import text_string_to_metric_families

from spend.metric_names import Metric

OPEN = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"
"""As Prometheus asks."""

Series = dict[tuple[str, ...], float]


def told(text: str) -> dict[str, Series]:
    """Name of the sample -> values of its labels, in the order of the labels' names -> value."""
    found: dict[str, Series] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = tuple(value for _name, value in sorted(sample.labels.items()))
            series = found.setdefault(sample.name, {})
            assert labels not in series, f"{sample.name}{labels} is told twice"
            series[labels] = sample.value
    return found


def assert_is_listed(text: str, listed: Iterable[Metric], *, but: Iterable[Metric] = ()) -> None:
    """Holds what is told to a list, both ways; ``but``: what is not told here."""
    told_as: dict[str, tuple[str, str]] = {}
    labels_of: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(text):
        name = f"{family.name}_total" if family.type == "counter" else family.name
        told_as[name] = (family.type, family.documentation)
        if family.samples:
            every = {label for sample in family.samples for label in sample.labels}
            labels_of[name] = every - {"le"}
    expected = {each.name: each for each in listed if each not in set(but)}
    assert told_as == {name: (each.kind, each.help) for name, each in expected.items()}
    for name, labels in labels_of.items():
        assert labels == set(expected[name].labels), name


def assert_is_open_metrics(text: str) -> None:
    """Holds a text to OpenMetrics, by the reader of the official client library."""
    assert text.endswith("# EOF\n")
    assert list(open_families(text))  # type: ignore[no-untyped-call]  # theirs


def promtool() -> str:
    """Prometheus' own tool; the test is skipped where it is missing."""
    found = shutil.which("promtool")
    if found is None:
        pytest.skip("there is no promtool here (Debian: apt-get install prometheus)")
    return found


def assert_promtool_has_no_complaint(text: str) -> None:
    """Asks it for what it has against a text: names, units, helps."""
    asked = subprocess.run(  # noqa: S603  # Prometheus' own tool
        [promtool(), "check", "metrics"], input=text.encode(), capture_output=True, check=False
    )
    assert (asked.returncode, asked.stdout, asked.stderr) == (0, b"", b"")
