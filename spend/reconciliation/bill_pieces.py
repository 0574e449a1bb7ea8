"""Into which pieces of time a bill and the estimate beside it are cut: its days, or its period."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Final

from spend.periods import Period
from spend.reconciliation.variance import LAG

DAY: Final = timedelta(days=1)
HOUR: Final = timedelta(hours=1)
LONGEST_DAY: Final = timedelta(hours=25)
"""The day on which a clock is put back."""
SHORTEST_DAY: Final = timedelta(hours=23)


@dataclass(frozen=True, slots=True)
class Told:
    """How a bill tells the time of its usage."""

    by_day: bool
    """Whether it has lines of a day or less."""
    begins: Sequence[time] = ()
    """Times of day (UTC) at which its lines of a day begin; empty: by hours, or none."""


@dataclass(frozen=True, slots=True)
class Pieces:
    """A time cut into pieces that follow one another."""

    period: Period
    """What the bill is for: where its days begin at another hour than UTC's, so does it."""
    bounds: tuple[datetime, ...]
    """Of all pieces, also those before and after the period; UTC."""

    def at(self, number: int) -> Period:
        """The piece of a ``width_bucket`` by the bounds; what is beyond them is the nearest."""
        place = min(max(number, 1), len(self.bounds) - 1)
        return Period(self.bounds[place - 1], self.bounds[place])

    @property
    def whole(self) -> Period:
        """From the first bound to the last."""
        return Period(self.bounds[0], self.bounds[-1])


def pieces_of(period: Period, told: Told, beside: Iterable[Period]) -> Pieces:
    """The pieces for a bill of ``period`` (UTC); ``beside`` are periods of the bills next to it.

    With days, LAG on both sides as well; else the bill's period is one, and so are those beside.
    """
    if not told.by_day:
        near = [each for each in beside if period.start == each.end or period.end == each.start]
        bounds = {period.start - LAG, period.start, period.end, period.end + LAG}
        for each in near:
            bounds |= {each.start, each.end}
            # What LAG would cut off a neighbour's period is in it.
            bounds -= {period.start - LAG} if each.end == period.start else {period.end + LAG}
        return Pieces(period, tuple(sorted(bounds)))
    shift = _shift(told.begins)
    if _midnight(period.start) and _midnight(period.end):
        period = Period(period.start + shift, period.end + shift)
    first, last = period.start - LAG, period.end + LAG
    count = -(-(last - first) // DAY)
    grid = {first + number * DAY for number in range(count)}
    return Pieces(period, tuple(sorted({*grid, period.start, period.end, last})))


def _shift(begins: Sequence[time]) -> timedelta:
    """How long after midnight (UTC) its days begin; an hour less where clocks were changed."""
    if not begins:
        return timedelta()
    offsets = sorted(timedelta(hours=each.hour, minutes=each.minute) for each in begins)
    return offsets[0] if offsets[-1] - offsets[0] <= HOUR else timedelta()


def _midnight(moment: datetime) -> bool:
    return moment.astimezone(UTC).time() == time()
