"""A week in short: what was spent against the week before, by whom, on what, and what grew."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from spend.money import EXACT
from spend.owners import IDLE, UNUSED
from spend.periods import Period, day_start, local_day
from spend.statements.statement_sides import exact_sum
from spend.totals import Totals, together

HOUR: Final = 8
"""Of Monday, by the wall clock of the zone: when the digest of the last week is due."""
TOO_OLD: Final = timedelta(days=3)
"""So long after it was due nobody wants it any more."""
LONGEST: Final = 5
"""Lines of a table."""

_DAY: Final = timedelta(days=1)
_WEEK: Final = timedelta(days=7)

Key = tuple[str | None, ...]
"""Team, provider, model."""


@dataclass(frozen=True, slots=True)
class Week:
    """A week of a zone, from Monday to Monday, and the one before it."""

    name: str
    """By ISO 8601: 2026-W47."""
    period: Period
    before: Period
    due: datetime
    """When its digest is (UTC)."""

    def is_due(self, now: datetime) -> bool:
        """Whether its digest is to be sent at a moment."""
        return self.due <= now < self.due + TOO_OLD


def last_week(now: datetime, zone: ZoneInfo) -> Week:
    """The last week that was over at a moment (UTC)."""
    today = local_day(now, zone)
    monday = today - today.weekday() * _DAY
    first = monday - _WEEK
    year, number, _day = first.isocalendar()
    starts, ends = day_start(first, zone), day_start(monday, zone)
    due = datetime.combine(monday, time(HOUR), tzinfo=zone).astimezone(UTC)
    before = Period(day_start(first - _WEEK, zone), starts)
    return Week(f"{year}-W{number:02d}", Period(starts, ends), before, due)


@dataclass(frozen=True, slots=True)
class Compared:
    """What something cost in a week and in the one before, exact; None: nothing of it is known."""

    name: str
    now: Decimal | None
    before: Decimal | None

    @property
    def difference(self) -> Decimal:
        """By how much it is more: what is not known counts as nothing."""
        return EXACT.subtract(self.now or Decimal(0), self.before or Decimal(0))


@dataclass(frozen=True, slots=True)
class SpentInWeek:
    """The money of a week, of all teams or of some."""

    total: Compared
    teams: tuple[Compared, ...]
    """The dearest first, as the next two; each at most LONGEST."""
    providers: tuple[Compared, ...]
    models: tuple[Compared, ...]
    grew: tuple[Compared, ...]
    """Of teams' models those that cost most more than before."""
    idle: Decimal
    """What of it nobody used: idle capacity, and what was committed to."""
    calls: int
    unpriced_calls: int
    unpriced_tokens: int
    unpriced_models: tuple[str, ...]
    """Of which most is unpriced, the most first."""


def spent_in_week(
    now: Mapping[Key, Totals],
    before: Mapping[Key, Totals],
    teams: Collection[str] = (),
) -> SpentInWeek:
    """What groups by team, provider and model come to; of some teams, or of all where none is said.

    Groups add up exactly: the total is what /v1/spend says of the same time.
    """
    wanted = frozenset(teams)
    now = {key: each for key, each in now.items() if not wanted or key[0] in wanted}
    before = {key: each for key, each in before.items() if not wanted or key[0] in wanted}
    whole = together(now.values())
    by_team, by_provider, by_model = (
        _compared(now, before, position) for position in ((0,), (1,), (1, 2))
    )
    grown = [each for each in _compared(now, before, (0, 2)) if each.difference > 0]
    unpriced = {key: each for key, each in now.items() if each.lacks_price}
    lacking = sorted(unpriced, key=lambda key: (-unpriced[key].unpriced_tokens, str(key)))
    idle = [each.cost for key, each in now.items() if key[0] in {IDLE, UNUSED} and each.cost]
    return SpentInWeek(
        total=Compared("", _known(whole), _known(together(before.values()))),
        teams=by_team[:LONGEST],
        providers=by_provider[:LONGEST],
        models=by_model[:LONGEST],
        grew=tuple(sorted(grown, key=lambda each: (-each.difference, each.name))[:LONGEST]),
        idle=exact_sum(idle),
        calls=whole.calls,
        unpriced_calls=whole.unpriced_calls,
        unpriced_tokens=whole.unpriced_tokens,
        unpriced_models=tuple(dict.fromkeys(_name(key, (1, 2)) for key in lacking)),
    )


def _known(whole: Totals) -> Decimal | None:
    """What all of it cost: nothing where nothing was called; None where no price is known."""
    return whole.cost if whole.cost is not None or whole.lacks_price else Decimal(0)


def _compared(
    now: Mapping[Key, Totals], before: Mapping[Key, Totals], by: tuple[int, ...]
) -> tuple[Compared, ...]:
    """Sums by some parts of the key, the dearest first; without what cost nothing in both."""
    sides = []
    for groups in (now, before):
        sums: defaultdict[str, list[Totals]] = defaultdict(list)
        for key, each in groups.items():
            sums[_name(key, by)].append(each)
        sides.append({name: together(each).cost for name, each in sums.items()})
    this, last = sides
    found = [Compared(name, this.get(name), last.get(name)) for name in {**this, **last}]
    there = [each for each in found if each.now or each.before]
    return tuple(sorted(there, key=lambda each: (-(each.now or Decimal(0)), each.name)))


def _name(key: Key, by: tuple[int, ...]) -> str:
    return " ".join(key[position] or "(none)" for position in by)
