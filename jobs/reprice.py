"""Prices charged time again, where somebody asked for it, and books the difference as corrections.

It goes through the time in stretches. Each is one transaction: what its cells cost by the book of
the moment asked for, the corrections, and how far it has come. So it can be killed anywhere, is
gone on with by whoever comes next, and several at once do each stretch once. Beside it calls are
heard and charged: what of a stretch is still to be charged, it charges first.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Row
from sqlalchemy.orm import Session

from jobs.cell_charges import Concluded, conclude
from jobs.charge import charge_cells
from jobs.context import Done, JobContext
from jobs.uncollected import uncollected
from jobs.volume_steps import Volumes, charge_again
from spend.knowledge import Knowledge, Repriced
from spend.money import EXACT, amount, atoms
from spend.repricings import Difference, Repricing
from store import closing, ledger, payers, pools, repricings, waiting
from store.ledger import CellKey, Place, Unpriced, key_of, place_of
from store.repricings import Part
from store.tenants import TENANT

CELLS_AT_ONCE: Final = 10_000
"""Cells of one transaction: about a second's work, so that nobody waits long for the ledger."""

_NOTHING: Final = Decimal(0)


def run(context: JobContext) -> Done:
    """Goes through everything that was asked for."""
    lines = 0
    ids = set()
    for repricing in steps(context):
        ids.add(repricing.id)
        lines = repricing.lines
        context.progress(
            f"re-pricing {repricing.id}: until {repricing.done_until:%Y-%m-%d %H:%M},"
            f" {lines:,} lines"
        )
    return Done(f"{len(ids):,} re-pricings")


def steps(context: JobContext) -> Iterator[Repricing]:
    """Does one stretch after the other, of the first that was asked for first.

    Yields how far each has come. To stop between two leaves the rest to whoever goes on.
    """
    dry: dict[int, Volumes] = {}
    while True:
        with uncollected(), context.database.write() as session:
            waiting.lock_ledger(session)
            asked = repricings.next_unfinished(session, TENANT)
            if asked is None:
                return
            if asked.dry_run and asked.id not in dry:
                dry[asked.id] = _looked_at(session, context, asked)
            done = _book(session, context, asked, dry.get(asked.id))
        yield done


def _looked_at(session: Session, context: JobContext, asked: Repricing) -> Volumes:
    """The volumes of months after what a dry run has been through: nothing of it is posted."""
    volumes = Volumes(TENANT, _as_if(session, asked, asked.ends), context.settings.currency)
    through = replace(asked, ends=asked.done_until, done_until=asked.starts)
    while through.done_until < through.ends:
        found = _work_out(session, context, through, volumes)
        through = replace(through, done_until=found.stretch.ends)
    return volumes


@dataclass(frozen=True, slots=True)
class Stretch:
    """What a re-pricing makes of a stretch of time."""

    ends: datetime
    cells: int
    """Looked at."""
    changed: int
    """Places with another cost."""
    different: Mapping[Part, Difference]


def preview(context: JobContext, asked: Repricing) -> Iterator[Stretch]:
    """What ``asked`` would book, stretch by stretch, on one snapshot. Nothing is written."""
    with context.database.read() as session:
        start = asked.starts
        volumes = _looked_at(session, context, replace(asked, done_until=start))
        while start < asked.ends:
            with uncollected():
                found = _work_out(session, context, replace(asked, done_until=start), volumes)
            yield found.stretch
            start = found.stretch.ends


@dataclass(frozen=True, slots=True)
class _Found:
    stretch: Stretch
    concluded: Concluded
    unpriced: Mapping[CellKey, Unpriced] = field(default_factory=dict)
    """Of cells with another volume that has no price than before."""


