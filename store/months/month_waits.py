"""What the jobs still have to do before the books of a month say all that there is to say of it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import exists, func, not_, select
from sqlalchemy.orm import Session

from spend.months.months import Warned
from spend.periods import Period
from store import completeness
from store.capacity import pools
from store.commitments import commitments
from store.ownership import ownership
from store.tables.commitments import commitment_slots
from store.tables.energy import energy_told
from store.tables.ledger import charges
from store.tables.ownership import split_waiting
from store.tables.repricings import repricings
from store.tables.rollups import cells

RUN: Final = "spanledger jobs run --all"
"""The command that settles all of it."""


def waits(session: Session, tenant: int, period: Period, *, now: datetime) -> list[Warned]:
    """What is still to be settled before the end of a period (UTC), also of time before it.

    What is late of time before it would be booked in it, as long as it is open. Each says how much,
    and what helps. Empty: its books can be closed.
    """
    end = period.end
    found = [
        *_jobs(session, end),
        *_cells(session, tenant, end),
        *_pools(session, tenant, end),
        *_commitments(session, tenant, end, now),
        *_ownership(session, tenant, end),
        *_repricings(session, tenant, end),
    ]
    if found:
        last = found[-1]
        found[-1] = Warned(last.name, f"{last.said}; run: {RUN}")
    return found


def _jobs(session: Session, end: datetime) -> Iterator[Warned]:
    until = completeness.complete_until(session)
    if until is None:
        yield Warned("jobs", "the jobs have never run")
    elif until < end:
        said = f"the jobs have settled what was heard until {_shown(until)} only"
        yield Warned("jobs", said)


def _cells(session: Session, tenant: int, end: datetime) -> Iterator[Warned]:
    count, calls = session.execute(
        select(func.count(), func.sum(cells.c.calls)).where(
            cells.c.tenant_id == tenant, cells.c.slot < end, not_(cells.c.charged)
        )
    ).one()
    if count:
        yield Warned("cells", f"{calls:,} calls in {count:,} cells wait to be charged")


def _pools(session: Session, tenant: int, end: datetime) -> Iterator[Warned]:
    behind = []
    for pool in pools.all_pools(session, tenant):
        its_end = min(end, pool.valid_to or end)
        charged_to = pool.charged_to
        if charged_to is None or (pool.valid_from < its_end and charged_to < its_end):
            behind.append(pool.name)
    if behind:
        yield Warned("pools", f"hours of pools wait to be charged: {', '.join(behind)}")
    told = select(exists().where(energy_told.c.tenant_id == tenant, energy_told.c.first_at < end))
    if session.scalar(told):
        yield Warned("energy", "hours of pools wait for energy that was told of them")


def _commitments(session: Session, tenant: int, end: datetime, now: datetime) -> Iterator[Warned]:
    unsettled = []
    for id_ in commitments.to_settle(session, tenant):
        its = commitments.one(session, tenant, id_)
        if its is None or its.valid_from >= end:
            continue
        seen_to, settled_at = commitments.progress(session, tenant, id_)
        moved = settled_at is None or any(
            settled_at < each.start or settled_at < each.end <= now
            for each in its.periods(min(now, end))
        )
        unseen = select(
            exists().where(
                charges.c.tenant_id == tenant,
                charges.c.id > seen_to,
                charges.c.slot < end,
                # What commitments and splits post themselves is no usage.
                charges.c.commitment_id.is_(None),
                charges.c.rule_id.is_(None),
            )
        )
        slots = select(
            exists().where(
                commitment_slots.c.tenant_id == tenant,
                commitment_slots.c.commitment_id == id_,
                commitment_slots.c.slot < end,
                commitment_slots.c.waits,
            )
        )
        if moved or session.scalar(slots) or session.scalar(unseen):
            unsettled.append(its.name)
    if unsettled:
        yield Warned("commitments", f"commitments wait to be settled: {', '.join(unsettled)}")


def _ownership(session: Session, tenant: int, end: datetime) -> Iterator[Warned]:
    version = ownership.in_force(session, tenant)
    if version is None:
        return
    if version.followed_at is None:
        yield Warned("rules", f"charges are still to follow version {version.version} of the rules")
    slots = session.scalar(
        select(func.count()).where(split_waiting.c.tenant_id == tenant, split_waiting.c.slot < end)
    )
    if slots:
        yield Warned("splits", f"shared costs of {slots:,} quarter hours wait to be split")


def _repricings(session: Session, tenant: int, end: datetime) -> Iterator[Warned]:
    found = session.scalars(
        select(repricings.c.id)
        .where(
            repricings.c.tenant_id == tenant,
            repricings.c.finished_at.is_(None),
            not_(repricings.c.dry_run),
            repricings.c.starts < end,
        )
        .order_by(repricings.c.id)
    ).all()
    if found:
        yield Warned("repricings", f"re-pricings are not through: {', '.join(map(str, found))}")


def _shown(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
