"""Every zone's months, and fiscal years of months and of weeks, begin where their clocks say."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spend import zones
from spend.fiscal import ENDS, KINDS, WEEKDAYS, Calendar, FiscalYear
from spend.periods import Month, day_start, local_day
from spend.slots import SLOT, is_slot_start

TEN_YEARS = [Month(2016, 11).plus(number) for number in range(121)]
BERLIN = ZoneInfo("Europe/Berlin")
# What the National Retail Federation keeps.
RETAIL = FiscalYear("4-5-4", starts_in=2, week_starts_on="sunday", ends="nearest")

fiscal_years = st.builds(
    FiscalYear,
    st.sampled_from(KINDS),
    st.integers(1, 12),
    st.sampled_from(WEEKDAYS),
    st.sampled_from(ENDS),
)
calendars = st.builds(
    Calendar,
    st.sampled_from(
        [ZoneInfo(name) for name in ("Asia/Kathmandu", "Australia/Lord_Howe", "Europe/Berlin")]
    ),
    fiscal_years,
)


def begins_with(day: date, zone: ZoneInfo) -> bool:
    """Whether a local day begins where we say, asked of the wall clock a quarter at a time."""
    start = day_start(day, zone)
    before = (start - timedelta(microseconds=1)).astimezone(zone).date()
    after = [(start + number * SLOT).astimezone(zone).date() for number in range(9)]
    return is_slot_start(start) and before < day and min(after) >= day


def test_every_month_of_every_zone_begins_on_a_quarter_hour_at_its_own_midnight() -> None:
    names = sorted(zones.zone_names())
    assert len(names) > 400
    wrong = [
        (name, str(month))
        for name in names
        for month in TEN_YEARS
        if not begins_with(month.first_day, ZoneInfo(name))
    ]
    assert wrong == []


@given(calendars, st.integers(2002, 2090))
def test_the_periods_of_a_year_cover_it_without_gaps(calendar: Calendar, year: int) -> None:
    whole = calendar.named(f"FY{year}")
    periods = list(calendar.between(whole.start, whole.end))
    quarters = [calendar.named(f"FY{year}-Q{number}") for number in (1, 2, 3, 4)]
    for parts in (periods, quarters):
        assert [part.start for part in parts] == [whole.start, *(part.end for part in parts[:-1])]
        assert parts[-1].end == whole.end
        assert [calendar.previous(part) for part in parts[1:]] == parts[:-1]
    assert calendar.next(calendar.named(f"FY{year - 1}")) == whole
    assert len(periods) == (13 if calendar.fiscal.kind == "13x4" else 12)
    assert all(begins_with(part.first_day, calendar.zone) for part in periods)


@given(calendars, st.datetimes(datetime(2001, 1, 1), datetime(2090, 1, 1)))  # noqa: DTZ001 - made UTC below
def test_every_moment_is_in_one_period_that_can_be_asked_for_by_name(
    calendar: Calendar, moment: datetime
) -> None:
    moment = moment.replace(tzinfo=UTC)
    for found in (
        calendar.period_at(moment),
        calendar.quarter_at(moment),
        calendar.year_at(moment),
    ):
        assert found.start <= moment < found.end
        assert calendar.named(found.name) == found
        assert found.first_day <= local_day(moment, calendar.zone) <= found.last_day


@given(fiscal_years.filter(lambda each: each.kind != "month"), st.integers(2001, 2090))
def test_a_year_of_weeks_ends_on_its_day_by_the_end_of_its_last_month(
    fiscal: FiscalYear, year: int
) -> None:
    start, *_, end = fiscal.first_days(year)
    assert (end - start).days in {364, 371}
    assert WEEKDAYS[end.weekday()] == fiscal.week_starts_on
    month_end = Month(year, (fiscal.starts_in - 2) % 12 + 1).plus(1).first_day - timedelta(days=1)
    off = (end - timedelta(days=1) - month_end).days
    assert -6 <= off <= 0 if fiscal.ends == "last" else -3 <= off <= 3


def test_retail_years_are_those_that_retail_keeps() -> None:
    # Fiscal 2017 and 2023, as retail calls them by their beginning, had 53 weeks.
    found = {year: RETAIL.first_days(year)[0] for year in (2018, 2019, 2024, 2025)}
    assert found == {
        2018: date(2017, 1, 29),
        2019: date(2018, 2, 4),
        2024: date(2023, 1, 29),
        2025: date(2024, 2, 4),
    }


@pytest.mark.parametrize(
    ("kind", "weeks"),
    [
        ("4-4-5", [4, 4, 5] * 4),
        ("4-5-4", [4, 5, 4] * 3 + [4, 5, 5]),
        ("5-4-4", [5, 4, 4] * 3 + [5, 4, 5]),
        ("13x4", [4] * 12 + [5]),
    ],
)
def test_the_fifty_third_week_is_the_last_period_s(kind: str, weeks: list[int]) -> None:
    days = FiscalYear(kind, 2, "sunday", "nearest").first_days(2024)
    found = [(end - start).days // 7 for start, end in pairwise(days)]
    assert found == ([*weeks[:-1], 6] if kind == "4-4-5" else weeks)


def test_a_year_from_february_is_called_by_the_year_that_it_ends_in() -> None:
    calendar = Calendar(BERLIN, FiscalYear(starts_in=2))
    assert str(calendar.named("FY2027-P01")) == "2026-02"
    quarter = calendar.named("FY2027-Q1")
    assert (quarter.first_day, quarter.last_day) == (date(2026, 2, 1), date(2026, 4, 30))
    assert quarter.start == datetime(2026, 1, 31, 23, tzinfo=UTC)
    assert calendar.year_at(datetime(2026, 1, 31, 22, 59, tzinfo=UTC)).name == "FY2026"


@pytest.mark.parametrize(
    "text", ["", "FY26", "FY2026-P13", "FY2026-P00", "FY2026-Q5", "FY2026-W1", "2026-13", "FY9999"]
)
def test_what_is_no_period_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a month|a year "):
        Calendar(BERLIN).named(text)
