"""Takes discounts and uplifts in: what was known before is closed, never changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from spend.prices.corrections import Correction, corrected, moment_of, overlap
from spend.prices.discounts import Discount
from spend.slots import slot_of
from store import audit, waiting
from store.prices import repricings
from store.prices.discounts import FIELDS, discounts_by_id, discounts_of
from store.tables.heard import routes
from store.tables.prices import discounts


class DiscountHeldError(ValueError):
    """A new discount meets one from another source: end that one, or use its source."""

    def __init__(self, said: Discount, held: Discount) -> None:
        self.said = said
        self.held = held
        super().__init__(
            f"overlaps the {held.kind} of {held.source!r} (id {held.id}) for {held.provider}"
            f" {held.model} from {held.valid_from:%Y-%m-%dT%H:%MZ}"
        )


@dataclass(frozen=True, slots=True)
class EnteredDiscounts:
    """What a change did, in lines."""

    opened: int
    closed: int
    said: tuple[Discount, ...]
    """What now stands for what was asked, in the order in which it was asked."""


def enter_discounts(
    session: Session, tenant: int, said: Sequence[Discount], *, now: datetime
) -> EnteredDiscounts:
    """Takes discounts and uplifts in. They hold for what is charged from now on.

    One that meets one of the same source corrects it; one that meets another source's is refused
    with DiscountHeldError, and the caller's transaction must not be committed.
    """
    waiting.lock_ledger(session)
    held = [
        line
        for line in discounts_of(session, tenant, {line.provider for line in said})
        if line.known(None)
    ]
    for line in said:
        for other in held:
            if other.source != line.source and overlap(other, line):
                raise DiscountHeldError(line, other)
    correction = corrected(held, said)
    opened = _apply(session, tenant, correction, now)
    if correction.opened or correction.closed:
        audit.note(
            session,
            tenant,
            did="entered",
            noun="discounts",
            before={"discounts": correction.closed} if correction.closed else None,
            after={"discounts": correction.opened},
        )
    ids = {line.stretch: line.id for line in held} | opened
    wanted = [ids[line.stretch] or 0 for line in said]
    found = discounts_by_id(session, tenant, wanted)
    return EnteredDiscounts(
        opened=len(opened),
        closed=len(correction.closed),
        said=tuple(found[id_] for id_ in wanted),
    )


def _apply(
    session: Session, tenant: int, correction: Correction[Discount], now: datetime
) -> dict[tuple[object, ...], int]:
    """Closes and opens; returns the ids of the opened by their stretch."""
    closed = [line.id for line in correction.closed]
    moment = repricings.known_after(session, moment_of(correction.closed, now))
    if closed:
        session.execute(
            update(discounts)
            .where(discounts.c.tenant_id == tenant, discounts.c.id.in_(closed))
            .values(known_to=moment)
        )
    _wait(session, tenant, correction, moment)
    if not correction.opened:
        return {}
    rows = [
        {
            "tenant_id": tenant,
            **{name: getattr(line, name) for name in FIELDS if name != "id"},
            "known_from": moment,
        }
        for line in correction.opened
    ]
    ids = session.scalars(
        insert(discounts).returning(discounts.c.id, sort_by_parameter_order=True), rows
    )
    return {line.stretch: id_ for line, id_ in zip(correction.opened, ids, strict=True)}


def _wait(
    session: Session, tenant: int, correction: Correction[Discount], moment: datetime
) -> None:
    """Calls of a clock that is ahead may be charged already: they go by what is known at theirs."""
    providers = {line.provider for line in (*correction.closed, *correction.opened)}
    concerned = session.scalars(
        select(routes.c.id).where(
            routes.c.tenant_id == tenant, routes.c.provider.in_(sorted(providers))
        )
    )
    waiting.for_routes(session, tenant, concerned, starts=slot_of(moment))
