"""Days and months begin at local midnight, whatever the clocks do."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spend.periods import (
    Month,
    Period,
    day_start,
    days_in,
    local_day,
    month_of,
    month_period,
    months_in,
    parse_month,
)
from spend.slots import is_slot_start

# Zones of whole, half and quarter hours, with and without summer time, one that skips midnight.
ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Africa/Cairo",
    "America/St_Johns",
    "Pacific/Apia",
    "America/Havana",
]
zones = st.sampled_from([ZoneInfo(name) for name in ZONES])
moments = st.datetimes(
    datetime(2001, 1, 2),  # noqa: DTZ001 - hypothesis adds the zone
    datetime(2099, 1, 1),  # noqa: DTZ001 - as above
    timezones=st.just(UTC),
)


@pytest.mark.parametrize(
    ("month", "zone", "hours"),
    [("2026-03", "Europe/Berlin", 743), ("2026-10", "Europe/Berlin", 745), ("2026-02", "UTC", 672)],
)
def test_a_month_has_the_hours_that_its_clock_gives_it(month: str, zone: str, hours: int) -> None:
    period = month_period(parse_month(month), ZoneInfo(zone))
    assert period.end - period.start == timedelta(hours=hours)


def test_a_day_whose_midnight_is_skipped_begins_at_the_skip() -> None:
    # Cairo, 24 April 2026: 23:59:59 is followed by 01:00.
    assert day_start(date(2026, 4, 24), ZoneInfo("Africa/Cairo")) == datetime(
        2026, 4, 23, 22, tzinfo=UTC
    )


def test_a_day_whose_midnight_comes_twice_begins_at_the_first() -> None:
    # Havana, 1 November 2026: at 01:00 the clock is put back to midnight.
    assert day_start(date(2026, 11, 1), ZoneInfo("America/Havana")) == datetime(
        2026, 11, 1, 4, tzinfo=UTC
    )


@settings(max_examples=200, deadline=None)
@given(moments, zones)
def test_every_moment_is_in_the_day_and_the_month_that_it_is_said_to_be_in(
    moment: datetime, zone: ZoneInfo
) -> None:
    day = local_day(moment, zone)
    assert day_start(day, zone) <= moment < day_start(day + timedelta(days=1), zone)
    period = month_period(month_of(moment, zone), zone)
    assert period.start <= moment < period.end
    assert is_slot_start(day_start(day, zone))


@settings(max_examples=100, deadline=None)
@given(moments, zones, st.integers(1, 500))
def test_days_and_months_cover_a_period_without_gaps(
    start: datetime, zone: ZoneInfo, hours: int
) -> None:
    period = Period(start, start + timedelta(hours=hours))
    days = list(days_in(period, zone))
    assert days[0] == local_day(start, zone)
    assert days[-1] == local_day(period.end - timedelta(microseconds=1), zone)
    assert days == [days[0] + timedelta(days=place) for place in range(len(days))]
    assert list(months_in(period, zone)) == sorted({Month(day.year, day.month) for day in days})


@given(st.integers(2000, 2999), st.integers(1, 12), st.integers(-30, 30))
def test_months_can_be_counted_and_read_back(year: int, month: int, step: int) -> None:
    one = Month(year, month)
    assert parse_month(str(one)) == one
    assert one.plus(step).plus(-step) == one
    assert one.plus(12) == Month(year + 1, month)


@pytest.mark.parametrize(
    "text", ["", "2026", "2026-1", "2026-00", "2026-13", "1999-12", "2026-10 ", "٢٠٢٦-10"]
)
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a month"):
        parse_month(text)
