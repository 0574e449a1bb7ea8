"""What counts towards a commitment by quarter hours, and the lines of the ledger that cover it.

Usage is read from the ledger: each line once, when it is new, and those of a slot again when what
covers the slot changes. All of it is done after ``waiting.lock_ledger``, which everybody holds who
posts: so no line of a lower id can come after one that was seen.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import (
    CTE,
    BigInteger,
    Boolean,
    ColumnElement,
    DateTime,
    FromClause,
    Numeric,
    Select,
    and_,
    case,
    cast,
    column,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as insert_new
from sqlalchemy.orm import Session

from spend.commitments.commitments import (
    ALL,
    COVERED,
    FOREVER,
    METHOD,
    NOTHING,
    PART,
    Commitment,
    SlotUsage,
)
from spend.periods import Period
from store import closing
from store.closing import Posting
from store.ledger.ledger import CORRECTION, CREDIT, ENGINE, ORIGINAL
from store.tables.base import AMOUNT
from store.tables.commitments import commitment_slots
from store.tables.ledger import charges

Place = tuple[datetime, int, int, int, int]
"""Slot, owner, route, band, payer: where a credit is posted."""

_PLACE: Final = tuple(
    charges.c[name] for name in ("slot", "owner_id", "route_id", "band", "payer_id")
)
_SUMMED: Final = ("covered", "effective")
_ATOMS: Final = literal(10**12, Numeric)
_ATOM: Final = literal(Decimal("1E-12"), Numeric)


@dataclass(frozen=True, slots=True)
class Sources:
    """Which lines of the ledger count towards one commitment."""

    commitment: Commitment
    routes: Sequence[int]
    """Ids of the routes that fit."""
    earlier: Sequence[int]
    """Ids of the commitments that cover before it: what they cover is not there any more."""


@dataclass(frozen=True, slots=True)
class PlaceUsage:
    """What of a place counts towards a commitment, and what is posted of it."""

    place: Place
    remaining: Decimal
    billed: Decimal
    """Posted: minus what is covered."""
    effective: Decimal
    """Posted: what the credit adds to the effective cost."""


def take_in(session: Session, tenant: int, sources: Sources, after: int, to: int) -> None:
    """Adds what lines of the ledger with ids above ``after``, up to ``to``, say of usage."""
    commitment = sources.commitment
    summed = (
        select(
            literal(tenant).label("tenant_id"),
            literal(commitment.id, BigInteger).label("commitment_id"),
            charges.c.slot,
            func.sum(_usage(sources)).label("eligible"),
            literal(True).label("waits"),
        )
        .where(
            charges.c.tenant_id == tenant,
            charges.c.id > after,
            charges.c.id <= to,
            charges.c.route_id == func.any(_ids(sources.routes)),
            charges.c.slot >= commitment.valid_from,
            charges.c.slot < (commitment.valid_to or FOREVER),
            charges.c.currency == commitment.currency,
            or_(_is_usage(), _is_covered(sources.earlier)),
        )
        .group_by(charges.c.slot)
    )
    names = ("tenant_id", "commitment_id", "slot", "eligible", "waits")
    new = insert_new(commitment_slots).from_select(names, summed)
    session.execute(
        new.on_conflict_do_update(
            index_elements=list(commitment_slots.primary_key.columns),
            set_={
                "eligible": commitment_slots.c.eligible + new.excluded.eligible,
                "waits": True,
            },
        )
    )


def waiting_slots(session: Session, tenant: int, commitment_id: int) -> list[datetime]:
    """Slots whose lines are to be looked at, ascending."""
    return list(
        session.scalars(
            select(commitment_slots.c.slot)
            .where(*_of(tenant, commitment_id), commitment_slots.c.waits)
            .order_by(commitment_slots.c.slot)
        )
    )


def slots_of(session: Session, tenant: int, commitment_id: int, period: Period) -> list[SlotUsage]:
    """The slots of a period that have usage."""
    names = ("slot", "eligible", "covered", "effective", "covers", "waits")
    columns = commitment_slots.c
    found = session.execute(
        select(*(columns[name] for name in names))
        .where(*_of(tenant, commitment_id), columns.slot >= period.start, columns.slot < period.end)
        .order_by(columns.slot)
    )
    return [SlotUsage(*row) for row in found]


def forget(session: Session, tenant: int, commitment_id: int) -> None:
    """Of a commitment that holds no more, when its lines are taken back."""
    session.execute(delete(commitment_slots).where(*_of(tenant, commitment_id)))


def cover(
    session: Session,
    tenant: int,
    sources: Sources,
    wanted: Mapping[datetime, bool],
    *,
    seen_to: int,
    now: datetime,
) -> int:
    """Makes the ledger cover slots wholly (True) or not at all (False).

    Posts what it lacks for that, and returns how many lines.
    """
    commitment = sources.commitment
    slots = _rows_of(wanted)
    target = _target(tenant, sources, slots, seen_to)
    values = _line_values(tenant, commitment, target, closing.posting(session, tenant, now))
    lacking = (
        select(*(value.label(name) for name, value in values.items()))
        .where(or_(values["amount"] != 0, values["billed_amount"] != 0))
        .order_by(*(target.c[each.name] for each in _PLACE))
    )
    posted = (
        insert(charges).from_select(list(values), lacking).returning(charges.c.id).cte("posted")
    )
    summed = (
        select(target.c.slot, *(func.sum(target.c[name]).label(name) for name in _SUMMED))
        .group_by(target.c.slot)
        .subquery("summed")
    )
    told = (
        select(slots.c.slot, slots.c.wholly, *(summed.c[name] for name in _SUMMED))
        .join_from(slots, summed, slots.c.slot == summed.c.slot, isouter=True)
        .subquery("told")
    )
    noted = (
        update(commitment_slots)
        .values(
            **{name: func.coalesce(told.c[name], 0) for name in _SUMMED},
            covers=case((told.c.wholly, ALL), else_=NOTHING),
            waits=False,
        )
        .where(*_of(tenant, commitment.id), commitment_slots.c.slot == told.c.slot)
        .returning(commitment_slots.c.slot)
        .cte("noted")
    )
    counted = select(func.count()).select_from(posted).add_cte(noted)
    return int(session.execute(counted).scalar_one())


def places_of(
    session: Session, tenant: int, sources: Sources, slot: datetime, *, seen_to: int
) -> list[PlaceUsage]:
    """What counts at each place of one slot, in the order of the ledger's places."""
    found = session.execute(
        _at_places(tenant, sources, seen_to)
        .where(charges.c.slot == slot)
        .group_by(*_PLACE)
        .order_by(*_PLACE)
    )
    return [PlaceUsage((row[0], row[1], row[2], row[3], row[4]), *row[5:]) for row in found]


