"""Covers usage by commitments, and books what was paid for them and what nobody used.

What is to be covered follows from the usage in the ledger, the commitments and the time alone; what
is posted is the difference to what the ledger says already. New lines are read once each, and lines
are posted for quarter hours only that changed. Each transaction may be the last one: whatever was
not done is done by the next run.
"""

from bisect import bisect_left
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import Final

from sqlalchemy.orm import Session

from jobs.context import JobContext
from spend import money
from spend.commitments.commitments import (
    COVERED,
    METHOD,
    PURCHASE,
    PURCHASE_OWNER,
    UNUSED_METER,
    UNUSED_OWNER,
    Commitment,
    Plan,
    SlotUsage,
    last_slot,
    plan,
    split,
)
from spend.ids import content_id
from spend.periods import Period
from store import dictionaries, parties, waiting
from store.commitments import commitment_own_lines, commitment_slots, commitments
from store.commitments.commitment_slots import Place, Sources
from store.ledger import ledger, split_days
from store.ledger.ledger import NewCharge
from store.tables.heard import owners, routes
from store.tenants import TENANT

LINES_AT_ONCE: Final = 500_000
"""Lines of the ledger that one transaction reads."""

SLOTS_AT_ONCE: Final = 500
"""Slots for which one transaction posts lines: about two seconds' work in a busy month."""

_NOTHING: Final = Decimal(0)


def settle_commitments(context: JobContext) -> Iterator[int]:
    """Settles every commitment, in the order in which they cover; yields the lines of each."""
    with context.database.read() as session:
        ids = commitments.to_settle(session, TENANT)
    for id_ in ids:
        yield sum(_settle(context, id_))


def _settle(context: JobContext, commitment_id: int) -> Iterator[int]:
    """Settles one commitment; yields the lines of each transaction."""
    with context.database.read() as session:
        seen_to, _ = commitments.progress(session, TENANT, commitment_id)
        taken_in = ledger.last_id(session, TENANT) <= seen_to
    while not taken_in:
        with context.database.write() as session:
            taken_in = _take_in(session, commitment_id)
    with context.database.read() as session:
        commitment = commitments.one(session, TENANT, commitment_id)
        touched = _touched(session, commitment, context.now) if commitment else []
    for period in touched:
        done = False
        while not done:
            with context.database.write() as session:
                lines, done = _settle_period(session, context, commitment_id, period)
            yield lines
    if not touched:
        return
    with context.database.write() as session:
        waiting.lock_ledger(session)
        # Unless it was withdrawn in the meantime: then the next round takes its lines back.
        if commitments.one(session, TENANT, commitment_id) == commitment:
            commitments.settled(session, TENANT, commitment_id, context.now)
            if commitment and commitment.known_to:
                commitment_slots.forget(session, TENANT, commitment_id)


def _sources(session: Session, commitment_id: int) -> Sources:
    """A commitment as it is now, with what counts towards it; holds the ledger."""
    waiting.lock_ledger(session)
    every = commitments.all_commitments(session, TENANT)
    place = next(place for place, each in enumerate(every) if each.id == commitment_id)
    its = every[place]
    called = parties.routes_of(session, TENANT)
    return Sources(
        commitment=its,
        routes=[id_ for id_, route in called.items() if its.fits(route)],
        earlier=[each.id for each in every[:place]],
    )


def _take_in(session: Session, commitment_id: int) -> bool:
    """Reads the next lines of the ledger for a commitment; returns whether that is all."""
    sources = _sources(session, commitment_id)
    if sources.commitment.known_to:
        return True
    newest = ledger.last_id(session, TENANT)
    seen, _ = commitments.progress(session, TENANT, commitment_id)
    to = min(newest, seen + LINES_AT_ONCE)
    if to > seen:
        commitment_slots.take_in(session, TENANT, sources, seen, to)
        commitments.seen(session, TENANT, commitment_id, to)
    return to >= newest


def _touched(session: Session, commitment: Commitment, now: datetime) -> list[Period]:
    """Its periods with slots that wait, and those that began or ended since they were settled."""
    _, settled_at = commitments.progress(session, TENANT, commitment.id)
    if commitment.known_to and settled_at:
        return []
    waits = commitment_slots.waiting_slots(session, TENANT, commitment.id)

    def is_touched(period: Period) -> bool:
        first = bisect_left(waits, period.start)
        return (
            settled_at is None
            or settled_at < period.start
            or settled_at < period.end <= now
            or (first < len(waits) and waits[first] < period.end)
        )

    return [period for period in commitment.periods(now) if is_touched(period)]


