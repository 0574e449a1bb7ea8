"""Energy that was measured: from what counters of joules said to millijoules of each hour.

A *counter* is one machine's or one GPU's energy as one family of metrics tells it; a *reading* is
what it said at a moment. What an hour comes to follows from the set of readings: not from order,
splitting or repetition. Integers of millijoules throughout; where the time between two readings
lies in two hours, its energy is split by time and nothing is lost.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import groupby
from operator import attrgetter
from typing import Final

from spend.patterns import fits_one

LONGEST: Final = timedelta(days=1)
"""Two readings further apart tell nothing of the time between: it is not bridged. And who told
nothing for longer is not expected to."""

STILL: Final = timedelta(hours=1)
"""For so long a counter may stand still, and still be read: some count in tenths of a kWh. What it
then grows by is of all that time; longer than that, it is only of the last step."""

EVERY: Final = timedelta(minutes=5)
"""Of a cumulative counter the last reading of each five minutes (UTC) is kept. A restart in
between costs what was used since the last one that was kept."""

MOST_MILLIJOULES: Final = 10**16
"""A counter that says more is none: ten gigajoules a day for 2,700 years."""

_MOST_WATTS: Final = {False: 3_000, True: 200_000}
"""What a GPU, and what a whole machine or rack can draw: who tells more has told nonsense."""
_WRAP: Final = 2**32
"""Where a counter of 32 bits begins again."""
_HOUR: Final = timedelta(hours=1)
_DAY: Final = range(LONGEST // _HOUR + 1)
_US: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class EnergyCounter:
    """Where readings come from."""

    name: str
    """Of the metric."""
    device: int
    """What is measured, whoever tells it: the same GPU has the same."""
    host: int
    """The machine that it is in; 0 where that is not told."""
    whole_host: bool
    """It measures the machine, with its GPUs."""
    rank: int
    """Of those that tell of one device equally well the lowest counts."""
    cumulative: bool
    attributes: Mapping[str, str]
    """What is known of machine and device, by the names that the emitter has for it."""


@dataclass(frozen=True, slots=True)
class EnergyReading:
    """What a counter said: since ``started_at`` (delta), or since it began (cumulative)."""

    counter: int
    started_at: datetime
    """UTC; of a cumulative counter, that of the reading."""
    read_at: datetime
    millijoules: int


@dataclass(frozen=True, slots=True)
class MeasuredHour:
    """Energy that was measured in an hour (UTC)."""

    millijoules: int
    covered: Fraction
    """The share of the hour, and of the devices that are expected to tell, that it is of."""


@dataclass(frozen=True, slots=True)
class _Used:
    """Energy between two moments."""

    since: datetime
    until: datetime
    millijoules: int


def hour_of(moment: datetime) -> datetime:
    """The start (UTC) of the hour that holds ``moment``."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def kept_at(reading: EnergyReading, *, cumulative: bool) -> datetime:
    """Readings of one counter with the same moment are one: the later, then the larger is kept."""
    if not cumulative:
        return reading.read_at
    return reading.read_at - (reading.read_at - hour_of(reading.read_at)) % EVERY


def better(one: EnergyReading, other: EnergyReading) -> EnergyReading:
    """Which of two with the same ``kept_at`` is kept."""
    return max(one, other, key=attrgetter("read_at", "millijoules"))


def fits(attributes: Mapping[str, str], match: Mapping[str, str]) -> bool:
    """Whether a counter's attributes are those asked for; ``*`` at the end of one fits the rest.

    Nobody's attributes fit an empty ``match``.
    """
    return bool(match) and all(fits_one(attributes.get(key), (match[key],)) for key in match)


