"""Makes series of daily amounts steady before they are looked at: lone days, steps of their level.

All take and give arrays of floats, a row a series, a column a day; ``start`` is the first day of
each that something was spent on. They are statistics of money, not money.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

WEEK: Final = 7
_LONE: Final = 2.5
"""A day above this many times what is usual is one of a kind, unless the next is too."""
_CUT_TO: Final = 1.6
_RARE: Final = 0.3
"""With more days without spend than this share, no day is usual."""
_LONG: Final = 4 * WEEK
_OF_A_STEP: Final = 10
"""Days before and after a step that are compared."""
_LEAST_AFTER: Final = 4
_STEPS: Final = 3
_LOOKED_BACK: Final = 60
_LEAST_STEP: Final = float(np.log(1.3))
_MOST_STEP: Final = float(np.log(30.0))
"""From nothing to something is no step: what was before says nothing."""
_NEXT_TO_NOTHING: Final = 1e-4
_CLEAR: Final = 4.0
"""Standard errors that a step has at least."""
_QUIET: Final = 0.03
"""Nobody's days scatter less (of a logarithm)."""
_TINY: Final = 1e-300


def without_lone_days(daily: Floats, start: Ints) -> Floats:
    """A single day far above what is usual is cut to little more; two in a row are a new level.

    What is usual was known the day before: the median of the last four such weekdays, or the mean
    of four weeks, if that is more.
    """
    cut = daily.copy()
    known = np.arange(daily.shape[1])[None, :] - start[:, None]
    rare = _share_without(daily, start) > _RARE
    for day in range(WEEK, daily.shape[1]):
        weekdays = np.median(cut[:, day - WEEK :: -WEEK][:, :4], axis=1)
        before = cut[:, max(0, day - _LONG) : day].sum(axis=1)
        mean = before / np.clip(known[:, day], 1, min(day, _LONG))
        usual = np.maximum(weekdays, mean)
        high = (daily[:, day] > _LONE * usual) & (known[:, day] >= WEEK) & ~rare
        again = high & (daily[:, day - 1] > cut[:, day - 1])
        cut[:, day] = np.where(high & ~again, _CUT_TO * usual, daily[:, day])
        cut[:, day - 1] = np.where(again, daily[:, day - 1], cut[:, day - 1])
    return cut


def at_present_level(daily: Floats, weekday: Floats, start: Ints) -> Floats:
    """Days before a step are brought to the level after it; series without a step stay.

    A step is abrupt, lasts, and is clear above the scatter of the days around it. Of some weeks
    that were unlike the others, where they began is one and where they ended another. ``weekday``
    is the share of each day's weekday, 1 on average.
    """
    level = daily.copy()
    rows = np.flatnonzero(_share_without(daily, start) < _RARE)
    for _ in range(_STEPS):
        at, by = _step(level[rows] / np.maximum(weekday[rows], 1e-9), start[rows])
        rows, at, by = rows[at > 0], at[at > 0], by[at > 0]
        if not len(rows):
            break
        before = np.arange(daily.shape[1])[None, :] < at[:, None]
        level[rows] = np.where(before, level[rows] * by[:, None], level[rows])
    return level


def _step(steady: Floats, start: Ints) -> tuple[Ints, Floats]:
    """The first day after the clearest step, 0 where there is none, and how large that is."""
    days = steady.shape[1]
    least = _NEXT_TO_NOTHING * steady.mean(axis=1, keepdims=True)
    logs = np.log(np.maximum(steady, least + _TINY))
    best, at, by = np.zeros(len(steady)), np.zeros(len(steady), np.int64), np.ones(len(steady))
    for day in range(max(2 * WEEK, days - _LOOKED_BACK), days - _LEAST_AFTER + 1):
        before, after = logs[:, day - _OF_A_STEP : day], logs[:, day : day + _OF_A_STEP]
        lower, upper = np.median(before, axis=1), np.median(after, axis=1)
        step = upper - lower
        scatter = 0.74 * (_middle_off(before, lower) + _middle_off(after, upper))
        error = np.sqrt(1 / before.shape[1] + 1 / after.shape[1])
        clear = np.abs(step) > _CLEAR * 1.25 * np.maximum(scatter, _QUIET) * error
        next_to_it = np.median(after[:, :3], axis=1) - np.median(before[:, -3:], axis=1)
        abrupt = np.abs(next_to_it) > 0.6 * np.abs(step)
        large = (np.abs(step) > _LEAST_STEP) & (np.abs(step) < _MOST_STEP)
        found = clear & abrupt & large & (day >= start + 2 * WEEK)
        strength = np.where(found, np.abs(step) * np.sqrt(after.shape[1]), 0)
        better = strength > best
        best, at = np.where(better, strength, best), np.where(better, day, at)
        by = np.where(better, np.exp(step), by)
    return at, by


def _share_without(daily: Floats, start: Ints) -> Floats:
    """How many of the days since the first have no spend."""
    since = np.arange(daily.shape[1])[None, :] >= start[:, None]
    share = ((daily <= 0) & since).sum(axis=1) / np.maximum(since.sum(axis=1), 1)
    return np.asarray(share, np.float64)


def _middle_off(values: Floats, middle: Floats) -> Floats:
    return np.asarray(np.median(np.abs(values - middle[:, None]), axis=1), np.float64)
