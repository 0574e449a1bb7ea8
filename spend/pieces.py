"""Cuts a time into pieces, and says which sums of days and months make up each of them.

Many periods share few bounds: what is spent between one bound and the next, a *piece*, is read
once, and a period is some of them in a row. Of a UTC day that bounds cut, the longest part takes
the day's sum, and the others are read line by line: added to their own piece, taken off that one.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby, pairwise

from spend.periods import Period

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Edge:
    """A part of a UTC day, whose lines are read one by one."""

    part: Period
    adds_to: int | None
    """The piece that it belongs to; None: it is outside of all."""
    taken_off: int | None
    """The piece that has got the sum of the whole day; None: none has."""


@dataclass(frozen=True, slots=True)
class Pieces:
    """What lies between the bounds, in order: piece 0 is between the first two."""

    cuts: tuple[datetime, ...]
    """The bounds, UTC, ascending."""
    months: tuple[tuple[date, int], ...]
    """The first day of each UTC month that is whole in a piece, and the piece."""
    days: tuple[tuple[date, int], ...]
    """Likewise UTC days that are in none of the months, or have an edge taken off."""
    edges: tuple[Edge, ...]
    """Disjoint, in order."""

    def within(self, period: Period) -> range:
        """The pieces of a period, whose bounds must be among the cuts."""
        return range(self.cuts.index(period.start), self.cuts.index(period.end))


def pieces_of(periods: Iterable[Period]) -> Pieces | None:
    """The pieces that some periods have; None: there are no periods."""
    cuts = sorted({bound for each in periods for bound in (each.start, each.end)})
    if not cuts:
        return None
    days: list[tuple[date, int]] = []
    cut_days: list[tuple[date, int]] = []
    edges: list[Edge] = []
    day = _midnight(cuts[0])
    while day < cuts[-1]:
        inner = cuts[bisect_right(cuts, day) : _before(cuts, day + _DAY)]
        if inner:
            whole = _cut(cuts, [day, *inner, day + _DAY], edges)
            if whole is not None:
                cut_days.append((day.date(), whole))
        else:
            days.append((day.date(), bisect_right(cuts, day) - 1))
        day += _DAY
    months, rest = _months(days)
    return Pieces(tuple(cuts), tuple(months), tuple(sorted([*rest, *cut_days])), tuple(edges))


def _cut(cuts: Sequence[datetime], bounds: Sequence[datetime], edges: list[Edge]) -> int | None:
    """Adds the edges of a day that is cut; answers the piece that gets its sum."""
    parts = [Period(start, end) for start, end in pairwise(bounds)]
    longest = max(parts, key=lambda part: part.end - part.start)
    whole = _piece(cuts, longest.start)
    for part in parts:
        own = _piece(cuts, part.start)
        if part is not longest and (own, whole) != (None, None):
            edges.append(Edge(part, own, whole))
    return whole


def _months(
    days: Sequence[tuple[date, int]],
) -> tuple[list[tuple[date, int]], list[tuple[date, int]]]:
    """Of days that no bound cuts: those that are whole months in one piece, and the others."""
    months, rest = [], []
    for (_year, _month, piece), group in groupby(
        days, key=lambda each: (each[0].year, each[0].month, each[1])
    ):
        its = [day for day, _piece in group]
        # As many days as from a month's first to the next one's are the month.
        if its[0].day == 1 and (its[-1] + _DAY).day == 1:
            months.append((its[0], piece))
        else:
            rest += [(day, piece) for day in its]
    return months, rest


def _piece(cuts: Sequence[datetime], moment: datetime) -> int | None:
    found = bisect_right(cuts, moment) - 1
    return found if 0 <= found < len(cuts) - 1 else None


def _before(cuts: Sequence[datetime], moment: datetime) -> int:
    """How many cuts are before a moment."""
    found = bisect_right(cuts, moment)
    return found - 1 if found and cuts[found - 1] == moment else found


def _midnight(moment: datetime) -> datetime:
    return datetime.combine(moment.astimezone(UTC).date(), time(), UTC)
