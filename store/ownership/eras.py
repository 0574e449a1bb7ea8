"""Which version of the ownership rules holds for which time.

The version in force holds for open time. For time whose books are closed it is the one that was in
force when they were: who paid has paid, and what comes late for it goes by the same rules.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.orm import Session

from spend.calls import Owner
from spend.ownership.ownership import FIRST, LAST, Term, joined, terms_of
from spend.ownership.ownership_files import Ownership
from store import closing
from store.ownership import ownership
from store.ownership.ownership import Version


@dataclass(frozen=True, slots=True)
class Era:
    """A time (UTC, half-open), and what held in it."""

    start: datetime
    end: datetime
    version: Version | None
    """None: there were no rules."""

    @property
    def said(self) -> Ownership:
        """The rules and splits."""
        return Ownership("UTC") if self.version is None else self.version.said


def eras(session: Session, tenant: int) -> list[Era]:
    """All of time, in order; no two neighbours have the same version."""
    closed = closing.closed_times(session, tenant)
    every = ownership.in_force_at(session, tenant, [each.closed_at for each in closed])
    found: list[Era] = []
    ends = [*(each.end for each in closed), LAST]
    for end, version in zip(ends, [*every, ownership.in_force(session, tenant)], strict=True):
        if found and found[-1].version == version:
            found[-1] = replace(found[-1], end=end)
        else:
            found.append(Era(found[-1].end if found else FIRST, end, version))
    return found


def terms_in(held: list[Era], owner: Owner) -> tuple[Term, ...]:
    """The times in which somebody else pays for an owner's calls, by the rules of each era."""
    return joined(
        replace(term, start=max(term.start, era.start), end=min(term.end, era.end))
        for era in held
        for term in terms_of(era.said.rules, owner)
        if term.start < era.end and term.end > era.start
    )


def era_of(held: list[Era], moment: datetime) -> Era:
    """The one of all eras that a moment (UTC) is in."""
    return next(each for each in held if moment < each.end)
