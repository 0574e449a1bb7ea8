"""Law: whatever a forecast and a pace do, of each threshold little is told, and all is recorded."""

from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from budgeted import said
from filled_ledger import at
from hypothesis import given, settings
from hypothesis import strategies as st

from spend.budgets.budget_states import (
    FORECAST,
    PACE,
    TOLD_AGAIN_AFTER,
    Change,
    Key,
    Measure,
    Recorded,
    changes,
)
from spend.budgets.pace import Pace
from spend.forecasts.forecast import Forecast
from spend.periods import Period

BEGIN = at("2026-11-01")
TERMS = said(forecast_thresholds=[100], pace_thresholds=[200])
ROUNDS = st.lists(
    st.tuples(st.integers(0, 60), st.sampled_from([90, 96, 110]), st.sampled_from([100, 196, 210])),
    max_size=40,
)


def measured(expected: int, percent: int, now: datetime) -> Measure:
    to = Decimal(expected)
    forecast = Forecast(1, now, now, to, to, to, None, 60, "test-1")
    found = Pace(Period(now, now), Decimal(9), percent, judged=True, gone_at=None)
    return Measure(Decimal(10), Decimal(100), present=True, forecast=forecast, pace=found)


@given(ROUNDS)
@settings(max_examples=100, deadline=None)
def test_a_forecast_and_a_pace_are_told_at_most_once_in_seven_days(
    rounds: list[tuple[int, int, int]],
) -> None:
    known: dict[Key, Recorded] = {}
    told: dict[str, list[tuple[datetime, Change]]] = {FORECAST: [], PACE: []}
    now = BEGIN
    for hours, expected, percent in rounds:
        now += timedelta(hours=hours)
        measure = measured(expected, percent, now)
        for change in list(changes(measure, TERMS, known, now)):
            known[change.kind, change.threshold] = change.after(now)
            if change.told:
                told[change.kind].append((now, change))
        # Nothing is left to be said, and what is recorded is so, whatever was told.
        assert list(changes(measure, TERMS, known, now)) == []
        for key, value, threshold in ((FORECAST, expected, 100), (PACE, percent, 200)):
            is_open = any(each.kind == key and each.open for each in known.values())
            assert is_open or value < threshold
            assert not is_open or value >= threshold - 5
            if value >= threshold:
                reached = [when for when, each in told[key] if each.what != "recovered"]
                # For longer than that nobody believes that it is not so.
                assert now - reached[-1] < TOLD_AGAIN_AFTER or told[key][-1][1].what != "recovered"
    for key, messages in told.items():
        reached = [when for when, each in messages if each.what != "recovered"]
        pairs = pairwise(reached)
        assert all(later - earlier >= TOLD_AGAIN_AFTER for earlier, later in pairs)
        whats = [each.what for _when, each in messages]
        # A pace that is no longer is not told; a forecast's is, once for each time it was told.
        assert ("recovered" in whats) <= (key == FORECAST)
        assert ("recovered", "recovered") not in set(pairwise(whats))