def covered_in_part(
    session: Session,
    tenant: int,
    commitment_id: int,
    slot: datetime,
    covered: Decimal,
    effective: Decimal,
) -> None:
    """Says that a commitment runs out in a slot, and what its lines there come to."""
    session.execute(
        update(commitment_slots)
        .values(covered=covered, effective=effective, covers=PART, waits=False)
        .where(*_of(tenant, commitment_id), commitment_slots.c.slot == slot)
    )


def _line_values(
    tenant: int, commitment: Commitment, target: CTE, posting: Posting
) -> dict[str, ColumnElement[Any]]:
    """The columns of the lines that are posted for covered places."""
    covered, effective = target.c.covered, target.c.effective
    nothing = literal(0, Numeric)
    return {
        **{each.name: target.c[each.name] for each in _PLACE},
        "tenant_id": literal(tenant),
        "posted_at": literal(posting.at, DateTime(timezone=True)),
        "booked_slot": posting.booked(target.c.slot),
        "kind": literal(CREDIT),
        "meter": literal(COVERED),
        "commitment_id": literal(commitment.id, BigInteger),
        "quantity": nothing,
        "list_amount": nothing,
        "contracted_amount": nothing,
        "amount": effective - covered - target.c.effective_before,
        "billed_amount": -covered - target.c.billed_before,
        "currency": literal(commitment.currency),
        "method": literal(METHOD),
        "engine": literal(ENGINE),
    }


def _target(tenant: int, sources: Sources, slots: FromClause, seen_to: int) -> CTE:
    """What is to be covered at each place, and what is posted of that."""
    found = (
        _at_places(tenant, sources, seen_to)
        .add_columns(slots.c.wholly)
        .join(slots, charges.c.slot == slots.c.slot)
        .group_by(*_PLACE, slots.c.wholly)
        .subquery("found")
    )
    covered = case((found.c.wholly, func.greatest(found.c.remaining, 0)), else_=0)
    covering = select(*found.c, covered.label("covered")).subquery("covering")
    # In whole atoms: a quotient of two NUMERICs is rounded, div() is not.
    atoms = func.div(
        covering.c.covered * literal(sources.commitment.paid, Numeric) * _ATOMS,
        literal(sources.commitment.amount, Numeric),
    )
    return select(*covering.c, cast(atoms * _ATOM, AMOUNT).label("effective")).cte("target")


def _at_places(tenant: int, sources: Sources, seen_to: int) -> Select[Any]:
    """What counts at places, of lines up to ``seen_to``, and what is posted: to be grouped."""
    mine = _is_covered([sources.commitment.id])
    counts = charges.c.id <= seen_to
    return select(
        *_PLACE,
        func.sum(case((counts, _usage(sources)), else_=0)).label("remaining"),
        func.sum(case((mine, charges.c.billed_amount), else_=0)).label("billed_before"),
        func.sum(case((mine, charges.c.amount), else_=0)).label("effective_before"),
    ).where(
        charges.c.tenant_id == tenant,
        charges.c.route_id == func.any(_ids(sources.routes)),
        charges.c.currency == sources.commitment.currency,
    )


def _usage(sources: Sources) -> ColumnElement[Decimal]:
    """What a line of the ledger adds to the usage that counts, or takes from it."""
    return case(
        (_is_usage(), charges.c.contracted_amount),
        (_is_covered(sources.earlier), charges.c.billed_amount),
        else_=0,
    )


def _is_usage() -> ColumnElement[bool]:
    return and_(charges.c.price_id.is_not(None), charges.c.kind.in_((ORIGINAL, CORRECTION)))


def _is_covered(by: Collection[int]) -> ColumnElement[bool]:
    return and_(charges.c.meter == COVERED, charges.c.commitment_id == func.any(_ids(by)))


def _ids(ids: Collection[int]) -> ColumnElement[Any]:
    return literal(list(ids), ARRAY(BigInteger))


def _rows_of(wanted: Mapping[datetime, bool]) -> FromClause:
    return (
        func.unnest(
            literal(list(wanted), ARRAY(DateTime(timezone=True))),
            literal(list(wanted.values()), ARRAY(Boolean)),
        )
        .table_valued(column("slot", DateTime(timezone=True)), column("wholly", Boolean))
        .render_derived("wanted")
    )


def _of(tenant: int, commitment_id: int) -> tuple[ColumnElement[bool], ...]:
    return (
        commitment_slots.c.tenant_id == tenant,
        commitment_slots.c.commitment_id == commitment_id,
    )
