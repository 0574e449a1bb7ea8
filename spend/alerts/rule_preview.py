"""What an alert rule would have told: a walk through past moments, by the time of use.

At each moment it is measured as the job ``watch`` measures it, had it been set when the walk begins
and had everything been known at once.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final, Literal

from spend.alerts.alert_rules import OVER, WARNING, Measured, RuleTerms
from spend.alerts.rule_kinds import KINDS
from spend.alerts.rule_states import Open, State, gone, step
from spend.periods import Period
from spend.slots import SLOT

WHY_NOT: Final = {
    "price-drift": "prices are compared as they are known now",
    "commitment-shortfall": "what is used of a commitment is known as of now alone",
    "commitment-runs-out": "what is used of a commitment is known as of now alone",
    "unpriced": "what had no price then may have one by now",
}
"""Kind -> why the past cannot be asked for it."""

MOST_APART: Final = timedelta(hours=6)
LEAST_APART: Final = timedelta(minutes=30)
_SILENCE: Final = "no-data"
_HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class RuleMessage:
    """Something that a rule would have told."""

    at: datetime
    """UTC."""
    rule: str
    what: Literal["crossed", "recovered", "reminder"]
    level: str
    """WARNING or OVER: of what recovered, what it was."""
    bound: Decimal | None
    """Of the level."""
    measured: Measured


def apart(terms: RuleTerms) -> timedelta:
    """How far apart the moments of a walk are, in whole quarter hours.

    A quarter of the window, from LEAST_APART (or the window, if that is shorter) to MOST_APART; of
    kinds that look at whole hours at least one. Of silence half of what is told of, whatever the
    window.
    """
    wanted = terms.window / 4
    if terms.kind == _SILENCE:
        bound = min(each for each in (terms.warning, terms.over) if each is not None)
        wanted = min(int(bound), terms.window_minutes) * timedelta(minutes=1) / 2
    least = _HOUR if KINDS[terms.kind].step * timedelta(minutes=1) >= _HOUR else SLOT
    wanted = min(max(wanted, LEAST_APART), MOST_APART, terms.window)
    return max(least, wanted // least * least)


def moments(terms: RuleTerms, span: Period) -> Iterator[datetime]:
    """Those of a walk through a time, the first after its start."""
    every = apart(terms)
    now = span.start.astimezone(UTC) + every
    while now <= span.end:
        yield now
        now += every


@dataclass(slots=True)
class Walk:
    """Where a rule's subjects stand in a walk."""

    terms: RuleTerms
    _states: dict[str, State] = field(default_factory=dict)
    _open: dict[str, list[Open]] = field(default_factory=dict)
    _found: dict[str, Measured] = field(default_factory=dict)
    _ids: int = 0

    def __post_init__(self) -> None:
        # What is good at a moment is taken to be so until the next.
        if timedelta(minutes=self.terms.recover_minutes) < apart(self.terms):
            self.terms = replace(self.terms, recover_minutes=0)

    def told(self) -> list[Measured]:
        """What was measured last of the subjects that stand above a bound."""
        return [
            self._found[subject]
            for subject, state in self._states.items()
            if state.state in {WARNING, OVER} and subject in self._found
        ]

    def follow(self, found: Sequence[Measured], now: datetime) -> list[RuleMessage]:
        """What is told of what was measured at a moment, by subject."""
        before = dict(self._states)
        messages = [
            message
            for measured in sorted(found, key=lambda each: each.subject)
            for message in self._follow(measured, now)
        ]
        for subject in before.keys() - {each.subject for each in found}:
            next_ = gone(before[subject], self._open.get(subject, ()), now)
            self._recover(subject, next_.recovers)
            self._keep(subject, next_.state)
        return messages

    def _follow(self, measured: Measured, now: datetime) -> Iterator[RuleMessage]:
        subject = measured.subject
        known = self._open.get(subject, [])
        next_ = step(self.terms, self._states.get(subject), known, measured, now)
        self._found[subject] = measured
        self._keep(subject, next_.state)
        self._recover(subject, next_.recovers)
        if next_.recovers and next_.tells:
            yield self._message("recovered", next_.recovers[0].level, measured, now)
        if next_.opens is not None:
            self._ids += 1
            self._open.setdefault(subject, []).append(Open(self._ids, next_.opens, now))
            yield self._message("crossed", next_.opens, measured, now)
        if next_.reminds is not None:
            place = known.index(next_.reminds)
            known[place] = replace(next_.reminds, reminded_at=now)
            yield self._message("reminder", next_.reminds.level, measured, now)

    def _keep(self, subject: str, state: State | None) -> None:
        if state is None:
            self._states.pop(subject, None)
            self._found.pop(subject, None)
        else:
            self._states[subject] = state

    def _recover(self, subject: str, recovered: Sequence[Open]) -> None:
        ids = {each.id for each in recovered}
        left = [each for each in self._open.get(subject, ()) if each.id not in ids]
        if recovered:
            self._open[subject] = left

    def _message(
        self,
        what: Literal["crossed", "recovered", "reminder"],
        level: str,
        measured: Measured,
        now: datetime,
    ) -> RuleMessage:
        bound = self.terms.over if level == OVER else self.terms.warning
        return RuleMessage(now, self.terms.name, what, level, bound, measured)


@dataclass(frozen=True, slots=True)
class Previewed:
    """What a rule would have told in a time."""

    terms: RuleTerms
    span: Period
    """That was walked through: as far as it got."""
    messages: Sequence[RuleMessage] = ()
    left_out: str | None = None
    """Why it was not looked at, or no further."""
