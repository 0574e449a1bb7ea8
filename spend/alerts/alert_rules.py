"""Alert rules: what is watched besides budgets, and what one measuring of it found.

A rule has versions, as a budget has. What its kind measures and by which settings is said in
``spend/alerts/rule_kinds.py``; ``spend/alerts/rule_terms.py`` makes its terms, or refuses them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from operator import attrgetter
from typing import Any, Final

from spend.budgets.budgets import Filter

OK: Final = "ok"
WARNING: Final = "warning"
OVER: Final = "over"
NO_DATA: Final = "no data"

Value = int | Decimal | str
"""A setting of a kind: a whole number, an exact one, or one of some words."""


@dataclass(frozen=True, slots=True)
class RuleTerms:
    """What a rule says."""

    name: str
    kind: str
    """One of ``spend.alerts.rule_kinds.KINDS``."""
    filter: Filter
    """Dimension -> values, as of budgets; empty: everything."""
    by: tuple[str, ...]
    """Dimensions that split what is measured into subjects, each with a state of its own."""
    window_minutes: int
    """How much time is looked at."""
    warning: Decimal | None
    """From this value on it is a warning; in the unit of the kind."""
    over: Decimal | None
    """From this value on it is over."""
    minimum: Decimal
    """With less than this (the kind says of what) nothing is concluded."""
    recover_minutes: int
    """So long it must be good, in at least two measurings, to have recovered; 0: at once."""
    settings: Mapping[str, Value]
    """What the kind has of its own, each setting with a value."""
    owner: str | None = None
    """Whom to ask about it."""
    channel_ids: tuple[int, ...] = ()
    """Where to tell it; none: where its team's, or all, messages go."""
    remind_hours: int | None = None
    """Who is still over is reminded after so many hours; None: never."""

    @property
    def window(self) -> timedelta:
        """How much time is looked at."""
        return timedelta(minutes=self.window_minutes)

    def measures_like(self, other: "RuleTerms") -> bool:
        """Whether an open crossing of the one is one of the other: all but the bounds is alike."""
        measures = attrgetter("kind", "filter", "by", "window_minutes", "minimum", "settings")
        return bool(measures(self) == measures(other))


@dataclass(frozen=True, slots=True)
class Rule:
    """One version of a rule, in force from ``created_at`` to ``replaced_at`` (UTC)."""

    id: int
    version: int
    terms: RuleTerms
    created_at: datetime
    replaced_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """What was found of one subject."""

    subject: str
    """Such as ``team=search`` (``subject_of``); '': all that the rule looks at."""
    value: Decimal | None
    """What the bounds are compared with; None: there is no data, or too little."""
    unit: str
    """Of the value: percent, ms, minutes, hours, calls, tokens, or a currency's code."""
    start: datetime
    """Of the time that was looked at (UTC, inclusive)."""
    end: datetime
    """Its end (UTC): everything heard before is in it."""
    negligible: bool = False
    """True: too little is at stake, so that it is good whatever its value."""
    facts: tuple[tuple[str, str], ...] = ()
    """For people, beside value, bound and time: label and text, such as the largest drivers."""
    detail: Mapping[str, Any] = field(default_factory=dict)
    """For programs: JSON, amounts as exact strings."""
    team: str | None = None
    """Whom it concerns, where it is of one team alone and the rule's filter does not say so."""


def level_of(terms: RuleTerms, measured: Measured) -> str:
    """How bad it is: OK, WARNING, OVER or NO_DATA. Exactly at a bound is reached."""
    if measured.value is None:
        return NO_DATA
    if measured.negligible:
        return OK
    if terms.over is not None and measured.value >= terms.over:
        return OVER
    if terms.warning is not None and measured.value >= terms.warning:
        return WARNING
    return OK


def subject_of(said: Mapping[str, str | None]) -> str:
    """A subject's name from what its dimensions say: ``team=search, model=gpt-4o``."""
    return ", ".join(f"{name}={value or '(none)'}" for name, value in said.items())
