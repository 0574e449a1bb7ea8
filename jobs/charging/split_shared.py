"""Splits the cost of shared teams, a day that is over at a time, and posts what the ledger lacks.

What a day's lines are to say follows from its charges, its usage and the rules in force; what is
posted is the difference to what stands there. So late calls and new rules settle a day anew, in
any order, and nothing is posted twice.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from sqlalchemy.orm import Session

from jobs.context import JobContext
from spend import money
from spend.ids import content_id
from spend.ownership.ownership_files import Ownership
from spend.ownership.splits import FREE, SPLIT_METER, Bases, lines_of_day, with_payers
from spend.periods import day_start, local_day
from store import waiting
from store.ledger import ledger, split_days
from store.ledger.ledger import NewCharge
from store.ledger.split_days import Posted
from store.ownership import eras, ownership, payers
from store.ownership.eras import Era
from store.tenants import TENANT

_NOTHING: Final = Decimal(0)


def settle_days(context: JobContext) -> int:
    """Settles every day that changed and is over; returns the lines posted."""
    with context.database.read() as session:
        if ownership.in_force(session, TENANT) is None:
            return 0
        slots = split_days.waiting_slots(session, TENANT)
        days = _days(eras.eras(session, TENANT), slots, context.now)
    lines = 0
    for start, end in days:
        with context.database.write() as session:
            lines += _settle(session, context, start, end)
        context.progress(f"shared costs of {start:%Y-%m-%d} split, {lines:,} lines posted")
    return lines


def _days(
    held: list[Era], slots: Iterable[datetime], now: datetime
) -> list[tuple[datetime, datetime]]:
    """The days that are over and hold these slots (UTC, half-open), in order.

    Days of the zone of the rules that hold for them, cut where other rules begin to.
    """
    found = set()
    for slot in slots:
        era = eras.era_of(held, slot)
        day, zone = local_day(slot, era.said.zone), era.said.zone
        end = day_start(day + timedelta(days=1), zone)
        if end <= now:
            found.add((max(day_start(day, zone), era.start), min(end, era.end)))
    return sorted(found)


def _settle(session: Session, context: JobContext, start: datetime, end: datetime) -> int:
    waiting.lock_ledger(session)
    version = ownership.in_force(session, TENANT)
    era = eras.era_of(eras.eras(session, TENANT), start)
    # Where books were closed in the middle of the day meanwhile, the next round sees to it.
    if version is None or version.followed_at is None or end > era.end:
        return 0
    said = era.said
    # Each currency by itself: what a split goes by is what was used, or was paid in the same one.
    lines = [
        line
        for currency in split_days.currencies(session, TENANT, start, end)
        for line in _lacking(
            _target(session, said, start, end, currency),
            split_days.posted(session, TENANT, start, end, currency=currency),
            currency,
        )
    ]
    ledger.post(session, TENANT, lines, now=context.posted_at(session))
    split_days.done(session, TENANT, start, end)
    return len(lines)


def _target(
    session: Session, said: Ownership, start: datetime, end: datetime, currency: str
) -> Posted:
    if not said.splits:
        return {}
    used = split_days.used(session, TENANT, said.bounds(start, end), end, currency=currency)
    lines = lines_of_day(said.splits, with_payers(said.rules, used), start)
    payers.remember(session, TENANT, (line[1] for line in lines))
    methods = {split.id: split.method for split in said.splits}
    return {
        ((slot, content_id(payer), route_id, split_id, listed), methods[split_id]): line
        for (slot, payer, route_id, split_id, listed), line in lines.items()
    }


def _lacking(target: Posted, stands: Posted, currency: str) -> Iterator[NewCharge]:
    for key in sorted(target.keys() | stands.keys()):
        (slot, payer_id, route_id, split_id, _), method = key
        weight, bases = target.get(key, (_NOTHING, FREE))
        before, bases_before = stands.get(key, (_NOTHING, FREE))
        quantity = money.EXACT.subtract(weight, before)
        more: Bases = bases.plus(bases_before.negative())
        if not quantity and more.is_nothing:
            continue
        yield NewCharge(
            kind=ledger.ALLOCATION,
            slot=slot,
            owner_id=payer_id,
            payer_id=payer_id,
            route_id=route_id,
            band=0,
            meter=SPLIT_METER,
            rule_id=split_id,
            currency=currency,
            quantity=quantity,
            list_amount=more.list_amount,
            contracted_amount=more.contracted_amount,
            amount=more.amount,
            billed_amount=more.billed_amount,
            method=method,
        )