def measured(
    counters: Mapping[int, EnergyCounter],
    readings: Iterable[EnergyReading],
    start: datetime,
    end: datetime,
) -> dict[datetime, MeasuredHour]:
    """What the counters measured in each hour from ``start`` to ``end`` (UTC, full hours).

    Needs their readings from ``STILL`` before to ``STILL`` after, and of each counter the one
    before and the one after these, within ``LONGEST``. Of one device the counter that tells most
    of an hour counts, and of a machine either itself or its GPUs. Hours in which nobody is
    expected to tell are left out.
    """
    told: dict[datetime, dict[int, _Told]] = {
        start + number * _HOUR: {} for number in range((end - start) // _HOUR)
    }
    by_counter: dict[int, list[EnergyReading]] = defaultdict(list)
    for reading in readings:
        by_counter[reading.counter].append(reading)
    for id_, of_one in by_counter.items():
        in_hours: dict[datetime, list[int]] = defaultdict(lambda: [0, 0])
        for used in _used(counters[id_], of_one):
            for hour, millijoules, microseconds in _by_hour(used):
                in_hours[hour][0] += millijoules
                in_hours[hour][1] += microseconds
        heard = {hour_of(reading.read_at) for reading in of_one}
        expected = {hour + number * _HOUR for hour in heard for number in _DAY}
        for hour in (expected | in_hours.keys()) & told.keys():
            told[hour][id_] = _Told(counters[id_], id_, *in_hours.get(hour, (0, 0)))
    return {hour: _chosen(tuple(of_hour.values())) for hour, of_hour in told.items() if of_hour}


@dataclass(frozen=True, slots=True)
class _Told:
    """What a counter tells of an hour."""

    counter: EnergyCounter
    id: int
    millijoules: int
    microseconds: int

    @property
    def order(self) -> tuple[int, int, int, int]:
        """The first of those that tell of one device counts."""
        return -self.microseconds, self.counter.rank, -self.millijoules, self.id


def _chosen(told: Sequence[_Told]) -> MeasuredHour:
    """An hour of several counters, each device once."""
    ordered = sorted(told, key=lambda one: (one.counter.device, one.order))
    devices = [next(same) for _, same in groupby(ordered, key=lambda one: one.counter.device)]
    parts: dict[int, list[_Told]] = defaultdict(list)
    for one in devices:
        parts[one.counter.host or one.counter.device].append(one)
    count = [one for host in parts.values() for one in _of_host(host)]
    covered = Fraction(sum(one.microseconds for one in count), len(count) * (_HOUR // _US))
    return MeasuredHour(sum(one.millijoules for one in count), covered)


def _of_host(told: Sequence[_Told]) -> Sequence[_Told]:
    """The machine's own measure, unless its GPUs tell more of the hour."""
    whole = [one for one in told if one.counter.whole_host]
    parts = [one for one in told if not one.counter.whole_host]
    if not whole or not parts:
        return told
    best = max(whole, key=lambda one: one.microseconds)
    return [best] if best.microseconds >= max(one.microseconds for one in parts) else parts


def _used(counter: EnergyCounter, readings: Iterable[EnergyReading]) -> Iterator[_Used]:
    """What a counter's readings come to, in the order of time, nothing twice."""
    kept: dict[datetime, EnergyReading] = {}
    for reading in readings:
        at = kept_at(reading, cumulative=counter.cumulative)
        kept[at] = better(kept[at], reading) if at in kept else reading
    ordered = sorted(kept.values(), key=attrgetter("read_at", "millijoules"))
    for used in _growth(ordered, counter) if counter.cumulative else _deltas(ordered):
        if _can_be(used, counter):
            yield used


def _growth(ordered: Iterable[EnergyReading], counter: EnergyCounter) -> Iterator[_Used]:
    """What a cumulative counter grew by: no machine that runs draws nothing meanwhile."""
    still: list[EnergyReading] = []
    for one in ordered:
        if still and one.millijoules != still[-1].millijoules:
            since = (last for last in still if one.read_at - last.read_at <= STILL)
            yield _between(next(since, still[-1]), one, counter)
            still.clear()
        still.append(one)


def _deltas(ordered: Iterable[EnergyReading]) -> Iterator[_Used]:
    """What deltas tell of the time that none told of before."""
    last: EnergyReading | None = None
    for one in ordered:
        since = one.started_at
        if last is not None and not last.read_at <= since < one.read_at:
            # Told twice in part, or it does not say since when: since the one before.
            since = last.read_at
        last = one
        if since < one.read_at:
            yield _Used(since, one.read_at, one.millijoules)


def _between(last: EnergyReading, one: EnergyReading, counter: EnergyCounter) -> _Used:
    """What was used between two readings; a counter that falls went over its end, or restarted."""
    more = one.millijoules - last.millijoules
    if more < 0:
        wrapped = _Used(last.read_at, one.read_at, more + _WRAP)
        went_over = last.millijoules < _WRAP and _can_be(wrapped, counter)
        more = wrapped.millijoules if went_over else one.millijoules
    return _Used(last.read_at, one.read_at, more)


def _can_be(used: _Used, counter: EnergyCounter) -> bool:
    """Whether anything draws that much, and it is not too long ago."""
    took = used.until - used.since
    # A second more: clocks are read before or after counters.
    most = _MOST_WATTS[counter.whole_host] * ((took // timedelta(milliseconds=1)) + 1000)
    return took <= LONGEST and 0 <= used.millijoules <= most


def _by_hour(used: _Used) -> Iterator[tuple[datetime, int, int]]:
    """Hour (UTC), millijoules and microseconds; they add up to all of it."""
    whole = (used.until - used.since) // _US
    done, at = 0, used.since
    while at < used.until:
        until = min(hour_of(at) + _HOUR, used.until)
        so_far = used.millijoules * ((until - used.since) // _US) // whole
        yield hour_of(at), so_far - done, (until - at) // _US
        done, at = so_far, until
