"""The method that expects days from days: what it makes of each kind of past."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spend.forecasts.seasonal import LEAST_DAYS, ahead
from spend.forecasts.steadied import Floats

WEEK = np.array([100.0, 110, 105, 100, 90, 30, 20])


def weeks(count: int, level: float = 1.0) -> Floats:
    return np.tile(WEEK * level, count)


def expected(days: Floats, horizon: int = 28) -> float:
    return float(ahead(days[None, :], horizon, 0).daily.sum())


def test_a_weekly_season_is_gone_on_with() -> None:
    found = ahead(weeks(16)[None, :], 10, 0)
    assert found.daily[0] == pytest.approx(np.tile(WEEK, 2)[:10], abs=3)
    assert found.past_error[0] < 2


def test_growth_goes_on() -> None:
    grown = weeks(17) * 1.01 ** np.arange(17 * 7)
    truth = float((weeks(4) * 1.01 ** np.arange(17 * 7, 21 * 7)).sum())
    assert expected(grown) == pytest.approx(truth, rel=0.04)


def test_a_lone_day_changes_little() -> None:
    days = weeks(16)
    days[-9] = 5000
    assert expected(days) == pytest.approx(expected(weeks(16)), rel=0.08)


def test_after_a_step_the_level_after_it_counts() -> None:
    days = np.concatenate([weeks(14), weeks(1, 2.0)])
    assert expected(days) == pytest.approx(2 * expected(weeks(15)), rel=0.05)
    # Two weeks of three times as much are over.
    days = np.concatenate([weeks(12), weeks(2, 3.0), weeks(1)])
    assert expected(days) == pytest.approx(expected(weeks(15)), rel=0.08)


def test_of_too_few_days_nothing_is_expected_and_of_some_a_rate_with_a_wide_band() -> None:
    few = ahead(np.array([[0.0, 0, 0, 5, 7]]), 20, 10)
    assert np.isnan(few.daily).all()
    assert np.isnan(few.low[0])
    some = ahead(np.array([[0.0, 0, 4, 5, 6]]), 20, 10)
    assert some.daily.sum() == pytest.approx(100)
    assert some.low[0] < 80
    assert some.high[0] > 120
    assert np.isnan(some.past_error[0])


def test_of_a_horizon_that_the_past_is_too_short_for_no_error_is_told_and_the_band_is_wider() -> (
    None
):
    random = np.random.default_rng(3)
    days = (weeks(10) * random.lognormal(0, 0.1, 70))[None, :]
    month, year = ahead(days, 28, 0), ahead(days, 364, 0)
    assert not np.isnan(month.past_error[0])
    assert np.isnan(year.past_error[0])
    width = (month.high - month.low) / month.daily.sum()
    assert (year.high - year.low) / year.daily.sum() > 1.5 * width


@pytest.mark.parametrize("days", [14, 16, 28])
def test_a_young_series_has_a_band_however_far_ahead_it_looks(days: int) -> None:
    random = np.random.default_rng(5)
    half_a_year = np.zeros((1, 185))
    half_a_year[0, -days:] = weeks(7)[-days:] * random.lognormal(0, 0.1, days)
    found = ahead(half_a_year, 38, 322)
    whole = found.daily.sum()
    assert found.low[0] < 0.95 * whole
    assert found.high[0] > 1.05 * whole


def test_each_series_is_expected_as_if_it_were_alone() -> None:
    random = np.random.default_rng(5)
    many = random.lognormal(3, 1, (6, 100)) * (random.random((6, 100)) < 0.8)
    many[3, :90] = 0
    many[4, :97] = 0
    together = ahead(many, 12, 5)
    for row, each in enumerate(many):
        alone = ahead(each[None, :], 12, 5)
        assert together.daily[row].tolist() == pytest.approx(alone.daily[0].tolist(), nan_ok=True)
        assert together.high[row] == pytest.approx(alone.high[0], nan_ok=True)


amounts = st.one_of(st.just(0.0), st.floats(1e-12, 1e12), st.sampled_from([1.0, 100.0]))


@given(st.lists(amounts, min_size=1, max_size=90), st.integers(1, 100), st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_whatever_was_spent_the_band_holds_what_is_expected(
    days: list[float], horizon: int, elapsed: int
) -> None:
    found = ahead(np.array([days]), horizon, elapsed)
    whole = float(found.daily.sum())
    if found.days[0] < LEAST_DAYS:
        assert np.isnan(whole)
        return
    assert np.isfinite(whole)
    assert 0 <= found.low[0] <= whole * (1 + 1e-9)
    assert whole * (1 - 1e-9) <= found.high[0] < float("inf")
    assert (found.daily >= 0).all()
