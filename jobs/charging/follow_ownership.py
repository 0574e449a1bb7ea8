"""Follows the ownership rules in force: charges and usage pass to who pays, in bounded steps.

A new version of the rules can concern years. What it changes is moved from the past on, a stretch
of time in one transaction, together with the table ``payers`` that the reports read usage by. What
is left to do is always the difference between the rules and that table, so it may be killed
anywhere, and be overtaken by a newer version.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from jobs.context import JobContext
from spend.ownership.ownership import FIRST, LAST, Term, differing, switched
from spend.ownership.ownership_files import Ownership
from store import parties, waiting
from store.ledger import payer_moves, split_days
from store.ownership import eras, ownership, payers
from store.ownership.ownership import Version
from store.ownership.payers import Terms
from store.tenants import TENANT

CHARGES_AT_ONCE: Final = 100_000
"""Charges of one transaction: some seconds' work, at most a day's."""


def follow(context: JobContext) -> int:
    """Makes payers and charges what the rules in force say; returns the lines posted."""
    lines = 0
    while True:
        with context.database.read() as session:
            version = ownership.in_force(session, TENANT)
            if version is None or version.followed_at is not None:
                return lines
            to_do = _differences(session)
            cuts = _cuts(session, to_do) if to_do else []
        start = FIRST
        for end in [*cuts, LAST] if to_do else []:
            with context.database.write() as session:
                waiting.lock_ledger(session)
                if not _is_in_force(session, version):
                    break
                lines += _switch(session, context, to_do, start, end)
            context.progress(f"{lines:,} lines posted for {len(to_do):,} owners who pay anew")
            start = end
        with context.database.write() as session:
            waiting.lock_ledger(session)
            # Somebody new may have been heard, or a newer version applied: then once more.
            if _is_in_force(session, version) and not _differences(session):
                _conclude(session, version, context.now)


def _is_in_force(session: Session, version: Version) -> bool:
    now = ownership.in_force(session, TENANT)
    return now is not None and now.version == version.version


def _differences(session: Session) -> dict[int, tuple[Term, ...]]:
    """Owners for whom others are to pay than the reports have it, with their new terms."""
    are = payers.terms(session, TENANT)
    heard = parties.owners_of(session, TENANT)
    held = eras.eras(session, TENANT)
    to_be = {id_: eras.terms_in(held, owner) for id_, owner in heard.items()}
    return {id_: terms for id_, terms in to_be.items() if terms != are.get(id_, ())}


def _cuts(session: Session, to_do: Terms) -> list[datetime]:
    are = payers.terms(session, TENANT, list(to_do))
    times = [each for id_, new in to_do.items() for each in differing(are.get(id_, ()), new)]
    start, end = min(each[0] for each in times), max(each[1] for each in times)
    return payer_moves.stretches(session, TENANT, start, end, at_most=CHARGES_AT_ONCE)


def _switch(
    session: Session,
    context: JobContext,
    to_do: Terms,
    start: datetime,
    end: datetime,
) -> int:
    """Lets the rules hold up to ``end``; they do up to ``start``."""
    are = payers.terms(session, TENANT, list(to_do))
    new = {id_: switched(are.get(id_, ()), terms, end) for id_, terms in to_do.items()}
    times = [each for id_, terms in new.items() for each in differing(are.get(id_, ()), terms)]
    payers.write(session, TENANT, new)
    if not times:
        return 0
    begins, ends = min(each[0] for each in times), max(each[1] for each in times)
    begins, ends = max(begins, start), min(ends, end)
    split_days.mark_between(session, TENANT, begins, ends)
    return payer_moves.move(session, TENANT, begins, ends, now=context.posted_at(session))


def _conclude(session: Session, version: Version, now: datetime) -> None:
    before = ownership.followed(session, TENANT)
    times = _split_anew(before.said if before else None, version.said)
    if times is not None:
        split_days.mark_between(session, TENANT, *times)
    ownership.is_followed(session, TENANT, version.version, now)


def _split_anew(before: Ownership | None, after: Ownership) -> tuple[datetime, datetime] | None:
    """The time (UTC) in which other splits hold than before."""
    old = before.splits if before else ()
    zones = {each.timezone for each in (before, after) if each is not None and each.splits}
    if old == after.splits and len(zones) < 2:  # noqa: PLR2004 - the same zone
        return None
    changed = [*old, *after.splits]
    if len(zones) == 1 and _in_order(old, after.splits):
        changed = [each for each in changed if (each in old) != (each in after.splits)]
    return min(each.valid_from for each in changed), max(each.valid_to for each in changed)


def _in_order(old: Sequence[object], new: Sequence[object]) -> bool:
    return [each for each in old if each in new] == [each for each in new if each in old]
