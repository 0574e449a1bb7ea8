"""The axis of times of day: round times, as many as fit, and the date once, at midnight."""

import re
from datetime import datetime, timedelta

import pytest

from reports.charts.latency_chart import Moment, latency_lines
from reports.pictures import svg


def labels(first: datetime, length: timedelta, count: int, width: int) -> list[str]:
    """What is written below a chart of so many pieces, empty texts left out."""
    names = [f"{first + place * length:%-d %b %H:%M}" for place in range(count)]
    spec = latency_lines([Moment(name, 1, 1000.0, 2000.0) for name in names])
    drawn = svg(spec | {"width": width})
    axis = drawn[drawn.index("role-axis-label") :]
    return re.findall(r">([^<>]+)</text>", axis[: axis.index("role-axis-domain")])


@pytest.mark.parametrize(
    ("minutes", "count", "width", "told"),
    [
        (60, 24, 1300, [*(f"{hour}:00" for hour in range(12, 24)), "23 Nov", "01:00", "02:00"]),
        (60, 24, 660, ["12:00", "14:00", "16:00", "18:00", "20:00", "22:00", "23 Nov", "02:00"]),
        (60, 24, 300, ["12:00", "18:00", "23 Nov", "06:00"]),
        (15, 96, 660, ["12:00", "14:00", "16:00", "18:00", "20:00", "22:00", "23 Nov", "02:00"]),
        (1, 60, 700, ["12:00", "12:05", "12:10"]),
    ],
)
def test_times_are_round_as_many_as_fit_and_midnight_is_its_date(
    minutes: int, count: int, width: int, told: list[str]
) -> None:
    begun = datetime(2026, 11, 22, 12)  # noqa: DTZ001 - by the clock of whoever looks
    assert labels(begun, timedelta(minutes=minutes), count, width)[: len(told)] == told


def test_times_are_told_in_zones_in_which_pieces_begin_off_the_round_hours() -> None:
    begun = datetime(2026, 11, 22, 17, 30)  # noqa: DTZ001 - by the clock of whoever looks
    told = labels(begun, timedelta(hours=1), 24, 660)
    assert told[:5] == ["18:30", "20:30", "22:30", "23 Nov 00:30", "02:30"]
    begun = datetime(2026, 11, 22, 1)  # noqa: DTZ001 - a day of UTC in Berlin
    told = labels(begun, timedelta(hours=2), 84, 1300)
    assert told[:4] == ["22 Nov 01:00", "13:00", "23 Nov 01:00", "13:00"]


def test_the_hour_about_midnight_tells_of_midnight() -> None:
    names = ["23:30", "23:45", "00:00", "00:15"]
    drawn = svg(latency_lines([Moment(name, 1, 1000.0, 2000.0) for name in names]))
    assert all(f">{name}<" in drawn for name in names)


def test_days_stand_there_as_they_are_called() -> None:
    spec = latency_lines([Moment(f"{day} Nov", 1, 1000.0, 2000.0) for day in range(1, 8)])
    assert all(f">{day} Nov<" in svg(spec) for day in range(1, 8))
