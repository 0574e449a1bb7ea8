"""What each day cost by whom on what, to be asked by many filters: statistics, in floats."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import numpy as np
import numpy.typing as npt

from spend.budgets.budgets import Filter
from spend.forecasts.steadied import Floats

HOURS = 24
_EVEN = 0.05
"""As much as this share of what is known of a day's hours counts that all hours are alike."""
_HOUR = timedelta(hours=1)


class Told:
    """Amounts in columns of time, a row for all that has the same values."""

    def __init__(
        self, dimensions: Sequence[str], values: Sequence[tuple[str, ...]], amounts: Floats
    ) -> None:
        self._dimensions = tuple(dimensions)
        self._values = values
        self._amounts = amounts
        self._masks: dict[tuple[str, str], npt.NDArray[np.bool_]] = {}

    def on(self, wanted: Filter) -> Floats:
        """The columns' sums of what fits. Raises KeyError for what is not told apart."""
        fits = np.ones(len(self._values), np.bool_)
        for dimension, values in wanted.items():
            if dimension not in self._dimensions:
                raise KeyError(dimension)
            fits &= np.logical_or.reduce([self._with(dimension, value) for value in values])
        return np.asarray(self._amounts[fits].sum(axis=0), np.float64)

    def _with(self, dimension: str, value: str) -> npt.NDArray[np.bool_]:
        key = (dimension, value)
        if key not in self._masks:
            at = self._dimensions.index(dimension)
            its = (each[at] == value for each in self._values)
            self._masks[key] = np.fromiter(its, np.bool_, len(self._values))
        return self._masks[key]


@dataclass(frozen=True, slots=True)
class DaySeries:
    """What days and their hours (UTC) cost, in one currency."""

    last: date
    """The last day, UTC."""
    days: Told
    """A column a day."""
    hours: Told
    """A column an hour of the day: of the last weeks."""

    def of_day(self, wanted: Filter) -> Floats:
        """As ``parts_of_day``, of what fits."""
        return parts_of_day(self.hours.on(wanted))


def parts_of_day(hours: Floats) -> Floats:
    """Which part of a day's spend comes before each of its hours, and before its end.

    ``hours`` are what those of some days cost.
    """
    known = np.maximum(hours, 0)
    even = max(float(known.sum()) * _EVEN, 1e-300) / HOURS
    parts = (known + even).cumsum() / (known + even).sum()
    return np.concatenate([[0.0], parts])


def part_before(moment: datetime, day: date, of_day: Floats) -> float:
    """How much of a day's (UTC) spend comes before a moment, 0 to 1."""
    hours = (moment - datetime.combine(day, time(), moment.tzinfo)) / _HOUR
    return float(np.interp(hours, np.arange(HOURS + 1), of_day))
