"""What token metrics tell, and when it counts.

A *counter* is one set of attributes of one family of metrics, from one source; a *reading* is what
it said of one kind of token at a moment. Metrics tell again what spans and logs tell, in sums. So
a reading counts only where its source told no call's usage, and where two counters of a source
tell of the same tokens, one of them counts. What counts follows from the set of readings and of
hours in which calls were told: not from order, splitting or repetition.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from spend.ids import id_of
from spend.models import bare_name

COUNTS: Final = frozenset(
    {
        "input",
        "input_audio",  # audio that is not among ``input``
        "input_extra",  # billed as input, and never among ``input``
        "cache_read",
        "cache_write",
        "output",
        "output_audio",
        "reasoning",
    }
)
"""What a reading can be of. ``input`` includes the cache's parts unless its counter says not."""

MOST_TOKENS: Final = 10**12
"""A reading above this is not one of tokens."""

MARGIN: Final = timedelta(minutes=1)
"""A call is measured when it ends, and exported later: it speaks for hours this much around it."""

FIRST: Final = timedelta(hours=2)
"""A cumulative series that was running for longer when it was first heard counts from then on:
what it used before is nobody's news, and would all be charged at that moment."""

LONGEST: Final = timedelta(days=31)
"""What lies further back is not looked at, to tell whether a reading repeats calls."""

NO_SESSION: Final = 0
"""In the place of a session's kin: told without naming one. No id is 0 (spend/ids.py)."""

ANYONE: Final = 0
"""In the place of a service's kin: whoever told calls of a model, which stands for the session."""

_HOUR: Final = timedelta(hours=1)
_MOMENT: Final = timedelta(microseconds=1)
_DATED: Final = re.compile(r"(?:[-@]20\d\d-?\d\d-?\d\d|-latest)$")

Told = tuple[int, int]
"""The kin of a service and of a session, or NO_SESSION; or ANYONE, and ``model_kin``."""


@dataclass(frozen=True, slots=True)
class TokenCounter:
    """Where readings come from."""

    service: int
    """``spend.twins.kin.service_kin``."""
    session: int
    """``spend.twins.kin.session_kin`` where its sessions are told apart, else NO_SESSION."""
    family: str
    rank: int
    """Of the families that one source can speak, the lowest counts: it tells most."""
    teller: str
    """The instrumentation: two on one client tell of the same calls."""
    trust: int
    """The lower, the better, between tellers (spend/twins/witnesses.py)."""
    model: str
    """``plain_model`` of what it calls."""
    embeddings: bool
    """Families can tell of embeddings apart."""
    beside_cache: bool
    """``input`` leaves out the cache's parts."""
    reasoning_apart: bool
    """``output`` leaves out reasoning."""
    serves: bool
    """A gateway or a model server: those who call it may tell of the same calls."""
    owner_id: int
    route_id: int
    emitter_id: int


@dataclass(frozen=True, slots=True)
class Reading:
    """What a counter said: tokens since ``started_at`` (cumulative), or between (delta)."""

    counter: int
    """Id of the counter: of its attributes, whoever computes it."""
    series: int
    """Readings with the same series and start follow each other."""
    count: str
    """One of COUNTS."""
    started_at: datetime
    read_at: datetime
    last_read_at: datetime
    """Until then a cumulative series said the same again."""
    cumulative: bool
    value: int
    calls: int | None
    """How many calls were measured, where the metric tells."""

    @property
    def id(self) -> int:
        """Of what it says: a cumulative series that says the same later is the same reading."""
        when = "" if self.cumulative else self.read_at.isoformat()
        said = (self.series, self.started_at.isoformat(), self.value, self.calls)
        return id_of("reading", when, *map(str, said))


@dataclass(frozen=True, slots=True)
class Metered:
    """What a counter told between two moments, as disjoint meters."""

    counter: int
    since: datetime
    read_at: datetime
    usage: Mapping[str, int]
    calls: int | None

    @property
    def hours(self) -> tuple[datetime, datetime]:
        """The first and the last hour (UTC) that it is about."""
        since = max(self.since, self.read_at - LONGEST)
        return hour_of(since), hour_of(max(since, self.read_at - _MOMENT))


def plain_model(model: str | None) -> str:
    """A model's name as different instrumentations give it: without provider and date."""
    return _DATED.sub("", bare_name(model)) if model else ""


def model_kin(model: str) -> int:
    """The kin of all who call a model, by ``plain_model``."""
    return id_of("model", model)


