"""Who pays for an owner's calls, as the rules in force come to; and the charges that follow them.

The table ``payers`` holds only what differs from the owner itself, so it is empty without rules.
It changes in the transaction that moves the charges: a report never sees one without the other.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    and_,
    delete,
    exists,
    func,
    insert,
    literal,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from spend.calls import Owner
from spend.ids import content_id
from spend.ownership.ownership import Term, payer_in
from store import dictionaries, parties
from store.ownership import eras, ownership
from store.ownership.ownership import Version
from store.tables import heard
from store.tables.ownership import payers

Terms = Mapping[int, tuple[Term, ...]]
"""Owner -> the times in which somebody else pays; owners of which there are none are absent."""


class Paying:
    """Who pays for calls of some owners."""

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self._ids = {
            owner_id: [(term.start, term.end, content_id(term.payer)) for term in of_owner]
            for owner_id, of_owner in terms.items()
        }

    def payer_of(self, owner_id: int, slot: datetime) -> int:
        """The owner that pays for another's calls at a time (UTC): mostly the same."""
        for start, end, payer_id in self._ids.get(owner_id, ()):
            if start <= slot < end:
                return payer_id
        return owner_id

    def payer(self, owner: Owner, at: datetime) -> Owner:
        """Likewise, by what they are."""
        return payer_in(self.terms.get(content_id(owner), ()), at) or owner


def paying(session: Session, tenant: int, owner_ids: Collection[int]) -> Paying:
    """Who pays for these owners' calls, also for those that are new."""
    version = ownership.in_force(session, tenant)
    if version is None:
        return Paying({})
    known = terms(session, tenant, owner_ids)
    return Paying({**known, **_new(session, tenant, version, set(owner_ids) - known.keys())})


def remember_new(session: Session, tenant: int, owner_ids: Collection[int]) -> Paying:
    """Likewise, and notes it of those that are new: in the transaction that charges them first."""
    version = ownership.in_force(session, tenant)
    if version is None:
        return Paying({})
    known = terms(session, tenant, owner_ids)
    new = _new(session, tenant, version, set(owner_ids) - known.keys())
    write(session, tenant, new)
    return Paying({**known, **new})


def _new(session: Session, tenant: int, version: Version, owner_ids: Collection[int]) -> Terms:
    # While charges still follow a new version, what holds is the table.
    if version.followed_at is None or not owner_ids:
        return {}
    held = eras.eras(session, tenant)
    owners = parties.owners_of(session, tenant, owner_ids)
    found = {id_: eras.terms_in(held, owner) for id_, owner in owners.items()}
    return {id_: of_owner for id_, of_owner in found.items() if of_owner}


def terms(session: Session, tenant: int, owner_ids: Collection[int] | None = None) -> Terms:
    """Who pays as the reports have it, for these owners; None: for all."""
    wanted = select(payers).where(payers.c.tenant_id == tenant)
    if owner_ids is not None:
        wanted = wanted.where(payers.c.owner_id == func.any(_ids(owner_ids)))
    rows = session.execute(wanted.order_by(payers.c.owner_id, payers.c.valid_from)).all()
    who = parties.owners_of(session, tenant, {row.payer_id for row in rows})
    found: dict[int, tuple[Term, ...]] = {}
    for row in rows:
        term = Term(row.valid_from, row.valid_to, who[row.payer_id])
        found[row.owner_id] = (*found.get(row.owner_id, ()), term)
    return found


def write(session: Session, tenant: int, new: Terms) -> None:
    """Replaces the terms of these owners; empty ones: the owner pays."""
    if not new:
        return
    session.execute(
        delete(payers).where(payers.c.tenant_id == tenant, payers.c.owner_id == func.any(_ids(new)))
    )
    remember(session, tenant, (term.payer for of_owner in new.values() for term in of_owner))
    rows = [
        {
            "tenant_id": tenant,
            "owner_id": owner_id,
            "valid_from": term.start,
            "valid_to": term.end,
            "payer_id": content_id(term.payer),
        }
        for owner_id, of_owner in new.items()
        for term in of_owner
    ]
    if rows:
        session.execute(insert(payers), rows)


def remember(session: Session, tenant: int, who: Iterable[Owner]) -> None:
    """Payers stand in the dictionary beside the owners that were heard."""
    entries = {content_id(payer): payer for payer in who}
    dictionaries.remember(session, tenant, heard.owners, entries, dictionaries.Known())


def _ids(owner_ids: Iterable[int]) -> ColumnElement[Any]:
    return literal(list(owner_ids), ARRAY(BigInteger))


def are_there(session: Session, tenant: int) -> bool:
    """Whether anybody pays for another's calls: if not, reports need not ask."""
    return bool(session.scalar(select(exists().where(payers.c.tenant_id == tenant))))


def joined(
    session: Session, tenant: int, rows: FromClause, moment: ColumnElement[datetime]
) -> tuple[FromClause, ColumnElement[int]]:
    """``rows`` (with owner_id, of one tenant) beside who pays for each, and that payer's id.

    Charges know it themselves. ``moment`` is when what a row tells of was.
    """
    if "payer_id" in rows.c:
        return rows, rows.c.payer_id
    if not are_there(session, tenant):
        return rows, rows.c.owner_id
    source = rows.outerjoin(payers, pays(rows, tenant, moment))
    return source, func.coalesce(payers.c.payer_id, rows.c.owner_id)


def pays(rows: FromClause, tenant: int, moment: ColumnElement[datetime]) -> ColumnElement[bool]:
    """Where ``payers`` says that another pays for ``rows``, at a moment of each."""
    return and_(
        payers.c.tenant_id == tenant,
        payers.c.owner_id == rows.c.owner_id,
        payers.c.valid_from <= moment,
        payers.c.valid_to > moment,
    )
