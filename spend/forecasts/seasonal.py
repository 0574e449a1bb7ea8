"""Expects what the next days cost from what days cost before: a small method of our own.

What days came to on average in the last 1, 2, 4 and 8 weeks, and in the last 2 and 4 weeks with
the growth seen between them and the weeks before: nine guesses of a level, of which those count
most that were least wrong on this series. Each weekday has its share of a week. Before that a lone
day far above the others is cut, and what was before a step is brought to the level after it.

How wrong it is, is tried and not assumed: on every day of the past it expects as many days as now,
from what was known then. The middle 80 % of what it was off by make the band.

Many series at once: a row a series, a column a day, the last column the last whole day. Floats:
these are statistics of money. The same input gives the same output.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from spend.forecasts.forecast import BAND
from spend.forecasts.steadied import WEEK, Floats, Ints, at_present_level, without_lone_days

METHOD: Final = "seasonal-1"
RATE: Final = "rate-1"
"""The mean of all days, where there are too few for more."""
LEAST_DAYS: Final = 3
"""Of fewer days nothing is expected."""
SEASONAL_DAYS: Final = 2 * WEEK
"""Of fewer, only their mean is used."""

_LEVELS: Final = (7, 14, 28, 56)
_GROWING: Final = ((14, 42, 1.0), (28, 42, 1.0), (14, 28, 0.5), (14, 28, 1.0), (28, 28, 1.0))
"""Days of the level; days that are compared with as many before them; how much of that goes on."""
_GUESSES: Final = len(_LEVELS) + len(_GROWING)
_MOST_A_DAY: Final = 0.03
_GOES_ON: Final = 0.995
"""Of a day's growth there is so much on the next."""
_WEEK_KEEPS: Final = 0.85
_EVEN: Final = 0.25
"""Weeks of even days that the shares of weekdays begin with."""
_TRIED_ON: Final = 3 * WEEK
"""Guesses are compared by sums of so many days at most."""
_DAY_KEEPS: Final = 0.97
_LEAST_TRIED: Final = 4
_SHARPNESS: Final = 3
_NOBODY_LESS: Final = 2e-4
_SPARSE: Final = 0.1
"""What is off is told by what was expected and this share of usual days: that may be nothing."""
_LEAST_BAND: Final = WEEK
"""Of fewer trials the band is not narrower than days scatter."""
_RATE_SCATTERS: Final = 0.3
_OF_FEW: Final = 1.6
"""Standard errors of a band of BAND per cent from some days."""
_TINY: Final = 1e-300


@dataclass(frozen=True, slots=True)
class Ahead:
    """What is expected of the next days: a row a series, NaN where nothing is."""

    daily: Floats
    """A column a day."""
    low: Floats
    """Of the band of their sum."""
    high: Floats
    past_error: Floats
    """By how many per cent a period's sum was wrong at this age, in the middle; NaN: not tried."""
    days: Ints
    """From the first one that something was spent on."""
    seasonal: npt.NDArray[np.bool_]
    """Whether by METHOD; else by RATE."""


