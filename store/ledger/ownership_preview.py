"""What other rules would change of a past period. Reads only."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from spend.ownership.ownership_files import Ownership
from spend.ownership.ownership_preview import Share, by_team, decided, moved, whole_days
from spend.periods import Period
from store import closing
from store.ledger import split_days
from store.ownership import ownership

MOST_ROWS: Final = 200_000
"""Owners, routes and pieces of time that a preview is made of: a second's work or two."""


class ClosedError(ValueError):
    """The ledger does not move any more before a moment: ask from there on."""

    def __init__(self, closed_to: datetime) -> None:
        super().__init__(
            f"the ledger is closed before {closed_to:%Y-%m-%dT%H:%MZ}: no rule changes it there"
        )


@dataclass(frozen=True, slots=True)
class Preview:
    """Who would pay what of a period."""

    before: dict[str, Share]
    """By team, under the rules in force."""
    after: dict[str, Share]
    decided: dict[str, Share]
    """By rule: what it decides of the period."""
    moved: dict[tuple[str, str], Share]
    """From whom to whom, by the rules; splits are in ``before`` and ``after`` alone."""
    elsewhere: tuple[str, ...] = ()
    """Other currencies with charges in the period: they pass likewise, and are in no figure."""

    @property
    def teams(self) -> list[str]:
        """Everybody who pays before or after: whose share changes most comes first."""

        def change(team: str) -> tuple[object, ...]:
            before, after = self.of(team)
            return -abs(after.cost - before.cost), -abs(after.calls - before.calls), team

        return sorted({*self.before, *self.after}, key=change)

    def of(self, team: str) -> tuple[Share, Share]:
        """What a team pays before and after."""
        return self.before.get(team, Share()), self.after.get(team, Share())


def preview(
    session: Session,
    tenant: int,
    said: Ownership,
    period: Period,
    *,
    currency: str,
    now: datetime,
) -> Preview:
    """The difference that applying ``said`` makes to a period (UTC), of what is in the ledger.

    Raises ClosedError where the period begins in closed time, TooManyRowsError
    (store/breakdowns/grouping.py) where it is too long for what was used in it.
    """
    closed_to = closing.open_from(session, tenant)
    if closed_to is not None and period.start < closed_to:
        raise ClosedError(closed_to)
    version = ownership.in_force(session, tenant)
    held = Ownership(said.timezone) if version is None else version.said
    wide = [whole_days(each, period) for each in (held, said)]
    start, end = min(each.start for each in wide), max(each.end for each in wide)
    bounds = {period.start, period.end, *held.bounds(start, end), *said.bounds(start, end)}
    found = split_days.used(
        session, tenant, bounds - {end}, end, currency=currency, at_most=MOST_ROWS
    )
    return Preview(
        before=by_team(held, found, period, now),
        after=by_team(said, found, period, now),
        decided=decided(said, found, period),
        moved=moved(held, said, found, period),
        elsewhere=tuple(
            code
            for code in split_days.currencies(session, tenant, period.start, period.end)
            if code != currency
        ),
    )
