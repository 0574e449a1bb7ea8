"""Prices charged time again, where somebody asked for it, and books the difference as corrections.

It goes through the time in stretches. Each is one transaction: what its cells cost by the book of
the moment asked for, the corrections, and how far it has come. So it can be killed anywhere, is
gone on with by whoever comes next, and several at once do each stretch once. Beside it calls are
heard and charged: what of a stretch is still to be charged, it charges first.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Final

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy.orm import Session

from jobs.charging.charge import charge_cells
from jobs.charging.rate_cells import Cells, moment_of
from jobs.charging.stretch_charges import Concluded, conclude_stretch
from jobs.charging.sum_days import sum_days
from jobs.charging.uncollected import uncollected
from jobs.charging.volume_steps import Volumes, charge_again
from jobs.context import Done, JobContext
from spend.money import EXACT
from spend.prices.knowledge import Knowledge, Repriced
from spend.prices.repricings import Difference, Repricing
from store import waiting
from store.capacity import pools
from store.ledger import ledger, ledger_columns
from store.ledger.ledger import CELL_KEY, PLACE, CellKey, Unpriced
from store.prices import repricings
from store.prices.repricings import Part
from store.tenants import TENANT

CELLS_AT_ONCE: Final = 10_000
"""Cells of one transaction: about a second's work, so that nobody waits long for the ledger."""

_NOTHING: Final = Decimal(0)
_NOT_YET: Final = -1


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
    sum_days(context)
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
                dry[asked.id] = _looked_at(session, asked)
            done = _book(session, context, asked, dry.get(asked.id))
        yield done


def _looked_at(session: Session, asked: Repricing) -> Volumes:
    """The volumes of months after what a dry run has been through: nothing of it is posted."""
    volumes = Volumes(TENANT, _as_if(session, asked, asked.ends))
    through = replace(asked, ends=asked.done_until, done_until=asked.starts)
    while through.done_until < through.ends:
        found = _work_out(session, through, volumes)
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
        volumes = _looked_at(session, replace(asked, done_until=start))
        while start < asked.ends:
            with uncollected():
                found = _work_out(session, replace(asked, done_until=start), volumes)
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
    if not asked.dry_run:
        end = _end(session, asked)
        charge_cells(session, context, asked.done_until, end)
    found = _work_out(session, asked, volumes)
    if not asked.dry_run:
        ledger_columns.post(
            session,
            TENANT,
            found.concluded.lines,
            now=context.posted_at(session),
            repricing_id=asked.id,
        )
        # Cells that changed meanwhile wait, and are charged by what is known of them then.
        still = repricings.claim_charged(session, TENANT, found.unpriced)
        settled = [(key, found.unpriced[key]) for key in sorted(still)]
        ledger.settle(session, TENANT, settled, now=context.posted_at(session))
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


def _work_out(session: Session, asked: Repricing, volumes: Volumes | None = None) -> _Found:
    """What the next stretch is to cost by what was known at the moment asked for."""
    start, end = asked.done_until, _end(session, asked)
    cells = _frame(ledger_columns.cells_between(session, TENANT, start, end))
    concluded = conclude_stretch(
        session,
        TENANT,
        cells,
        ledger_columns.posted_between(session, TENANT, start, end),
        held=pools.all_pools(session, TENANT),
        knowledge=_as_if(session, asked, end),
        volumes=volumes,
    )
    stretch = Stretch(
        ends=end,
        cells=len(cells),
        changed=concluded.lines.group_by([*PLACE]).aggregate([]).num_rows,
        different=_different(session, cells, concluded, start, end),
    )
    return _Found(stretch, concluded, _changed(cells, concluded.unpriced))


def _as_if(session: Session, asked: Repricing, end: datetime) -> Knowledge:
    """K(s) once the stretch up to ``end`` is done."""
    passed = Repriced(asked.id, asked.starts, end, asked.known_at)
    return Knowledge([*repricings.done(session, TENANT), passed])


def _frame(cells: pa.Table) -> Cells:
    """Columns CELLS of store/ledger/ledger_columns.py; not null: what is not concluded is -1."""
    return pd.DataFrame(
        {
            name: pc.fill_null(cells[name].cast(pa.int64()), _NOT_YET).to_numpy()
            for name in cells.column_names
        }
    )


def _changed(cells: Cells, unpriced: pd.DataFrame) -> dict[CellKey, Unpriced]:
    """What has no price now, of cells of which that is something else than before."""
    same = (unpriced["calls"] == cells["unpriced_calls"]) & (
        unpriced["tokens"] == cells["unpriced_tokens"]
    )
    keys = cells.loc[~same, [*CELL_KEY]].itertuples(index=False, name=None)
    counts = unpriced[~same].itertuples(index=False, name=None)
    return {(moment_of(slot), *key): now for (slot, *key), now in zip(keys, counts, strict=True)}


def _different(
    session: Session, cells: Cells, concluded: Concluded, start: datetime, end: datetime
) -> dict[Part, Difference]:
    """What becomes different in a stretch, for each part that has any cost or unpriced calls."""
    before = repricings.amounts_between(session, TENANT, start, end)
    by_part = concluded.lines.group_by(["payer_id", "route_id"])
    more: dict[Part, Decimal] = {}
    lines: dict[Part, int] = {}
    for each in by_part.aggregate([("amount", "sum"), ("amount", "count")]).to_pylist():
        part = (each["payer_id"], each["route_id"])
        more[part], lines[part] = each["amount_sum"], each["amount_count"]
    was: dict[Part, int] = defaultdict(int)
    now: dict[Part, int] = defaultdict(int)
    some = cells.assign(now=concluded.unpriced["calls"])
    some = some[(some["now"] > 0) | (some["unpriced_calls"] > 0)]
    told = some[["slot", "owner_id", "route_id", "unpriced_calls", "now"]]
    for slot, owner_id, route_id, was_unpriced, unpriced in told.itertuples(index=False, name=None):
        part = (concluded.paying.payer_of(owner_id, moment_of(slot)), route_id)
        was[part] += max(was_unpriced, 0)
        now[part] += unpriced
    return {
        part: Difference(
            before=(amount_before := before.get(part, _NOTHING)),
            after=EXACT.add(amount_before, more.get(part, _NOTHING)),
            unpriced_before=was[part],
            unpriced_after=now[part],
            lines=lines.get(part, 0),
        )
        for part in {*before, *more, *was}
    }
