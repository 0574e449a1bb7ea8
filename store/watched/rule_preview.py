"""Measures an alert rule at past moments, one after the other: what it would have told."""

from collections.abc import Iterator
from datetime import datetime
from functools import partial

from sqlalchemy.orm import Session

from spend.alerts.alert_rules import Rule, RuleTerms
from spend.alerts.rule_preview import RuleMessage, Walk, moments
from spend.periods import Period
from store.spending.kept_hours import KeptHours
from store.watched import anomaly
from store.watched.attempts import attempt

_OF_NONE = 0
"""No rule that is kept has it."""


class UnmeasuredError(Exception):
    """A rule could not be measured at a moment."""

    def __init__(self, at: datetime, why: str) -> None:
        super().__init__(f"at {at:%Y-%m-%d %H:%M} UTC it cannot be measured: {why}")


def replayed(
    session: Session, tenant: int, terms: RuleTerms, span: Period
) -> Iterator[tuple[datetime, list[RuleMessage]]]:
    """Each moment of a walk through a time (UTC), with what would have been told at it.

    Raises UnmeasuredError. Nothing is written. Of a kind that is not in WHY_NOT.
    """
    walk = Walk(terms)
    rule = Rule(_OF_NONE, 1, terms, span.start)
    read = KeptHours(terms.by, span.end)
    for now in moments(terms, span):
        # What it told before is in the walk, and not in the database.
        after = (
            partial(anomaly.measured_after, told=walk.told(), read=read)
            if terms.kind == "anomaly"
            else None
        )
        found = attempt(session, tenant, rule, now, after)
        if found.error is not None:
            raise UnmeasuredError(now, found.error) from found.cause
        yield now, walk.follow(found.measured, now)