def hour_of(moment: datetime) -> datetime:
    """The start (UTC) of the hour that holds ``moment``."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def hours_between(first: datetime, last: datetime) -> Iterator[datetime]:
    """Hours from one to another, both included."""
    while first <= last:
        yield first
        first += _HOUR


def meter(counters: Mapping[int, TokenCounter], readings: Iterable[Reading]) -> list[Metered]:
    """What each counter told at each moment; moments at which it told nothing new are left out.

    Needs all readings of a series and start from some moment on, and the one before it, which is
    then taken for the first.
    """
    series: dict[tuple[int, datetime], list[Reading]] = defaultdict(list)
    for reading in readings:
        series[reading.series, reading.started_at].append(reading)
    told: dict[tuple[int, datetime], list[_Increment]] = defaultdict(list)
    for one in series.values():
        for more in _increments(one):
            told[more.reading.counter, more.reading.read_at].append(more)
    return [
        _metered(counters[counter], read_at, told[counter, read_at])
        for counter, read_at in sorted(told)
    ]


@dataclass(frozen=True, slots=True)
class _Increment:
    reading: Reading
    since: datetime
    tokens: int
    calls: int | None


def _increments(series: Iterable[Reading]) -> Iterator[_Increment]:
    """By how much each reading goes beyond the one before. A value that falls began anew."""
    before: Reading | None = None
    for one in sorted(series, key=lambda one: (one.read_at, one.value, one.calls or 0)):
        last, before = before, one
        since, value, calls = one.started_at, one.value, one.calls
        # No time at all is the convention for "since I do not know when".
        ran = one.read_at - one.started_at
        if one.cumulative and last is None and not timedelta(0) < ran <= FIRST:
            continue
        if one.cumulative and last is not None:
            since = last.last_read_at
            if value >= last.value:
                value -= last.value
                calls = None if calls is None else max(calls - (last.calls or 0), 0)
        elif last is not None and last.read_at == one.read_at:
            # One moment told twice, with other words: the larger holds.
            value -= last.value
            calls = None if calls is None else max(calls - (last.calls or 0), 0)
        if value or calls:
            yield _Increment(one, min(since, one.read_at), value, calls)


def _metered(counter: TokenCounter, read_at: datetime, told: Collection[_Increment]) -> Metered:
    counts: dict[str, int] = defaultdict(int)
    calls: dict[str, int] = defaultdict(int)
    for more in told:
        counts[more.reading.count] += more.tokens
        if more.calls is not None:
            calls[more.reading.count] += more.calls
    return Metered(
        counter=next(iter(told)).reading.counter,
        since=min(more.since for more in told),
        read_at=read_at,
        usage=disjoint(
            counts, beside_cache=counter.beside_cache, reasoning_apart=counter.reasoning_apart
        ),
        calls=max(calls.values(), default=None),
    )


def disjoint(
    counts: Mapping[str, int], *, beside_cache: bool, reasoning_apart: bool
) -> dict[str, int]:
    """Meters from what was read. Parts never exceed their whole: tokens are split, not added."""
    usage: dict[str, int] = {}
    if counts.keys() & {"input", "input_audio"}:
        usage["input"] = counts.get("input", 0) + counts.get("input_audio", 0)
    for part in ("cache_read", "cache_write"):
        if part not in counts:
            continue
        usage[part] = counts[part] if beside_cache else min(counts[part], usage.get("input", 0))
        if not beside_cache and "input" in usage:
            usage["input"] -= usage[part]
    if "input_extra" in counts:
        usage["input"] = usage.get("input", 0) + counts["input_extra"]
    if "input_audio" in counts:
        usage["input_audio"] = min(counts["input_audio"], usage["input"])
    apart = counts.get("reasoning", 0) if reasoning_apart else 0
    if counts.keys() & {"output", "output_audio"} or apart:
        usage["output"] = counts.get("output", 0) + counts.get("output_audio", 0) + apart
    for part in ("reasoning", "output_audio"):
        if part in counts:
            usage[part] = min(counts[part], usage.get("output", 0))
    return usage


@dataclass(frozen=True, slots=True)
class Tellers:
    """Who told calls by spans and logs, by the hour."""

    usage: Mapping[datetime, Collection[Told]] = field(default_factory=dict)
    """Who told their usage: what metrics tell of those hours is told already."""
    calls: Mapping[datetime, Collection[Told]] = field(default_factory=dict)
    """Who told calls that ended well, and not what they used: metrics tell only that."""


def counting(
    counters: Mapping[int, TokenCounter], metered: Iterable[Metered], told: Tellers
) -> dict[tuple[int, datetime], bool]:
    """Which of some metered tokens count (counter and ``read_at``), and whether as calls too.

    ``metered`` must hold all that share an hour and a service with those that are asked for.
    """
    listed = list(metered)
    families: dict[tuple[object, ...], int] = {}
    tellers: dict[tuple[object, ...], tuple[int, str]] = {}
    for one in listed:
        counter = counters[one.counter]
        for place in _heard_at(counter, one):
            family = (*place, counter.embeddings)
            families[family] = min(families.get(family, counter.rank), counter.rank)
            voice = (*family, counter.family, counter.model)
            teller = counter.trust, counter.teller
            tellers[voice] = min(tellers.get(voice, teller), teller)
    used, called = _told_at(told.usage), _told_at(told.calls)
    counts = {}
    for one in listed:
        counter = counters[one.counter]
        places = list(_asked_at(counter, one))
        for place in places:
            family = (*place, counter.embeddings)
            voice = (*family, counter.family, counter.model)
            teller = counter.trust, counter.teller
            if (
                place in used
                or families.get(family, counter.rank) < counter.rank
                or tellers.get(voice, teller) < teller
            ):
                break
        else:
            counts[one.counter, one.read_at] = called.isdisjoint(places)
    return counts


_ANY: Final = -1
"""In the place of a session: whichever."""

_Place = tuple[datetime, int, int]
"""Hour, service, and session, NO_SESSION or _ANY."""


def _heard_at(counter: TokenCounter, one: Metered) -> Iterator[_Place]:
    for hour in hours_between(*one.hours):
        yield hour, counter.service, counter.session
        yield hour, counter.service, _ANY


def _asked_at(counter: TokenCounter, one: Metered) -> Iterator[_Place]:
    """Where others speak of the same: who names no session may speak of any."""
    for hour in hours_between(*one.hours):
        if counter.session == NO_SESSION:
            yield hour, counter.service, _ANY
        else:
            yield hour, counter.service, counter.session
            yield hour, counter.service, NO_SESSION
        if counter.serves:
            yield hour, ANYONE, model_kin(counter.model)


def _told_at(told: Mapping[datetime, Collection[Told]]) -> set[_Place]:
    places: set[_Place] = set()
    for hour, tellers in told.items():
        for service, session in tellers:
            places |= {(hour, service, session), (hour, service, _ANY)}
    return places
