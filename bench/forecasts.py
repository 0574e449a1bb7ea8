"""How wrong forecasts of a month are, how often it ends in their band, and what they cost.

Made-up series of several kinds, of which the month after 60, 120 or 150 days is forecast on its
first, 11th and 21st day: beside the last week repeated (seasonal naive), and beside what is spent
carried on as a straight line, as LiteLLM does. The method was tuned on series of most of these
kinds, from other seeds.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from bench.table import Row
from spend.forecasts.forecast import BAND
from spend.forecasts.seasonal import ahead
from spend.forecasts.steadied import WEEK, Floats

MONTH: Final = 30
DAYS: Final = (0, 10, 20)
"""Of the month that have passed."""
BEFORE: Final = (60, 120, 150)
SERIES: Final = 60
"""Of each kind, length and seed."""
SEEDS: Final = (201, 202, 203)
BUDGETS: Final = 1000
_AS_LIBRARIES: Final = 120
"""Days of the past, of the figure that libraries were compared by."""
_ON_CALLS: Final = 120
"""A day, on average, where each call is drawn on its own."""

Random = np.random.Generator
Made = Callable[[Random, int], Floats]


def _season(random: Random, days: int) -> Floats:
    shares = np.array([1.0, 1.05, 1.08, 1.04, 0.95, 0.35, 0.3]) * random.lognormal(0, 0.08, WEEK)
    level = 10 ** random.uniform(0, 4)
    week = level * shares / shares.mean()
    return np.asarray(week[(np.arange(days) + random.integers(WEEK)) % WEEK])


def _noise(random: Random, days: int) -> Floats:
    return np.asarray(random.lognormal(0, random.uniform(0.05, 0.2), days))


def _grown(random: Random, days: int, least: float, most: float) -> Floats:
    return np.asarray(np.exp(random.uniform(least, most) * np.arange(days)))


def _ordinary(random: Random, days: int) -> Floats:
    """As of the figures that libraries were compared by: a week, some growth, 5 % of noise."""
    noise = random.lognormal(0, 0.05, days)
    return _season(random, days) * noise * _grown(random, days, 0, 0.004)


def _step(random: Random, days: int) -> Floats:
    found = _season(random, days) * _noise(random, days)
    for _ in range(2):
        found[random.integers(20, days - 5) :] *= random.choice([0.4, 0.6, 1.6, 2.5])
    return found


def _bursts(random: Random, days: int) -> Floats:
    bursts = np.where(random.random(days) < 0.03, random.uniform(3, 10, days), 1)  # noqa: PLR2004  # a day a month
    return _season(random, days) * _noise(random, days) * bursts


def _sparse(random: Random, days: int) -> Floats:
    some = random.random(days) < 0.25  # noqa: PLR2004  # one day in four
    return np.asarray(10 ** random.uniform(0, 4) * random.lognormal(0, 0.8, days) * some)


def _wanders(random: Random, days: int) -> Floats:
    walk = np.exp(np.cumsum(random.normal(0, 0.03, days)))
    return _season(random, days) * _noise(random, days) * walk


def _campaign(random: Random, days: int) -> Floats:
    """Two weeks of three times as much, some time."""
    at = random.integers(20, days - 20)
    found = _season(random, days) * _noise(random, days)
    found[at : at + 14] *= 3
    return found


def _lumps(random: Random, days: int) -> Floats:
    """A batch each 30 days that costs as much as five days."""
    found = _season(random, days) * _noise(random, days)
    found[random.integers(MONTH) :: MONTH] += 5 * found.mean()
    return found


def _calls(tokens: Sequence[tuple[int, int]]) -> Made:
    costs = np.array([before + 4.0 * after for before, after in tokens])

    def made(random: Random, days: int) -> Floats:
        """Some hundred calls a day, each as one of the trace."""
        rates = _season(random, days)
        counts = random.poisson(_ON_CALLS * rates / rates.mean())
        return np.array([random.choice(costs, count).sum() for count in counts])

    return made


KINDS: Final[dict[str, Made]] = {
    "ordinary": _ordinary,
    "weekly": lambda random, days: (
        _season(random, days) * _noise(random, days) * _grown(random, days, -0.001, 0.003)
    ),
    "growth": lambda random, days: (
        _season(random, days) * _noise(random, days) * _grown(random, days, 0.004, 0.012)
    ),
    "steps": _step,
    "bursts": _bursts,
    "sparse": _sparse,
    "wanders": _wanders,
    "campaign": _campaign,
    "lumps": _lumps,
}


@dataclass(frozen=True, slots=True)
class _Tried:
    """Forecasts of some series: errors of the month's sum in per cent, and hits of the band."""

    ours: Floats
    naive: Floats
    line: Floats
    inside: Floats