def _settle_period(
    session: Session, context: JobContext, commitment_id: int, period: Period
) -> tuple[int, bool]:
    """Posts lines of a period; returns how many, and whether that is all."""
    sources = _sources(session, commitment_id)
    commitment = sources.commitment
    # One that holds no more covers nothing.
    amount = _NOTHING if commitment.known_to else commitment.amount
    seen_to, _ = commitments.progress(session, TENANT, commitment_id)
    slots = commitment_slots.slots_of(session, TENANT, commitment_id, period)
    todo = plan(amount, slots)
    wanted = dict.fromkeys(todo.to_leave, False) | dict.fromkeys(todo.to_cover, True)
    now = dict(islice(wanted.items(), SLOTS_AT_ONCE))
    posted = 0
    if now:
        split_days.mark(session, TENANT, now)
        posted = commitment_slots.cover(
            session, TENANT, sources, now, seen_to=seen_to, now=context.posted_at(session)
        )
    if len(now) < len(wanted):
        return posted, False
    slots = commitment_slots.slots_of(session, TENANT, commitment_id, period)
    lines = [
        *_where_it_runs_out(session, sources, todo, slots, seen_to),
        *_own_lines(session, commitment, period, todo, slots, context.now),
    ]
    ledger.post(session, TENANT, lines, now=context.posted_at(session))
    return posted + len(lines), True


def _effective(slots: list[SlotUsage], but: datetime | None = None) -> Decimal:
    return money.total([each.effective for each in slots if each.slot != but])


def _where_it_runs_out(
    session: Session, sources: Sources, todo: Plan, slots: list[SlotUsage], seen_to: int
) -> Iterator[NewCharge]:
    """The lines of the slot in which it is used up: they take what is left of what was paid."""
    if todo.runs_out is None:
        return
    commitment, slot = sources.commitment, todo.runs_out
    usage = commitment_slots.places_of(session, TENANT, sources, slot, seen_to=seen_to)
    worth = money.EXACT.subtract(commitment.paid, _effective(slots, but=slot))
    parts = split(todo.left, worth, [each.remaining for each in usage])
    for each, (covered, effective) in zip(usage, parts, strict=True):
        yield from _line(
            commitment,
            each.place,
            COVERED,
            billed=money.EXACT.subtract(-covered, each.billed),
            effective=money.EXACT.subtract(
                money.EXACT.subtract(effective, covered), each.effective
            ),
        )
    commitment_slots.covered_in_part(
        session,
        TENANT,
        commitment.id,
        slot,
        money.total([covered for covered, _ in parts]),
        money.total([effective for _, effective in parts]),
    )


def _own_lines(
    session: Session,
    commitment: Commitment,
    period: Period,
    todo: Plan,
    slots: list[SlotUsage],
    now: datetime,
) -> Iterator[NewCharge]:
    """What was paid, where the period begins; what of it nobody used, once the period is over."""
    own = {
        PURCHASE: (period.start, content_id(PURCHASE_OWNER)),
        UNUSED_METER: (last_slot(period), content_id(UNUSED_OWNER)),
    }
    posted = commitment_own_lines.own_lines(session, TENANT, commitment.id, own)
    paid = unused = _NOTHING
    if commitment.known_to is None:
        paid = commitment.paid
        if period.end <= now and todo.runs_out is None:
            unused = money.EXACT.subtract(paid, _effective(slots))
    route_id = _remembered(session, commitment)
    for meter, billed, effective in ((PURCHASE, paid, _NOTHING), (UNUSED_METER, _NOTHING, unused)):
        slot, owner_id = own[meter]
        billed_before, effective_before = posted.get(meter, (_NOTHING, _NOTHING))
        yield from _line(
            commitment,
            (slot, owner_id, route_id, 0, owner_id),
            meter,
            billed=money.EXACT.subtract(billed, billed_before),
            effective=money.EXACT.subtract(effective, effective_before),
        )


def _line(
    commitment: Commitment, place: Place, meter: str, *, billed: Decimal, effective: Decimal
) -> Iterator[NewCharge]:
    """A line of the ledger, if it says anything."""
    if not billed and not effective:
        return
    slot, owner_id, route_id, band, payer_id = place
    yield NewCharge(
        kind=ledger.CREDIT,
        slot=slot,
        owner_id=owner_id,
        payer_id=payer_id,
        route_id=route_id,
        band=band,
        meter=meter,
        commitment_id=commitment.id,
        currency=commitment.currency,
        quantity=_NOTHING,
        list_amount=_NOTHING,
        contracted_amount=_NOTHING,
        amount=effective,
        billed_amount=billed,
        method=METHOD,
    )


def _remembered(session: Session, commitment: Commitment) -> int:
    """A commitment's own lines have owners and a route like any other; the id of the route."""
    known = dictionaries.Known()
    named = {content_id(owner): owner for owner in (PURCHASE_OWNER, UNUSED_OWNER)}
    dictionaries.remember(session, TENANT, owners, named, known)
    route_id = content_id(commitment.route)
    dictionaries.remember(session, TENANT, routes, {route_id: commitment.route}, known)
    return route_id
