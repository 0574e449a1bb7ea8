"""Measures a rule, so that its trouble is its own."""

from dataclasses import dataclass
from datetime import datetime
from textwrap import shorten
from typing import Final

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from spend.alerts.alert_rules import Measured, Rule
from store.watched.kinds import MEASURES, Measure

MOST_SUBJECTS: Final = 2000
"""That one rule may be split into: more are of no use to a reader."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What was found of a rule, or why nothing was."""

    rule: Rule
    measured: list[Measured]
    error: str | None = None
    """For people, in a line."""
    cause: Exception | None = None


def attempt(
    session: Session, tenant: int, rule: Rule, now: datetime, by: Measure | None = None
) -> Attempt:
    """Measures a rule at ``now``, in a savepoint. Raises only where the database is away.

    ``by``: in the place of its kind's function.
    """
    try:
        with session.begin_nested():
            measured = (by or MEASURES[rule.terms.kind])(session, tenant, rule, now)
    except Exception as error:  # noqa: BLE001  # one rule's trouble must not silence the others
        return failed(rule, error)
    if len(measured) > MOST_SUBJECTS:
        many = f"it is split into {len(measured):,} subjects, more than {MOST_SUBJECTS:,}"
        return Attempt(rule, [], many)
    return Attempt(rule, measured)


def failed(rule: Rule, error: Exception) -> Attempt:
    """An attempt that raised; raises the error again where the database is away."""
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        raise error
    cause = getattr(error, "orig", None) or error
    why = shorten(f"{type(cause).__name__}: {cause}", 300, placeholder=" …")
    return Attempt(rule, [], why, error)
