"""How often the kind ``anomaly`` is wrong, and how soon it is right: on the demo's company.

Its workloads have a weekly rhythm and exchanges of very different sizes; besides, each has days on
which it does more or less. The clock goes back among the clean days. No database: what is tried is
the rule at its default settings, as the job asks it each hour.
"""

import random
import statistics
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

from app.demo.chance import chance_of
from app.demo.company import WORKLOADS
from app.demo.traffic import Call, plan_between
from bench.table import Row
from spend.alerts.anomalies import Piece, drivers, judged
from spend.alerts.rule_kinds import KINDS
from spend.alerts.same_hours import can_be_compared, last_hours, weeks_before
from spend.periods import Period

CLEAN_DAYS: Final = 30
SEEDS: Final = (1, 2, 3, 4, 5)
RISES: Final = 200
"""For each seed; of those the ones that are worth a message."""
TIMES: Final = 3
MINIMUM: Final = 50
"""USD: what the rule is told to be worth a message, of some 50,000 a month."""
SCATTER: Final = 0.15
"""Of a team's days, as a deviation of their logarithm."""
SCALE: Final = 20
"""Times the demo's exchanges: some 25,000 on a working day."""
A_MONTH: Final = 50_000
"""USD."""

_KIND: Final = KINDS["anomaly"]
_SENSITIVITY: Final = Decimal(str(_KIND.settings["sensitivity"].default))
_RATIO: Final = Decimal(str(_KIND.settings["ratio"].default))
_WEEKS: Final = int(_KIND.settings["weeks"].default)
_WINDOW: Final = _KIND.window_minutes // 60
_HOUR: Final = timedelta(hours=1)
_ATOMS: Final = 10**12
_SAMPLED: Final = timedelta(days=5)
_SATURDAY: Final = 5
_SLOW: Final = 0.6
_ZONE: Final = ZoneInfo("Europe/Berlin")
# From some weeks before the clock goes back on the 25th of October.
_CLEAN: Final = datetime(2026, 10, 5, tzinfo=UTC)
_FIRST: Final = _CLEAN - timedelta(days=_WEEKS * 7 + 2)
_LAST: Final = _CLEAN + timedelta(days=CLEAN_DAYS)

Names = tuple[tuple[str, str], ...]
"""Dimension and value; the first is the team."""


@dataclass(frozen=True, slots=True)
class _Company:
    """Hours of spend, in 1e-12: an hour is a place from _FIRST on."""

    by_names: Mapping[Names, Sequence[int]]

    def of_team(self, team: str) -> dict[Names, Sequence[int]]:
        return {names: hours for names, hours in self.by_names.items() if names[0][1] == team}

    @property
    def teams(self) -> list[str]:
        return sorted({names[0][1] for names in self.by_names})


def measure() -> list[Row]:
    """Wrong alarms of clean days, hours until a rise is told, and whether its reason is named."""
    judgements = wrong = missed = named = told = 0
    hours: list[int] = []
    for seed in SEEDS:
        company = _company(seed)
        for team in company.teams:
            series = _summed(company.of_team(team).values())
            alarms = [_stands_out(series, now) for now in _each_hour()]
            judgements += len(alarms)
            # One that goes on is one message.
            wrong += alarms[0] + sum(one and not before for before, one in pairwise(alarms))
        for found in _rises(company, chance_of(f"{seed}/rises")):
            told += 1
            missed += found.hours is None
            hours += [found.hours] if found.hours is not None else []
            named += found.is_named
    late = statistics.quantiles(hours, n=10, method="inclusive")[-1]
    return [
        Row(
            "anomaly_wrong",
            f"alarms in {CLEAN_DAYS} clean days",
            wrong,
            "alarms",
            f"{judgements:,} hours of teams judged, {len(SEEDS)} companies",
            at_most=0,
        ),
        Row(
            "anomaly_hours",
            f"hours until a rise to {TIMES} times is told",
            late,
            "h",
            f"of {told} rises 9 in 10, half within {statistics.median(hours):g}; {missed} missed",
            at_most=3,
        ),
        Row(
            "anomaly_named",
            "rises whose feature or model is named first",
            100 * named / max(told - missed, 1),
            "%",
            f"{named} of {told - missed}",
            at_least=90,
        ),
    ]


@dataclass(frozen=True, slots=True)
class _Found:
    hours: int | None
    is_named: bool


