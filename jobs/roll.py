"""Settles which sightings are one call, and adds new calls to the rollups, each exactly once."""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Integer, literal, select
from sqlalchemy.orm import Session

from jobs.context import Done, JobContext
from spend.calls import Role, Standing
from spend.ids import content_id
from spend.twins.twins import Settlement, settle
from spend.twins.witnesses import Joined, key_of
from store import dictionaries
from store.intake import batches, retention
from store.ledger import rollups
from store.narrow import column_of
from store.postgres import partitions
from store.readings import metered, told
from store.tables.heard import owners, routes, sightings
from store.tenants import TENANT
from store.twins import suspects, twins
from store.twins.twins import Key, Stored

AT_ONCE: Final = 50_000
"""Sightings in one transaction: some seconds of work, so that a kill costs little."""


def run(context: JobContext) -> Done:
    """Rolls up all batches that have waited for their twins; by hand, all there are."""
    before = context.now - context.settings.settle_window
    if context.by_hand:
        # What was acknowledged until now, and no further: new calls never cease.
        with context.database.read() as session:
            before = batches.newest(session, TENANT) or context.now
    rolled = sighted = 0
    while True:
        with context.database.write() as session:
            partitions.hold_still(session)
            retention.hold(session)
            claimed = batches.claim(
                session, TENANT, before=before, now=context.now, sightings_at_most=AT_ONCE
            )
            if claimed.ids:
                _roll(session, TENANT, claimed.ids)
            waiting = batches.oldest_waiting(session, TENANT)
        rolled += len(claimed.ids)
        sighted += claimed.sightings
        if not claimed.ids:
            break
        context.progress(f"{sighted:,} sightings rolled up")
    complete_until = context.now if waiting is None else min(waiting, context.now)
    return Done(
        f"{rolled:,} batches, {sighted:,} sightings",
        complete_until,
        counts={"batches": rolled, "sightings": sighted},
    )


def _roll(session: Session, tenant: int, claimed: Collection[int]) -> None:
    """Adds the claimed batches to the rollups, and mends what they change in earlier ones."""
    ids = list(claimed)
    days = batches.days_of(session, tenant, ids)
    if days is not None:
        _roll_calls(session, tenant, ids, days)
    # After the calls: what metrics tell counts only where nothing else told.
    changed = metered.meter_batches(session, tenant, ids)
    if days is not None:
        changed += told.tell(session, tenant, ids, days)
    metered.settle(session, tenant, changed)


def _roll_calls(session: Session, tenant: int, ids: Sequence[int], days: tuple[date, date]) -> None:
    suspected = suspects.suspect_traces(session, tenant, ids, days)
    if suspected:
        _settle(session, tenant, suspects.linked_traces(session, tenant, suspected), set(ids))
    rollups.add(
        session,
        select(
            *(column_of(sightings, name) for name in rollups.CALL_COLUMNS),
            literal(1, Integer).label("sign"),
        )
        .where(
            sightings.c.tenant_id == tenant,
            sightings.c.batch_id.in_(ids),
            sightings.c.day.between(*days),
            sightings.c.standing.is_(None),
            column_of(sightings, "role") != Role.AGGREGATE,
        )
        .subquery("contributions"),
    )


def _settle(session: Session, tenant: int, traces: Collection[UUID], claimed: set[int]) -> None:
    """Decides anew what is one call in these traces, and moves the rollups by the difference."""
    stored = twins.load(session, tenant, traces, retention.frozen_before(session, tenant))
    settlement = settle(one.sighting for one in stored)
    keys = {key_of(one.sighting): one.key for one in stored}
    calls = {keys[key_of(joined.key)]: joined for joined in settlement.joined}
    old = twins.joined_rows(session, tenant, sorted({one.call for one in stored if one.call}))
    new = {
        key: twins.row_of(joined, tenant, key[2], old[key]["version"] + 1 if key in old else 1)
        for key, joined in calls.items()
    }
    same = {key for key in old if key in new and _unchanged(old[key], new[key])}
    standings = _standings(stored, settlement, calls)
    in_rollups = [one for one in stored if one.batch_id not in claimed]
    twins.take_away(
        session,
        tenant,
        counted=[
            one.key
            for one in in_rollups
            if _counts(one.standing, one) and not _counts(standings[one.key][0], one)
        ],
        joined=[key for key in old if key not in same],
    )
    twins.set_standing(
        session,
        tenant,
        (
            (one.key, *standings[one.key])
            for one in stored
            if (one.standing, one.call) != standings[one.key]
        ),
    )
    twins.remove_joined(session, tenant, [key for key in old if key not in same])
    changed = {key: row for key, row in new.items() if key not in same}
    _remember_names(session, tenant, [calls[key] for key in changed])
    if changed:
        twins.add_joined(session, list(changed.values()))
    twins.give_back(
        session,
        tenant,
        counted=[
            one.key
            for one in in_rollups
            if not _counts(one.standing, one) and _counts(standings[one.key][0], one)
        ],
        joined=list(changed),
    )


def _counts(standing: Standing, one: Stored) -> bool:
    return standing is Standing.COUNTS and one.sighting.role is not Role.AGGREGATE


def _standings(
    stored: Collection[Stored], settlement: Settlement, calls: dict[Key, Joined]
) -> dict[Key, tuple[Standing, Key | None]]:
    """What becomes of each sighting, and the joined call that it is a part of."""
    part_of = {key_of(member): key for key, joined in calls.items() for member in joined.members}
    standings: dict[Key, tuple[Standing, Key | None]] = {}
    for one in stored:
        name = key_of(one.sighting)
        if name in part_of:
            standings[one.key] = Standing.MERGED, part_of[name]
        elif name in settlement.held or one.sighting.role is Role.AGGREGATE:
            standings[one.key] = Standing.HELD, None
        else:
            standings[one.key] = Standing.COUNTS, None
    return standings


def _unchanged(old: dict[str, Any], new: dict[str, Any]) -> bool:
    return all(old[name] == value for name, value in new.items() if name != "version")


def _remember_names(session: Session, tenant: int, joined: Collection[Joined]) -> None:
    """Puts owners and routes that came about by joining into the dictionaries."""
    known = dictionaries.Known()
    for table, entries in (
        (owners, {content_id(one.owner): one.owner for one in joined}),
        (routes, {content_id(one.route): one.route for one in joined}),
    ):
        dictionaries.remember(session, tenant, table, entries, known)