def measure(tokens: Sequence[tuple[int, int]]) -> list[Row]:
    """Errors by kind, coverage, and CPU time."""
    kinds = KINDS | {"calls": _calls(tokens)}
    found = {name: _tried_kind(made, number) for number, (name, made) in enumerate(kinds.items())}
    rows = [_ordinary_row(_tried_kind(_ordinary, 0, (_AS_LIBRARIES,)))]
    inside = {
        name: 100 * np.mean([each.inside.mean() for each in tried.values()])
        for name, tried in found.items()
    }
    rows.append(
        Row(
            "forecast_band",
            f"months that end in a forecast's band of {BAND} %",
            float(np.mean(list(inside.values()))),
            "%",
            ", ".join(f"{name} {share:.0f}" for name, share in inside.items()),
            at_least=BAND - 5,
            details=inside,
        )
    )
    rows.append(_cpu())
    return rows + [_row(name, tried) for name, tried in found.items()]


def _tried_kind(made: Made, number: int, lengths: Sequence[int] = BEFORE) -> dict[int, _Tried]:
    """By day of the month, of all lengths and seeds."""
    tried: dict[int, list[_Tried]] = {day: [] for day in DAYS}
    for seed in SEEDS:
        random = np.random.default_rng([seed, number])
        for before in lengths:
            series = np.stack([made(random, before + MONTH) for _ in range(SERIES)])
            for day in DAYS:
                tried[day].append(_tried(series, before, day))
    return {
        day: _Tried(
            *(
                np.concatenate([getattr(one, name) for one in each])
                for name in ("ours", "naive", "line", "inside")
            )
        )
        for day, each in tried.items()
    }


def _tried(series: Floats, before: int, day: int) -> _Tried:
    past, month = series[:, : before + day], series[:, before:]
    spent, truth, rest = month[:, :day].sum(axis=1), month.sum(axis=1), MONTH - day
    found = ahead(past, rest, day)
    week = past[:, -WEEK:]
    again = np.take(week, np.arange(rest) % WEEK, axis=1).sum(axis=1)
    line = spent / day * rest if day else past[:, -MONTH:].sum(axis=1)
    known = truth > 0

    def off(expected: Floats) -> Floats:
        return np.asarray(100 * np.abs(spent + expected - truth)[known] / truth[known])

    came = truth - spent
    inside = (came >= found.low) & (came <= found.high)
    return _Tried(off(found.daily.sum(axis=1)), off(again), off(line), inside[known] * 1.0)


def _ordinary_row(tried: dict[int, _Tried]) -> Row:
    first, naive, line = (
        np.median(each) for each in (tried[0].ours, tried[0].naive, tried[0].line)
    )
    later = ", ".join(f"{np.median(tried[day].ours):.1f} on day {day + 1}" for day in DAYS[1:])
    return Row(
        "forecast_month",
        f"error of a month's forecast after {_AS_LIBRARIES} days with a weekly season",
        float(first),
        "%",
        f"{later}; last week again {naive:.1f}, last month again {line:.1f}",
        at_most=2,
    )


def _row(name: str, tried: dict[int, _Tried]) -> Row:
    told = [
        f"day {day + 1}: {np.median(each.ours):.1f} (again {np.median(each.naive):.1f}, "
        f"line {np.median(each.line):.1f})"
        for day, each in tried.items()
    ]
    return Row(
        f"forecast_{name}",
        f"forecast error, median of series: {name}",
        float(np.median(np.concatenate([each.ours for each in tried.values()]))),
        "%",
        "; ".join(told),
    )


def _cpu() -> Row:
    random = np.random.default_rng(7)
    series = np.stack([_step(random, 182) for _ in range(BUDGETS)])
    began = time.process_time()
    ahead(series, 20, 10)
    took = time.process_time() - began
    return Row(
        "forecast_cpu",
        f"forecasts of {BUDGETS:,} budgets from half a year each, CPU",
        took,
        "s",
        "with all their backtests, one core",
        at_most=2,
    )
