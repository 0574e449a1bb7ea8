"""What stands at the axis of a chart is read as it is meant, however small it is."""

import re
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from reports.charts.chart_frame import Spec
from reports.charts.explore_chart import ranked, stack
from reports.charts.latency_chart import Moment, latency_lines
from reports.charts.model_chart import Bar, cost_by_model
from reports.charts.price_chart import Steps, price_steps
from reports.charts.spend_chart import Part
from reports.charts.what_if_chart import Side, beside_each_other
from reports.pictures import svg

TWENTIETH = Decimal("0.05")
SINCE, ENDS = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 23, tzinfo=UTC)
PARTS = [Part("OpenAI", "#1b9e77", [TWENTIETH])]
CHARTS = {
    "by model": cost_by_model([Bar("gpt-4o", "OpenAI", "#1b9e77", TWENTIETH)], currency="USD"),
    "of latency": latency_lines([Moment("14:00", 1, 50.0, 50.0)]),
    "of a price": price_steps([Steps("input", [(SINCE, TWENTIETH)])], ends=ENDS, currency="USD"),
    "what if": beside_each_other(
        ["search"], [Side("now", "#1b9e77", {"search": TWENTIETH})], currency="USD"
    ),
    "over time": stack(["1 Nov"], PARTS, unit="USD", of="Provider", digits=",.2f"),
    "ranked": ranked(["search"], PARTS, unit="USD", of="Provider", digits=",.2f"),
}


@pytest.mark.parametrize("spec", CHARTS.values(), ids=CHARTS)
def test_five_cents_are_not_written_as_50m(spec: Spec) -> None:
    written = re.findall(r">([^<>]+)</text>", svg(spec))
    assert "0.05" in written
    assert not [each for each in written if re.fullmatch(r"\d+m", each)]