def ahead(daily: Floats, horizon: int, elapsed: int) -> Ahead:
    """The next ``horizon`` days of each series, of a period that began ``elapsed`` days ago."""
    daily = np.maximum(daily, 0.0)
    start = np.where((daily > 0).any(axis=1), (daily > 0).argmax(axis=1), daily.shape[1])
    days = daily.shape[1] - start
    count = len(daily)
    found = Ahead(
        daily=np.full((count, horizon), np.nan),
        low=np.full(count, np.nan),
        high=np.full(count, np.nan),
        past_error=np.full(count, np.nan),
        days=days,
        seasonal=days >= SEASONAL_DAYS,
    )
    _by_rate(daily, np.flatnonzero((days >= LEAST_DAYS) & ~found.seasonal), found)
    many = np.flatnonzero(found.seasonal)
    # A horizon that a series' past is too short for is tried on a shorter one.
    tried = np.minimum(horizon, np.maximum(1, (days[many] - SEASONAL_DAYS) // 2))
    for each in np.unique(tried):
        rows = many[tried == each]
        _by_season(daily[rows], start[rows], (elapsed, int(each)), rows, found)
    return found


def _by_rate(daily: Floats, rows: Ints, into: Ahead) -> None:
    horizon = into.daily.shape[1]
    for row in rows:
        days = daily[row, -into.days[row] :]
        mean, off = float(days.mean()), _scatters(days, horizon)
        into.daily[row] = mean
        into.low[row] = mean * horizon * max(0.0, 1 - off)
        into.high[row] = mean * horizon * (1 + off)


def _scatters(days: Floats, horizon: int) -> float:
    """Which part of itself the sum of the next days may be off by, as these days scatter."""
    scatter = max(float(days.std()) / float(days.mean()), _RATE_SCATTERS)
    return _OF_FEW * scatter * float(np.sqrt(1 / len(days) + 1 / horizon))


def _by_season(
    daily: Floats, start: Ints, periods: tuple[int, int], rows: Ints, into: Ahead
) -> None:
    """``periods``: days that have passed of the present one; days that the past is tried on."""
    elapsed, tried = periods
    horizon, days = into.daily.shape[1], daily.shape[1]
    past = _past(without_lone_days(daily, start), start)
    weights = _weights(past, min(horizon, _TRIED_ON))
    expected = (weights * _sums(past, tried)).sum(axis=1)
    level = _past(at_present_level(past.daily, past.shares[:, :days, 0], start), start)
    into.daily[rows] = _last_days(level, weights[:, :, -1], horizon)

    origins = np.arange(days - tried + 1)
    sums = _running(daily)
    came = sums[:, origins + tried] - sums[:, origins]
    expected = expected[:, origins]
    usual = daily[:, -8 * WEEK :].sum(axis=1) / np.minimum(days - start, 8 * WEEK)
    least = _SPARSE * usual
    off = (came - expected) / (expected + least[:, None] * tried + _TINY)
    known = past.known[:, origins] >= SEASONAL_DAYS
    low, high = _band(off, known, tried)
    # What a level is off by grows as its days do, and a bit more: it wanders.
    wider = np.sqrt(horizon / tried)
    whole = into.daily[rows].sum(axis=1)
    scale = whole + least * horizon
    low, high = low * wider * scale, high * wider * scale
    for row in np.flatnonzero(known.sum(axis=1) < _LEAST_BAND):
        off_by = whole[row] * _scatters(daily[row, start[row] :], horizon)
        low[row], high[row] = min(low[row], -off_by), max(high[row], off_by)
    into.low[rows] = np.clip(whole + low, 0, whole)
    into.high[rows] = whole + np.maximum(0, high)
    if tried == horizon:
        into.past_error[rows] = _past_error(sums, came, expected, known, elapsed)


@dataclass(frozen=True, slots=True)
class _Past:
    """What is known on each morning: a column a day, and one for the morning after the last."""

    daily: Floats
    sums: Floats
    """Of all days before."""
    known: Ints
    """Days before, from the first spend on."""
    shares: Floats
    """Of this day and the six after it, in a week of 7."""


def _past(daily: Floats, start: Ints) -> _Past:
    days = daily.shape[1]
    known = np.maximum(np.arange(days + 1)[None, :] - start[:, None], 0)
    # Of a weekday, its latest four or five count most.
    weekdays = np.zeros((len(daily), days + WEEK))
    for day in range(days):
        weekdays[:, day + WEEK] = daily[:, day] + _WEEK_KEEPS * weekdays[:, day]
    shares = np.lib.stride_tricks.sliding_window_view(weekdays, WEEK, axis=1)
    shares = shares[:, : days + 1]
    whole = shares.sum(axis=2, keepdims=True)
    count = (1 - _WEEK_KEEPS ** np.maximum(known / WEEK, 1)) / (1 - _WEEK_KEEPS)
    even = _EVEN * whole / WEEK / count[:, :, None]
    shares = (shares + even) / np.maximum((whole + WEEK * even) / WEEK, _TINY)
    return _Past(daily, _running(daily), known, np.where(whole > 0, shares, 1.0))


def _running(daily: Floats) -> Floats:
    return np.concatenate([np.zeros((len(daily), 1)), daily.cumsum(axis=1)], axis=1)


def _levels(past: _Past, days: int) -> tuple[Floats, Ints]:
    """The mean of the last days on each morning, and of how many it is: of whole weeks."""
    weeks = np.maximum(past.known // WEEK * WEEK, np.minimum(past.known, WEEK))
    count = np.minimum(weeks, days)
    before = np.take_along_axis(past.sums, np.arange(past.sums.shape[1])[None, :] - count, axis=1)
    return (past.sums - before) / np.maximum(count, 1), count


def _growth(past: _Past, days: int) -> Floats:
    """Of a day (a logarithm), between some days and as many before; 0 where it is not known."""
    growth = np.zeros(past.sums.shape)
    if past.sums.shape[1] <= 2 * days:
        return growth
    late = past.sums[:, 2 * days :] - past.sums[:, days:-days]
    early = past.sums[:, days:-days] - past.sums[:, : -2 * days]
    known = (past.known[:, 2 * days :] >= 2 * days) & (late > 0) & (early > 0)
    ratio = np.log(np.maximum(late, _TINY)) - np.log(np.maximum(early, _TINY))
    growth[:, 2 * days :] = np.where(known, np.clip(ratio / days, -_MOST_A_DAY, _MOST_A_DAY), 0)
    return growth


def _goes_on(days: int) -> float:
    """How many days' growth has been added after some days."""
    return float((1 - _GOES_ON**days) / (1 - _GOES_ON))


def _sums(past: _Past, days: int) -> Floats:
    """What each guess expects of the next days, on each morning: series x guesses x mornings."""
    found = np.empty((len(past.sums), _GUESSES, past.sums.shape[1]))
    weeks, rest = divmod(days, WEEK)
    of_rest = past.shares[:, :, :rest].sum(axis=2)
    for place, level in enumerate(_LEVELS):
        found[:, place] = _levels(past, level)[0] * (weeks * WEEK + of_rest)
    for place, (level, compared, part) in enumerate(_GROWING, start=len(_LEVELS)):
        mean, count = _levels(past, level)
        growth = _growth(past, compared) * part
        grown = np.zeros_like(mean)
        for week in range(weeks):
            grown += WEEK * np.exp(growth * _goes_on(week * WEEK + 4))
        grown += of_rest * np.exp(growth * _goes_on(weeks * WEEK + rest // 2))
        found[:, place] = mean * np.exp(growth * (count - 1) / 2) * grown
    return found


def _last_days(past: _Past, weights: Floats, days: int) -> Floats:
    """What is expected of each day after the last."""
    shares = np.take(past.shares[:, -1], np.arange(days) % WEEK, axis=1)
    grown = np.array([_goes_on(day + 1) for day in range(days)])
    found = np.zeros(shares.shape)
    for place, level in enumerate(_LEVELS):
        found += (weights[:, place] * _levels(past, level)[0][:, -1])[:, None] * shares
    for place, (level, compared, part) in enumerate(_GROWING, start=len(_LEVELS)):
        mean, count = _levels(past, level)
        growth = _growth(past, compared)[:, -1] * part
        today = mean[:, -1] * np.exp(growth * (count[:, -1] - 1) / 2)
        its = np.exp(growth[:, None] * grown[None, :])
        found += (weights[:, place] * today)[:, None] * shares * its
    return found


def _weights(past: _Past, days: int) -> Floats:
    """How much each guess counts on each morning, by how wrong it had been until then."""
    mornings = past.sums.shape[1]
    weights = np.full((len(past.sums), _GUESSES, mornings), 1 / _GUESSES)
    origins = np.arange(mornings - days)
    came = past.sums[:, origins + days] - past.sums[:, origins]
    known = past.known[:, origins] >= SEASONAL_DAYS
    usual = (came * known).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    # Of a series that has ended nothing is usual, and what is off would be so times infinity.
    usual = np.maximum(usual, _SPARSE * days * past.sums[:, -1] / past.known[:, -1])
    scale = came + 0.2 * usual[:, None] + _TINY
    off = (_sums(past, days)[:, :, origins] - came[:, None, :]) / scale[:, None, :]
    wrong = np.where(known[:, None, :], off * off, 0)
    total, count = np.zeros(wrong.shape[:2]), np.zeros(len(wrong))
    for origin in origins:
        total = _DAY_KEEPS * total + wrong[:, :, origin]
        count = _DAY_KEEPS * count + known[:, origin]
        mean = total / np.maximum(count, 1)[:, None] + _NOBODY_LESS
        its = mean**-_SHARPNESS
        its /= its.sum(axis=1, keepdims=True)
        tried = (count > _LEAST_TRIED)[:, None]
        weights[:, :, origin + days] = np.where(tried, its, 1 / _GUESSES)
    return weights


def _band(off: Floats, known: npt.NDArray[np.bool_], days: int) -> tuple[Floats, Floats]:
    """Between which parts of itself what came was off: half from each side, half from both.

    Sums of days that overlap are not that many trials: of few, more is left out.
    """
    trials = np.maximum(1.0, known.sum(axis=1) / days)
    tail = (1 - BAND / 100) / 2 * trials / (trials + 1)
    either = _quantile(np.abs(off), known, 1 - 2 * tail)
    low = np.minimum(0, _quantile(off, known, tail))
    high = np.maximum(0, _quantile(off, known, 1 - tail))
    return (low - either) / 2, (high + either) / 2


def _past_error(
    sums: Floats, came: Floats, expected: Floats, known: npt.NDArray[np.bool_], elapsed: int
) -> Floats:
    """Per cent, of sums of the days that had passed and those that were expected."""
    origins = np.arange(came.shape[1])
    spent = sums[:, origins] - sums[:, np.maximum(origins - elapsed, 0)]
    whole = spent + came
    tried = known & (whole > 0)
    off = np.abs(expected - came) / np.maximum(whole, _TINY)
    return np.where(tried.any(axis=1), 100 * _quantile(off, tried, np.full(len(sums), 0.5)), np.nan)


def _quantile(values: Floats, known: npt.NDArray[np.bool_], at: Floats) -> Floats:
    """Of each row's known values; where none is known, 0."""
    ordered = np.sort(np.where(known, values, np.inf), axis=1)
    place = at * np.maximum(known.sum(axis=1) - 1, 0)
    lower = np.floor(place).astype(np.int64)
    upper = np.ceil(place).astype(np.int64)
    low = np.take_along_axis(ordered, lower[:, None], axis=1)[:, 0]
    high = np.take_along_axis(ordered, upper[:, None], axis=1)[:, 0]
    some = known.any(axis=1)
    low, high = np.where(some, low, 0), np.where(some, high, 0)
    return np.asarray(low + (high - low) * (place - lower), np.float64)