def _rises(company: _Company, chance: random.Random) -> Iterator[_Found]:
    """From some hour on, one feature (or where there is none, a model) costs so many times more.

    Only where that is worth a message: by the minimum, and as it makes the team's spend threefold.
    """
    for _ in range(RISES):
        team = chance.choice(company.teams)
        pieces = company.of_team(team)
        dimension = "feature" if any("feature" in dict(names) for names in pieces) else "model"
        value = chance.choice(sorted({dict(names)[dimension] for names in pieces}))
        start = chance.randrange(24, CLEAN_DAYS * 24 - 24) + _place(_CLEAN)
        series = _summed(pieces.values())
        usual = sum(series[start : start + _WINDOW])
        its = [hours for names, hours in pieces.items() if dict(names)[dimension] == value]
        base = sum(sum(hours[start : start + _WINDOW]) for hours in its)
        if base * 10 < usual or (TIMES - 1) * usual < 2 * MINIMUM * _ATOMS:
            continue
        # The team's spend is to be threefold, all of it by the one feature.
        grown = {
            names: [
                each + each * (TIMES - 1) * usual // base if place >= start else each
                for place, each in enumerate(hours)
            ]
            if dict(names)[dimension] == value
            else hours
            for names, hours in pieces.items()
        }
        risen = _summed(grown.values())
        later = (start + number for number in range(1, 25))
        at = next((place for place in later if _stands_out(risen, _moment(place))), None)
        yield _Found(
            None if at is None else at - start,
            at is not None and _first_driver(grown, _moment(at)) == (dimension, value),
        )


def _first_driver(pieces: Mapping[Names, Sequence[int]], now: datetime) -> tuple[str, str] | None:
    window, past = _windows(now)
    found = drivers(
        Piece(
            dict(names[1:]),
            _in(hours, window),
            tuple(_in(hours, each) for each in past),
        )
        for names, hours in pieces.items()
    )
    return (found[0].dimension, found[0].value) if found else None


def _stands_out(series: Sequence[int], now: datetime) -> bool:
    window, past = _windows(now)
    if not can_be_compared(window, _ZONE):
        return False
    found = judged(
        _in(series, window),
        [_in(series, each) for each in past],
        sensitivity=_SENSITIVITY,
        ratio=_RATIO,
    )
    return found is not None and found.stands_out and found.excess >= MINIMUM


_KNOWN: Final[dict[datetime, tuple[Period, list[Period]]]] = {}


def _windows(now: datetime) -> tuple[Period, list[Period]]:
    if now not in _KNOWN:
        window = last_hours(now, _WINDOW, _ZONE)
        _KNOWN[now] = (window, weeks_before(window, _WEEKS, _ZONE))
    return _KNOWN[now]


def _in(series: Sequence[int], period: Period) -> int:
    return sum(series[_place(period.start) : _place(period.end)])


def _place(moment: datetime) -> int:
    return (moment - _FIRST) // _HOUR


def _moment(place: int) -> datetime:
    return _FIRST + place * _HOUR


def _each_hour() -> Iterator[datetime]:
    for place in range(_place(_CLEAN), _place(_LAST)):
        yield _moment(place)


def _summed(series: Iterable[Sequence[int]]) -> list[int]:
    return [sum(hour) for hour in zip(*series, strict=True)]


def _company(seed: int) -> _Company:
    """Each workload's rhythm is that of the zone's clock; an exchange costs as one of its plan."""
    chance = chance_of(f"{seed}/spend")
    spent: defaultdict[Names, list[int]] = defaultdict(lambda: [0] * _place(_LAST))
    priced = _priced(seed)
    for work in WORKLOADS:
        weights, weekend = work.rhythm.value
        mood: dict[date, float] = {}
        for place in range(_place(_LAST)):
            local = _moment(place).astimezone(_ZONE)
            if local.date() not in mood:
                mood[local.date()] = chance.lognormvariate(0, SCATTER)
            share = weights[local.hour] / sum(weights)
            share *= weekend if local.weekday() >= _SATURDAY else 1
            expected = work.per_working_day * SCALE * share * mood[local.date()]
            for names, cost in chance.choices(
                priced[work.service], k=int(expected + chance.random())
            ):
                spent[names][place] += cost
    whole = sum(map(sum, spent.values())) * 30 * 24 // _place(_LAST)
    return _Company(
        {
            names: [each * A_MONTH * _ATOMS // whole for each in hours]
            for names, hours in spent.items()
        }
    )


def _priced(seed: int) -> dict[str, list[tuple[Names, int]]]:
    """What exchanges of each service cost, of some working days: in no currency."""
    found: defaultdict[str, list[tuple[Names, int]]] = defaultdict(list)
    for _hour, exchanges in plan_between(_FIRST, _FIRST + _SAMPLED, seed=seed, scale=1):
        for exchange in exchanges:
            said = {
                "team": exchange.workload.team or "unallocated",
                "feature": exchange.feature,
                "model": exchange.calls[0].model.answers_as,
                "customer": exchange.customer,
                "service": exchange.workload.service,
                "project": exchange.workload.project,
            }
            names = tuple((name, value) for name, value in said.items() if value)
            found[exchange.workload.service].append((names, sum(map(_cost, exchange.calls))))
    return found


def _cost(call: Call) -> int:
    """As prices are mostly: output costs five times what input does, and that ten times a cache's.

    The slower models are the dearer ones.
    """
    dear = 8 if call.model.first_token_s > _SLOW else 1
    return dear * (10 * call.input + call.cache_read + 50 * call.output)