def _book(
    session: Session, context: JobContext, asked: Repricing, volumes: Volumes | None
) -> Repricing:
    """Does the next stretch of a re-pricing; the ledger is locked."""
    closed_to = closing.open_from(session, TENANT)
    if closed_to is not None and asked.done_until < closed_to and not asked.dry_run:
        # It was closed after it was asked for: what the ledger says of it does not move any more.
        return repricings.advance(
            session,
            TENANT,
            asked,
            min(closed_to, asked.ends),
            cells_seen=0,
            cells_changed=0,
            different={},
            now=context.now,
        )
    if not asked.dry_run:
        end = _end(session, asked)
        charge_cells(session, context, asked.done_until, end)
    found = _work_out(session, context, asked, volumes)
    if not asked.dry_run:
        ledger.post(
            session,
            TENANT,
            found.concluded.lines,
            currency=context.settings.currency,
            now=context.now,
            repricing_id=asked.id,
        )
        # Cells that changed meanwhile wait, and are charged by what is known of them then.
        still = repricings.claim_charged(session, TENANT, found.unpriced)
        ledger.settle(session, TENANT, [(key, found.unpriced[key]) for key in sorted(still)])
        charge_again(session, TENANT, found.concluded.again)
    return repricings.advance(
        session,
        TENANT,
        asked,
        found.stretch.ends,
        cells_seen=found.stretch.cells,
        cells_changed=found.stretch.changed,
        different=found.stretch.different,
        now=context.now,
    )


def _end(session: Session, asked: Repricing) -> datetime:
    return repricings.stretch_end(
        session, TENANT, asked.done_until, asked.ends, at_most=CELLS_AT_ONCE
    )


def _work_out(
    session: Session, context: JobContext, asked: Repricing, volumes: Volumes | None = None
) -> _Found:
    """What the next stretch is to cost by what was known at the moment asked for."""
    start, end = asked.done_until, _end(session, asked)
    cells = repricings.cells_between(session, TENANT, start, end)
    places: list[Place] = list(dict.fromkeys(place_of(row) for row in cells))
    concluded = conclude(
        session,
        TENANT,
        cells,
        ledger.posted_at_prices(session, TENANT, places),
        held=pools.all_pools(session, TENANT),
        knowledge=_as_if(session, asked, end),
        currency=context.settings.currency,
        volumes=volumes,
    )
    stretch = Stretch(
        ends=end,
        cells=len(cells),
        changed=len(
            {(each.slot, each.owner_id, each.route_id, each.band) for each in concluded.lines}
        ),
        different=_different(session, cells, concluded, start, end),
    )
    unpriced = {
        key: now
        for row in cells
        if (now := concluded.unpriced[key := key_of(row)])
        != (row.unpriced_calls, row.unpriced_tokens)
    }
    return _Found(stretch, concluded, unpriced)


def _as_if(session: Session, asked: Repricing, end: datetime) -> Knowledge:
    """K(s) once the stretch up to ``end`` is done."""
    passed = Repriced(asked.id, asked.starts, end, asked.known_at)
    return Knowledge([*repricings.done(session, TENANT), passed])


def _different(
    session: Session,
    cells: Sequence[Row[*tuple[Any, ...]]],
    concluded: Concluded,
    start: datetime,
    end: datetime,
) -> dict[Part, Difference]:
    """What becomes different in a stretch, for each part that has any cost or unpriced calls."""
    before = repricings.amounts_between(session, TENANT, start, end)
    more: dict[Part, int] = defaultdict(int)
    lines: dict[Part, int] = defaultdict(int)
    was: dict[Part, int] = defaultdict(int)
    now: dict[Part, int] = defaultdict(int)
    for line in concluded.lines:
        part = (line.payer, line.route_id)
        more[part] += atoms(line.amount)
        lines[part] += 1
    paying = payers.paying(session, TENANT, {row.owner_id for row in cells})
    for row in cells:
        unpriced = concluded.unpriced[key_of(row)][0]
        if unpriced or row.unpriced_calls:
            part = (paying.payer_of(row.owner_id, row.slot), row.route_id)
            was[part] += row.unpriced_calls or 0
            now[part] += unpriced
    return {
        part: Difference(
            before=(amount_before := before.get(part, _NOTHING)),
            after=EXACT.add(amount_before, amount(more[part])),
            unpriced_before=was[part],
            unpriced_after=now[part],
            lines=lines[part],
        )
        for part in {*before, *more, *was}
    }
