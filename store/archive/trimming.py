"""Forgets what nobody can need any more of days that are not kept, a bounded bit at a time.

All of it is bookkeeping beside the calls; what it amounted to is in the cells and in the ledger.
Nothing that begins before ``retention.taken_again_from`` is taken, so the past can only be touched
as far as the rules reach back from there (docs/retention.md has the table).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Table, and_, exists, select, tuple_
from sqlalchemy.orm import Session

from spend.readings import LONGEST
from store.intake.retention import midnight
from store.tables.heard import batches, heard_from
from store.tables.readings import metered, readings, told

AT_ONCE: Final = 10_000
"""Rows of one transaction."""

REACH: Final = 2 * LONGEST + timedelta(days=2)
"""How far back from what is taken something that metrics told can still be decided anew: a reading
is about the ``LONGEST`` before it, and what shares hours with that is weighed together with it."""

SILENT: Final = timedelta(days=400)
"""A series that said nothing for so long does not go on."""


@dataclass(frozen=True, slots=True)
class Kept:
    """From when on what is kept."""

    taken_from: date
    """Nothing older is taken."""
    oldest: date
    """The first day (UTC) that the tables have sightings of; of those that are still to be dropped
    too."""


@dataclass(frozen=True, slots=True)
class Trimmed:
    """A table that is trimmed, and which of its rows nobody can need."""

    table: Table
    which: Callable[[Kept], ColumnElement[bool]]


def _batches(kept: Kept) -> ColumnElement[bool]:
    """Batches whose sightings are all gone: these began at most a day after they were heard."""
    return and_(
        batches.c.rolled_at.is_not(None),
        batches.c.received_at < midnight(min(kept.oldest, kept.taken_from) - timedelta(days=1)),
    )


def _readings(kept: Kept) -> ColumnElement[bool]:
    """All but the last of each series that may go on: its next reading is measured from there."""
    later = readings.alias("later")
    goes_on = exists().where(
        later.c.tenant_id == readings.c.tenant_id,
        later.c.series == readings.c.series,
        later.c.started_at == readings.c.started_at,
        later.c.read_at > readings.c.read_at,
    )
    silent = readings.c.last_read_at < midnight(kept.taken_from) - SILENT
    return and_(
        readings.c.last_read_at < midnight(kept.taken_from) - REACH,
        ~readings.c.cumulative | goes_on | silent,
    )


TRIMMED: Final = (
    Trimmed(batches, _batches),
    Trimmed(heard_from, lambda kept: heard_from.c.day < min(kept.oldest, kept.taken_from)),
    Trimmed(told, lambda kept: told.c.hour < midnight(kept.taken_from) - REACH),
    Trimmed(metered, lambda kept: metered.c.read_at < midnight(kept.taken_from) - REACH),
    Trimmed(readings, _readings),
)


def trim(session: Session, tenant: int, one: Trimmed, kept: Kept) -> int:
    """Deletes some of a table's rows that nobody can need; how many: 0, and none is left."""
    key = list(one.table.primary_key.columns)
    gone: Any = select(*key).where(one.table.c.tenant_id == tenant, one.which(kept)).limit(AT_ONCE)
    done = session.execute(
        one.table.delete().where(tuple_(*key).in_(gone)),
        execution_options={"preserve_rowcount": True},
    )
    return int(done.rowcount)  # type: ignore[attr-defined]  # a DELETE's result has one
