"""Remembers commitments: what was agreed, as it was known when."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, insert, or_, select, update
from sqlalchemy.orm import Session

from spend.commitments.commitments import Commitment
from store import audit, waiting
from store.tables.commitments import commitments

_SAID: Final = (
    "name",
    "kind",
    "amount",
    "paid",
    "currency",
    "period",
    "valid_from",
    "valid_to",
    "source",
    "reference",
    "entered_by",
)


class CommitmentHeldError(ValueError):
    """There is another commitment of that name at that time: withdraw it, or apply a file."""

    def __init__(self, said: Commitment, held: Commitment) -> None:
        self.said = said
        self.held = held
        super().__init__(
            f"there is a commitment called {held.name!r} (id {held.id}) at that time,"
            f" from {held.valid_from:%Y-%m-%dT%H:%MZ}"
        )


def _commitment(row: Row[Any]) -> Commitment:
    return Commitment(
        **{name: getattr(row, name) for name in _SAID},
        match={dimension: tuple(values) for dimension, values in row.match.items()},
        known_from=row.known_from,
        known_to=row.known_to,
        id=row.id,
    )


def all_commitments(session: Session, tenant: int) -> list[Commitment]:
    """Every commitment, also those withdrawn or replaced, in the order in which they cover."""
    rows = session.execute(select(commitments).where(commitments.c.tenant_id == tenant))
    return sorted(map(_commitment, rows), key=lambda each: each.order)


def held(session: Session, tenant: int) -> list[Commitment]:
    """The commitments that hold as far as is known now, in the order in which they cover."""
    return [each for each in all_commitments(session, tenant) if each.known_to is None]


def to_settle(session: Session, tenant: int) -> list[int]:
    """Ids of those that hold, or whose lines are still to be taken back, in the same order."""
    wanted = or_(commitments.c.known_to.is_(None), commitments.c.settled_at.is_(None))
    ids = set(
        session.scalars(select(commitments.c.id).where(commitments.c.tenant_id == tenant, wanted))
    )
    return [each.id for each in all_commitments(session, tenant) if each.id in ids]


def one(session: Session, tenant: int, commitment_id: int) -> Commitment | None:
    """A commitment by its id, whether it holds or not; None: there is none."""
    row = session.execute(
        select(commitments).where(
            commitments.c.tenant_id == tenant, commitments.c.id == commitment_id
        )
    ).first()
    return _commitment(row) if row else None


def declare(session: Session, tenant: int, said: Commitment, *, now: datetime) -> Commitment:
    """Adds a commitment; its lines are posted by the next round. Raises CommitmentHeldError."""
    waiting.lock_ledger(session)
    for other in held(session, tenant):
        if other.overlaps(said):
            raise CommitmentHeldError(said, other)
    made = _insert(session, tenant, said, now)
    audit.note(session, tenant, did="declared", **_named(made), after={"terms": said.terms})
    return made


def apply(
    session: Session, tenant: int, said: Sequence[Commitment], *, now: datetime
) -> list[tuple[Commitment, str]]:
    """Makes commitments what ``said`` says, each with 'declared', 'changed' or 'unchanged'.

    One that is there under the same name at the same time is replaced: its lines are taken back,
    those of the new one are posted. Others stay as they are.
    """
    waiting.lock_ledger(session)
    there = held(session, tenant)
    done = []
    for new in said:
        old = [each for each in there if each.overlaps(new)]
        if [each.terms for each in old] == [new.terms]:
            done.append((old[0], "unchanged"))
            continue
        moment = _close(session, tenant, old, now)
        what = "changed" if old else "declared"
        made = _insert(session, tenant, new, moment)
        before = {"replaced": [each.terms for each in old]} if old else None
        audit.note(
            session, tenant, did=what, **_named(made), before=before, after={"terms": new.terms}
        )
        done.append((made, what))
    return done


def withdraw(
    session: Session, tenant: int, commitment_id: int, *, now: datetime
) -> Commitment | None:
    """Says that a commitment was none; its lines are taken back. None: none of that id holds."""
    waiting.lock_ledger(session)
    found = [each for each in held(session, tenant) if each.id == commitment_id]
    if not found:
        return None
    moment = _close(session, tenant, found, now)
    audit.note(
        session, tenant, did="withdrew", **_named(found[0]), before={"terms": found[0].terms}
    )
    return replace(found[0], known_to=moment)


def _named(said: Commitment) -> audit.Subject:
    return {"noun": "commitment", "noun_id": said.id, "name": said.name}


def _insert(session: Session, tenant: int, said: Commitment, moment: datetime) -> Commitment:
    match = {dimension: list(values) for dimension, values in said.match.items()}
    id_ = session.execute(
        insert(commitments)
        .values(
            tenant_id=tenant,
            known_from=moment,
            match=match,
            **{name: getattr(said, name) for name in _SAID},
        )
        .returning(commitments.c.id)
    ).scalar_one()
    return replace(said, id=id_, known_from=moment)


def _close(session: Session, tenant: int, found: Sequence[Commitment], now: datetime) -> datetime:
    """Ends what was known; returns the moment, which is never before the knowledge began."""
    # A clock that was set back must not give knowledge an end before its beginning.
    moment = max([now, *(each.known_from for each in found if each.known_from)])
    ids = [each.id for each in found]
    if ids:
        session.execute(
            update(commitments)
            .where(commitments.c.tenant_id == tenant, commitments.c.id.in_(ids))
            .values(known_to=moment, settled_at=None)
        )
    return moment


def progress(session: Session, tenant: int, commitment_id: int) -> tuple[int, datetime | None]:
    """The last line of the ledger that was seen for it, and when its periods were looked at."""
    row = session.execute(
        select(commitments.c.seen_to, commitments.c.settled_at).where(
            commitments.c.tenant_id == tenant, commitments.c.id == commitment_id
        )
    ).one()
    return row.seen_to or 0, row.settled_at


def seen(session: Session, tenant: int, commitment_id: int, to: int) -> None:
    """Says up to which line of the ledger its usage is taken in."""
    _note(session, tenant, commitment_id, seen_to=to)


def settled(session: Session, tenant: int, commitment_id: int, at: datetime) -> None:
    """Says that the lines of all periods are posted that had begun or ended by then."""
    _note(session, tenant, commitment_id, settled_at=at)


def _note(session: Session, tenant: int, commitment_id: int, **values: int | datetime) -> None:
    session.execute(
        update(commitments)
        .where(commitments.c.tenant_id == tenant, commitments.c.id == commitment_id)
        .values(**values)
    )
