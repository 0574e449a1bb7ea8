"""Periods of budgets tile time, those of no calendar too: from their first on, or there is one."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from budgeted import said
from filled_ledger import at
from hypothesis import given, settings
from hypothesis import strategies as st

from spend.budgets.budget_periods import (
    CUSTOM,
    KINDS,
    NoPeriodError,
    last_period_of,
    name_of,
    period_at,
    period_name,
    period_of,
)
from spend.budgets.budgets import OwnPeriod
from spend.fiscal import FiscalYear
from spend.periods import Period, day_start

ZONES = st.sampled_from(
    [
        "UTC",
        "America/Santiago",  # midnight is skipped
        "America/Havana",  # midnight comes twice
        "Asia/Kathmandu",  # 5:45
        "Australia/Lord_Howe",  # half an hour of summer
        "Pacific/Apia",  # a day is skipped
        "Asia/Beirut",
        "America/Asuncion",
        "Europe/Berlin",
    ]
)
MOMENTS = st.datetimes(
    datetime(2005, 1, 1),  # noqa: DTZ001  # Hypothesis wants bounds without a zone
    datetime(2040, 1, 1),  # noqa: DTZ001  # as above
    timezones=st.just(UTC),
)
FISCAL = st.sampled_from(
    [
        FiscalYear(),
        FiscalYear(starts_in=2),
        FiscalYear("4-5-4", 2, "sunday", "nearest"),
        FiscalYear("13x4", 7, "saturday", "last"),
    ]
)


@given(
    MOMENTS, st.sampled_from(KINDS), ZONES, FISCAL, st.dates(date(2000, 1, 1)), st.integers(1, 400)
)
@settings(max_examples=300, deadline=None)
def test_periods_of_any_kind_tile_time(
    moment: datetime, kind: str, name: str, fiscal: FiscalYear, first: date, days: int
) -> None:
    zone = ZoneInfo(name)
    own = OwnPeriod(first, days=days) if kind == CUSTOM else None
    try:
        period = period_at(moment, kind, zone, fiscal, own)
    except NoPeriodError:
        assert kind == CUSTOM
        assert moment < day_start(first, zone)
        return
    assert period.start <= moment < period.end
    assert period_at(period.start, kind, zone, fiscal, own) == period
    assert period_at(period.end - timedelta.resolution, kind, zone, fiscal, own) == period
    assert period_at(period.end, kind, zone, fiscal, own).start == period.end
    if kind != CUSTOM or period.start > day_start(first, zone):
        assert (
            period_at(period.start - timedelta.resolution, kind, zone, fiscal, own).end
            == period.start
        )
    assert period_name(period, kind, zone, fiscal)


def test_two_weeks_follow_two_weeks_over_the_clock_change() -> None:
    zone, own = ZoneInfo("America/Santiago"), OwnPeriod(date(2026, 8, 23), days=14)
    # Midnight of 6 September 2026 is skipped: the day begins at 01:00, 04:00 UTC.
    period = period_at(at("2026-09-05T12:00"), CUSTOM, zone, own=own)
    assert period == Period(at("2026-08-23T04:00"), at("2026-09-06T04:00"))
    following = period_at(period.end, CUSTOM, zone, own=own)
    assert following == Period(at("2026-09-06T04:00"), at("2026-09-20T03:00"))
    assert period_name(following, CUSTOM, zone) == "2026-09-06 to 2026-09-19"


def test_before_the_first_period_and_after_the_only_one_there_is_none() -> None:
    own = {"starts_on": "2026-11-27", "ends_on": "2026-11-30"}
    terms = said(period="custom", own_period=own, timezone="Asia/Kathmandu")
    only = Period(at("2026-11-26T18:15"), at("2026-11-30T18:15"))
    before, after = only.start - timedelta(seconds=1), only.end
    assert [period_of(terms, each) for each in (before, only.start, after)] == [None, only, None]
    assert [last_period_of(terms, each) for each in (before, only.start, after)] == [
        None,
        None,
        only,
    ]
    assert period_of(terms, only.end) is None
    assert name_of(terms, only) == "2026-11-27 to 2026-11-30"
    repeating = said(period="custom", own_period={"starts_on": "2026-11-27", "days": 4})
    first = period_of(repeating, at("2026-11-28"))
    assert first == Period(at("2026-11-27"), at("2026-12-01"))
    assert last_period_of(repeating, first.start) is None
    assert last_period_of(repeating, first.end) == first
    assert period_of(repeating, first.end) == Period(first.end, at("2026-12-05"))


def test_a_period_that_nothing_cuts_is_none() -> None:
    for own in (None, OwnPeriod(date(2026, 11, 1))):
        with pytest.raises(NoPeriodError):
            period_at(at("2026-11-15"), CUSTOM, ZoneInfo("UTC"), own=own)
