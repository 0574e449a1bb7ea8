"""The chart of a month has a place for each day, and stacks its parts as the legend lists them."""

import re
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from reports.charts.chart_frame import Spec
from reports.charts.palette import GRID
from reports.charts.spend_chart import Part, daily_stack
from reports.pictures import svg

DAYS = [date(2026, 11, 1) + timedelta(days=each) for each in range(30)]


def chart(days: list[date] = DAYS, **changes: Any) -> Spec:
    amounts = [Decimal(each) for each in range(len(days))]
    parts = [Part("Idle", "#b9c1cb", amounts), Part("OpenAI", "#1b9e77", amounts)]
    return daily_stack(days, parts, currency="USD", **changes)


def labels(spec: Spec, width: int) -> list[str]:
    """What is written below the days."""
    drawn = svg(spec | {"width": width})
    axis = drawn[drawn.index("role-axis-label") :]
    return re.findall(r">([^<>]+)</text>", axis[: axis.index("role-axis-domain")])


def test_the_first_part_is_on_top_and_days_without_an_amount_have_no_mark() -> None:
    (bars,) = (each for each in chart()["layer"] if each["mark"]["type"] == "bar")
    values = bars["data"]["values"]
    assert {each["part"]: each["place"] for each in values} == {"Idle": 0, "OpenAI": -1}
    assert min(each["day"] for each in values) == "2026-11-02"
    assert bars["encoding"]["color"]["scale"]["domain"] == ["Idle", "OpenAI"]


def test_every_day_has_its_place_also_those_to_come() -> None:
    spec = chart(today=date(2026, 11, 3))
    assert spec["encoding"]["x"]["scale"]["domain"] == [str(day) for day in DAYS]
    assert spec["layer"][0]["mark"] == {"type": "rect", "color": GRID}
    assert "today" in svg(spec)
    assert "today" not in svg(chart(today=date(2026, 12, 1))), "it is of another month"


def test_as_many_days_are_named_as_have_room() -> None:
    assert labels(chart(), 1040) == ["1 Nov", *(str(day) for day in range(2, 31))]
    assert labels(chart(), 300) == ["1 Nov", "8 Nov", "15 Nov", "22 Nov", "29 Nov"]


def test_where_another_month_begins_there_is_a_line() -> None:
    days = [date(2026, 10, 20) + timedelta(days=each) for each in range(60)]
    (starts,) = (each for each in chart(days)["layer"] if each["mark"]["type"] == "rule")
    assert [each["day"] for each in starts["data"]["values"]] == ["2026-11-01", "2026-12-01"]
    assert not any(each["mark"]["type"] == "rule" for each in chart()["layer"])
