"""Which time a rule looks at, and what is common to the kinds that look at calls."""

from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from spend.alerts.alert_rules import RuleTerms, subject_of
from spend.periods import Period
from spend.slots import slot_of
from store.breakdowns.dimensions import Question
from store.breakdowns.grouping import Key

_UTC: Final = ZoneInfo("UTC")


def window_to(terms: RuleTerms, until: datetime | None, now: datetime) -> Period | None:
    """A rule's window up to a moment (UTC): its quarter hours, of which the last may be young.

    ``until`` is a moment before which all that was heard is in the sums, not the present one: so
    twins that come late change nothing that was concluded. None: nothing is known of that yet.
    A preview's ``now`` is before it.
    """
    if until is None:
        return None
    end = min(until, now)
    return Period(slot_of(end - terms.window), end)


def asked(terms: RuleTerms, period: Period) -> Question:
    """What a rule looks at in a period, split into its subjects."""
    return Question(period, _UTC, group_by=terms.by, filters=terms.filter)


def named(terms: RuleTerms, key: Key) -> tuple[str, str | None]:
    """A subject's name, and the team that it is of, should it be of one."""
    said = dict(zip(terms.by, key, strict=True))
    return subject_of(said), said.get("team")
