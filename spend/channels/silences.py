"""Silences: times in which a budget or an alert rule tells nobody anything.

While one is muted its messages are dropped. While it is snoozed they wait; at the end those that
are still true are sent, and the others dropped. What is dropped says why: nothing is just gone.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from spend.channels.notices import RECOVERED, REMINDER
from spend.checked_fields import TermsRefused, one_line

SNOOZE: Final = "snooze"
MUTE: Final = "mute"

KINDS: Final = (SNOOZE, MUTE)
LONGEST: Final = timedelta(days=366)
LONGEST_REASON: Final = 500


@dataclass(frozen=True, slots=True)
class Silence:
    """One of them. Times are UTC."""

    id: int
    kind: str
    """SNOOZE or MUTE."""
    budget_id: int | None
    rule_id: int | None
    """Of the two, whichever is silent."""
    starts: datetime
    ends: datetime
    """As it was meant."""
    by: str
    reason: str | None = None
    ended_at: datetime | None = None
    """When somebody ended it early."""

    @property
    def until(self) -> datetime:
        """When it ends, or ended."""
        return self.ends if self.ended_at is None else min(self.ends, self.ended_at)

    def holds(self, at: datetime) -> bool:
        """Whether it is in force at a moment."""
        return self.starts <= at < self.until


@dataclass(frozen=True, slots=True)
class SilenceTerms:
    """What somebody says of a silence that is to begin. Made by ``silence_terms``."""

    kind: str
    budget_id: int | None
    rule_id: int | None
    starts: datetime
    ends: datetime
    by: str
    reason: str | None


def silence_terms(
    *,
    kind: str,
    budget_id: int | None = None,
    rule_id: int | None = None,
    ends: datetime,
    by: str,
    reason: str | None = None,
    now: datetime,
) -> SilenceTerms:
    """Terms that make sense, from ``now`` (UTC) on; TermsRefused otherwise."""
    if kind not in KINDS:
        raise TermsRefused("kind", f"one of {', '.join(KINDS)}")
    if (budget_id is None) == (rule_id is None):
        raise TermsRefused("budget_id", "say either a budget or an alert rule")
    if not now < ends <= now + LONGEST:
        raise TermsRefused("until", f"a moment to come, at most {LONGEST.days} days from now")
    said = None if reason is None else one_line(reason, "reason", LONGEST_REASON)
    return SilenceTerms(kind, budget_id, rule_id, now, ends, one_line(by, "by"), said)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message that was not sent yet, and what is known of its alert."""

    kind: str
    """Of its notice."""
    written_at: datetime
    recovered_at: datetime | None
    """Of the alert; None: it has not recovered, or was reached again since."""
    acknowledged_by: str | None = None
    told: bool = True
    """Whether somebody got, or will get, an earlier message of this alert."""
    newer: bool = False
    """Whether a later one of the same kind and alert waits for the same channel."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of it: it is sent, or dropped for a reason, or waits until a moment."""

    dropped: str | None = None
    until: datetime | None = None
    why: str | None = None
    """What it waits for."""


SENT: Final = Fate()


def fate(message: Waiting, silences: Iterable[Silence], now: datetime) -> Fate:
    """What becomes of a message ``now`` (UTC), by all silences of its budget or rule, past too.

    Asked again and again until it is sent or dropped, it answers the same, whatever silences were
    set and ended between: what is dropped was so when it was asked.
    """
    if message.kind == REMINDER and message.acknowledged_by is not None:
        return Fate(dropped=f"acknowledged by {message.acknowledged_by}")
    if message.kind == RECOVERED and not message.told:
        return Fate(dropped="nobody was told before it recovered")
    there = [each for each in silences if each.until > message.written_at]
    holding = [each for each in there if each.holds(now)]
    mutes = [each for each in holding if each.kind == MUTE]
    if mutes:
        return Fate(dropped=f"muted {_said(_last(mutes))}")
    if holding:
        last = _last(holding)
        return Fate(until=last.until, why=waits_for(last))
    over = [each for each in there if each.kind == SNOOZE and each.until <= now]
    return _after(message, _last(over)) if over else SENT


def waits_for(snooze: Silence) -> str:
    """What a message waits for, in words that stay the same when the snooze is ended early."""
    return f"snoozed until {snooze.ends:%Y-%m-%d %H:%M} UTC by {snooze.by}"


def _after(message: Waiting, snooze: Silence) -> Fate:
    """At the end of a snooze: what is no longer true is dropped."""
    said = f"snoozed {_said(snooze)}"
    recovered = message.recovered_at is not None and message.recovered_at <= snooze.until
    if message.kind == RECOVERED:
        again = message.recovered_at is None
        return Fate(dropped=f"{said}, and reached again meanwhile") if again else SENT
    if recovered:
        return Fate(dropped=f"{said}, and recovered meanwhile")
    if message.kind == REMINDER and message.newer:
        return Fate(dropped=f"{said}: a later message says it")
    return SENT


def _last(silences: Iterable[Silence]) -> Silence:
    return max(silences, key=lambda each: (each.until, each.id))


def _said(silence: Silence) -> str:
    return f"until {silence.until:%Y-%m-%d %H:%M} UTC by {silence.by}"
