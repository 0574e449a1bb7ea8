"""What was called and has no price, from sums of days: how much, whose, and since which day."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import func
from sqlalchemy.orm import Session

from spend.meters import METER_NAMES
from spend.periods import Period
from store.breakdowns.dimensions import NOT_SAID, Question
from store.breakdowns.grouping import Key, Part, added_up
from store.spending.booked_lines import TAKEN_IN
from store.spending.by_days import by_days

_UTC: Final = ZoneInfo("UTC")
_COUNTS: Final = ("unpriced_calls", "unmetered_calls", "unpriced_tokens", *METER_NAMES)
_MOST: Final = 200_000


@dataclass(slots=True)
class UnpricedModel:
    """A model with calls of unknown cost."""

    provider: str | None
    model: str | None
    calls: int = 0
    """Of known usage that no price line is for."""
    silent: int = 0
    """That did not say what they used."""
    tokens: int = 0
    """Of the former."""
    usage: dict[str, int] = field(default_factory=dict)
    """By meter, of all of its calls on days with such ones."""
    teams: dict[str | None, int] = field(default_factory=dict)
    """Who pays for them: team -> calls, silent ones too."""
    first: date | None = None
    """Day (UTC) of the first one."""
    last: date | None = None


def unpriced_by_days(session: Session, tenant: int, period: Period) -> list[UnpricedModel]:
    """Models with calls of unknown cost in a time (UTC), those with most first.

    Calls that the charge job has not looked at are left out: nothing is known of them yet.
    """
    rows = by_days(session, TAKEN_IN, tenant, period)
    part = Part(rows, {name: func.sum(rows.c[name]) for name in _COUNTS})
    whole = Question(period, _UTC, ("provider", "model"))
    named = {
        key
        for key, row in added_up(session, whole, tenant, (part,))
        if row.unpriced_calls > 0 or row.unpriced_tokens > 0
    }
    if not named:
        return []
    by_day = Question(
        period,
        _UTC,
        ("day", "team", "provider", "model"),
        {
            "provider": tuple({provider or NOT_SAID for provider, _model in named}),
            "model": tuple({model or NOT_SAID for _provider, model in named}),
        },
    )
    found: defaultdict[Key, list[tuple[Key, dict[str, int]]]] = defaultdict(list)
    for key, row in added_up(session, by_day, tenant, (part,), most=_MOST):
        counts = {name: int(getattr(row, name)) for name in _COUNTS}
        if counts["unpriced_calls"] > 0 or counts["unpriced_tokens"] > 0:
            found[_model(by_day, key)].append((key, counts))
    models = [_added(by_day, name, days) for name, days in found.items() if name in named]
    return sorted(models, key=lambda each: (-each.calls - each.silent, str(each.model)))


def _model(question: Question, key: Key) -> Key:
    told = dict(zip(question.group_by, key, strict=True))
    return told["provider"], told["model"]


def _added(question: Question, name: Key, days: list[tuple[Key, dict[str, int]]]) -> UnpricedModel:
    it = UnpricedModel(name[0], name[1], usage=dict.fromkeys(METER_NAMES, 0))
    for key, counts in days:
        told = dict(zip(question.group_by, key, strict=True))
        unknown = counts["unpriced_calls"]
        silent = min(counts["unmetered_calls"], unknown)
        it.calls += unknown - silent
        it.silent += silent
        it.tokens += counts["unpriced_tokens"]
        it.teams[told["team"]] = it.teams.get(told["team"], 0) + unknown
        for meter in METER_NAMES:
            it.usage[meter] += counts[meter]
        day = date.fromisoformat(str(told["day"]))
        it.first = day if it.first is None else min(it.first, day)
        it.last = day if it.last is None else max(it.last, day)
    return it
