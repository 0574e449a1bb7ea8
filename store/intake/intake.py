"""Puts down what was heard: many requests in one transaction, each told what became of it."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import partial
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from sqlalchemy import JSON, Text, bindparam, cast, insert, text
from sqlalchemy.orm import Session

from spend.calls import Emitter, Owner, Route
from spend.capacity.energy import EnergyCounter, EnergyReading
from spend.contents.contents import Content
from spend.readings import Reading, TokenCounter
from store.contents.contents import put_contents
from store.dictionaries import TABLES, Known, remember
from store.intake import retention
from store.intake.copying import Copied, Fate, copy_in, copy_straight
from store.intake.retention import midnight
from store.narrow import Narrowed, narrowed, with_nul
from store.readings.energy import put_energy, remember_energy_counters
from store.readings.readings import Kept, put_readings, remember_counters
from store.sightings import KEY
from store.tables.heard import batches

_BEGIN: Final = text(
    # A sender waits for the answer: better busy soon than stored late. And what is answered as
    # stored must survive a crash, whatever the server's default is.
    "SELECT nextval('batch_ids'), set_config('statement_timeout', '5s', true),"
    " set_config('lock_timeout', '2s', true),"
    " CASE WHEN current_setting('synchronous_commit') IN ('off', 'local')"
    " THEN set_config('synchronous_commit', 'on', true) END,"
    # Until this is committed nothing is dropped that it could bring back
    # (store/intake/retention.py).
    " pg_advisory_xact_lock_shared(hashtext('spanledger retention'))"
)
_INSERT: Final = insert(batches).values(
    # JSON already.
    details=cast(bindparam("details_told", type_=Text), JSON)
)
_TOO_OLD: Final = "start: too_old, its day is not kept any more"
_READ_TOO_LONG_AGO: Final = "time_unix_nano: too_old, its day is not kept any more"
_NUL: Final = "22P05"
"""SQLSTATE of a NUL in a text, which Postgres cannot keep."""


class Unaccounted(Exception):  # noqa: N818 - it names the spans, not the mistake
    """Spans were heard that are neither stored nor accounted for: a bug, and nothing is stored."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one request holds, beside its sightings."""

    heard: int
    """Spans, log records or points in the request: each is a sighting or one of ``readings`` or of
    ``energy``, not a call, or refused."""
    not_a_call: int
    """Spans that are no sighting: other work, tools, wrappers without usage."""
    refused: Mapping[str, int]
    """Reason -> spans that cannot be kept: an id or a time that is none."""
    usage_refused: Mapping[str, int] = field(default_factory=dict)
    """Reason -> calls that are kept without their usage."""
    usage_conflicts: Mapping[str, int] = field(default_factory=dict)
    """Emitter and its version -> calls whose counts contradict what is held of it: its meaning of
    input or output has changed."""
    readings: Sequence[Reading] = ()
    """What data points of metrics tell of tokens."""
    energy: Sequence[EnergyReading] = ()
    """What they tell of energy."""
    contents: Sequence[Content] = ()
    """What was said in its calls, redacted: where somebody switched that on."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What some requests hold that were understood together."""

    parts: Sequence[Part]
    """One for each request, in their order."""
    sightings: pa.RecordBatch
    """Schema ``store.sightings.SIGHTINGS``, all of the batch's tenant."""
    part_of: NDArray[np.int64]
    """Which of the parts each sighting is of."""
    owners: Mapping[int, Owner]
    routes: Mapping[int, Route]
    emitters: Mapping[int, Emitter]
    """By ``spend.ids.content_id``."""
    counters: Mapping[int, TokenCounter] = field(default_factory=dict)
    """Of the readings, by id."""
    energy_counters: Mapping[int, EnergyCounter] = field(default_factory=dict)
    """Of those of energy, by id."""
    acknowledged: bool = False
    """Whether its senders were told that it is safe: it is taken as long as it can be."""


def apart(heard: Heard) -> list[Heard]:
    """Each of the parts as if it had been heard alone."""
    rows = [np.flatnonzero(heard.part_of == number) for number in range(len(heard.parts))]
    return [
        replace(
            heard,
            parts=[part],
            sightings=heard.sightings.take(pa.array(its)),
            part_of=np.zeros(len(its), np.int64),
        )
        for part, its in zip(heard.parts, rows, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class Batch:
    """What is put down together."""

    tenant: int
    received_at: datetime
    """When the last of it was heard (UTC)."""
    heard: Sequence[Heard]

    @property
    def parts(self) -> Sequence[Part]:
        """All requests, in their order."""
        return [part for heard in self.heard for part in heard.parts]


@dataclass(frozen=True, slots=True)
class Account:
    """What became of one request's spans: heard = the sum of all that follows it.

    (Of ``refused`` all reasons; ``usage_refused`` are stored.)
    """

    heard: int
    stored: int
    duplicate: int
    not_a_call: int
    refused: Mapping[str, int]
    usage_refused: Mapping[str, int]
    spooled: int = 0
    """On the disk of the collector, to be stored once the database is back."""


@dataclass(frozen=True, slots=True)
class PutDown:
    """A batch in an open transaction."""

    batch_id: int
    accounts: Sequence[Account]
    """In the order of the batch's parts."""
    entries: Sequence[tuple[int, str, int]]
    """Owners, routes and emitters to add to ``Known`` once it is committed."""


def put_down(session: Session, batch: Batch, known: Known, *, straight: bool = False) -> PutDown:
    """Store a batch in the session's transaction; the caller commits, and then may answer.

    A sighting that is there already (same tenant, trace, span and day) stays as it is and counts
    as a duplicate, also within the batch: the first one stays. Raises ``Unaccounted`` where a
    request's numbers do not add up, and what psycopg and SQLAlchemy raise; after any of these
    nothing is stored once the session is rolled back. ``straight`` is faster, and raises also
    where a sighting is there already or Postgres refuses one (``is_about_the_data``).
    """
    batch_id = int(session.execute(_BEGIN).scalar_one())
    since = _taken_since(session, batch)
    batch = _without_old_readings(batch, since)
    entries, unstorable = _remember_entries(session, batch, known)
    rows, part_of = _in_key_order(batch)
    old = _older(rows, part_of, batch, since)
    copy = copy_straight if straight else copy_in
    fates, why_not, details = _store(partial(copy, session), rows, batch_id, unstorable, old)
    entries += _remember_counters(session, batch, known)
    kept = put_readings(session, batch.tenant, batch_id, [it.readings for it in batch.parts])
    more, energy = _put_energy(session, batch, batch_id, known)
    entries += more
    kept = [_both(one, other) for one, other in zip(kept, energy, strict=True)]
    accounts = _accounts(batch.parts, part_of, fates, why_not, kept)
    session.execute(_INSERT, _row(batch, batch_id, accounts, details))
    said = [
        told
        for heard, first in zip(batch.heard, since, strict=True)
        for part in heard.parts
        for told in part.contents
        if told.at.date() >= first
    ]
    put_contents(session, batch.tenant, said, batch.received_at.date())
    return PutDown(batch_id, accounts, entries)


def _remember_entries(
    session: Session, batch: Batch, known: Known
) -> tuple[list[tuple[int, str, int]], dict[str, dict[int, str]]]:
    """The dictionaries' new keys, and column -> id -> SQLSTATE for entries Postgres refused."""
    keys: list[tuple[int, str, int]] = []
    unstorable: dict[str, dict[int, str]] = {}
    for table in TABLES:
        entries: dict[int, Owner | Route | Emitter] = {}
        for heard in batch.heard:
            entries.update(getattr(heard, table.name))
        new, refused = remember(session, batch.tenant, table, entries, known)
        keys += new
        if refused:
            unstorable[f"{table.name.removesuffix('s')}_id"] = refused
    return keys, unstorable


def _remember_counters(session: Session, batch: Batch, known: Known) -> list[tuple[int, str, int]]:
    counters = {id_: it for heard in batch.heard for id_, it in heard.counters.items()}
    return remember_counters(session, batch.tenant, counters, known)


def _put_energy(
    session: Session, batch: Batch, batch_id: int, known: Known
) -> tuple[list[tuple[int, str, int]], list[Kept]]:
    counters = {id_: it for heard in batch.heard for id_, it in heard.energy_counters.items()}
    entries = remember_energy_counters(session, batch.tenant, counters, known)
    told = [it.energy for it in batch.parts]
    return entries, put_energy(session, batch.tenant, batch_id, told, counters)


def _both(one: Kept, other: Kept) -> Kept:
    return Kept(one.stored + other.stored, one.duplicate + other.duplicate)


def _in_key_order(batch: Batch) -> tuple[pa.RecordBatch, NDArray[np.int64]]:
    """All rows by key, and which part each is of; of one key, the earlier part's first.

    Every writer uses this order, so that none waits for another in a ring.
    """
    rows = pa.concat_batches([heard.sightings for heard in batch.heard])
    before = np.cumsum([0, *(len(heard.parts) for heard in batch.heard)])
    part_of = np.concatenate(
        [heard.part_of + first for heard, first in zip(batch.heard, before[:-1], strict=True)]
    )
    order = pc.sort_indices(rows, sort_keys=[(name, "ascending") for name in KEY])
    return rows.take(order), part_of[order.to_numpy()]


def _first_of_key(rows: pa.RecordBatch) -> NDArray[np.bool_]:
    """Which rows are the first of their key; the rows are in key order."""
    first = np.ones(rows.num_rows, np.bool_)
    for number, name in enumerate(KEY):
        column = rows.column(name)
        same = pc.equal(column.slice(1), column.slice(0, max(rows.num_rows - 1, 0)))
        differs = ~same.to_numpy(zero_copy_only=False)
        first[1:] = differs if number == 0 else first[1:] | differs
    return first


def _taken_since(session: Session, batch: Batch) -> list[date]:
    """Of each that was heard, the first day (UTC) that is still taken of it."""
    kept_from = retention.kept_from(session, batch.tenant)
    if kept_from is None:
        return [date.min for _ in batch.heard]
    again = retention.taken_again_from(session, batch.tenant)
    return [again if heard.acknowledged else kept_from for heard in batch.heard]


def _without_old_readings(batch: Batch, since: Sequence[date]) -> Batch:
    """The same without readings of days (UTC) that are not taken any more; these are refused."""
    heard = [
        replace(one, parts=[_without_old(part, midnight(day)) for part in one.parts])
        for one, day in zip(batch.heard, since, strict=True)
    ]
    return replace(batch, heard=heard)


def _without_old(part: Part, since: datetime) -> Part:
    if not part.readings and not part.energy:
        return part
    readings = [one for one in part.readings if one.read_at >= since]
    energy = [one for one in part.energy if one.read_at >= since]
    old = len(part.readings) - len(readings) + len(part.energy) - len(energy)
    if not old:
        return part
    refused = Counter(part.refused) + Counter({_READ_TOO_LONG_AGO: old})
    return replace(part, readings=readings, energy=energy, refused=refused)


def _older(
    rows: pa.RecordBatch, part_of: NDArray[np.int64], batch: Batch, since: Sequence[date]
) -> NDArray[np.int64]:
    """The rows of days (UTC) that are not taken any more of what they were heard with."""
    parts = [len(heard.parts) for heard in batch.heard]
    first = np.repeat(np.array(since, "datetime64[D]"), parts)[part_of]
    return np.flatnonzero(rows.column("day").to_numpy(zero_copy_only=False) < first)


def _store(
    copy: Callable[[pa.RecordBatch], Copied],
    rows: pa.RecordBatch,
    batch_id: int,
    unstorable: dict[str, dict[int, str]],
    old: NDArray[np.int64],
) -> tuple[NDArray[np.int8], dict[int, str], list[str]]:
    """What became of each row, row -> why it was refused, and the texts of their details."""
    fates = np.where(_first_of_key(rows), Fate.STORED, Fate.DUPLICATE).astype(np.int8)
    sqlstates: dict[int, str] = {}
    for column, refused in unstorable.items():
        for row, id_ in enumerate(rows.column(column).to_pylist()):
            if id_ in refused:
                fates[row] = Fate.REFUSED
                sqlstates[row] = refused[id_]
    for row in with_nul(rows.column("details")):
        if fates[row] == Fate.STORED:
            fates[row] = Fate.REFUSED
            sqlstates[row] = _NUL
    fates[old] = Fate.REFUSED
    wanted = np.flatnonzero(fates == Fate.STORED)
    chosen = rows if len(wanted) == rows.num_rows else rows.take(pa.array(wanted))
    kept = narrowed(chosen, batch_id)
    copied = copy(kept.rows)
    fates[wanted] = copied.fates
    sqlstates |= {int(wanted[row]): state for row, state in copied.sqlstates.items()}
    why_not = {row: f"cannot be stored (SQLSTATE {state})" for row, state in sqlstates.items()}
    why_not |= dict.fromkeys(old.tolist(), _TOO_OLD)
    return fates, why_not, _told(kept, copied.fates == Fate.STORED)


def _told(kept: Narrowed, stored: NDArray[np.bool_]) -> list[str]:
    """The texts to which stored rows point, in their places: who sends all again costs no disk."""
    if stored.all():
        return kept.details
    used = set(kept.rows.column("details_no").filter(pa.array(stored)).drop_null().to_pylist())
    texts = [it if place in used else "null" for place, it in enumerate(kept.details)]
    return texts[: max(used, default=-1) + 1]


def _accounts(
    parts: Sequence[Part],
    part_of: NDArray[np.int64],
    fates: NDArray[np.int8],
    why_not: Mapping[int, str],
    kept: Sequence[Kept],
) -> list[Account]:
    stored = np.bincount(part_of[fates == Fate.STORED], minlength=len(parts))
    duplicate = np.bincount(part_of[fates == Fate.DUPLICATE], minlength=len(parts))
    refused = [Counter(part.refused) for part in parts]
    for row, reason in why_not.items():
        refused[part_of[row]][reason] += 1
    accounts = [
        Account(
            heard=part.heard,
            stored=int(stored[n]) + kept[n].stored,
            duplicate=int(duplicate[n]) + kept[n].duplicate,
            not_a_call=part.not_a_call,
            refused=refused[n],
            usage_refused=part.usage_refused,
        )
        for n, part in enumerate(parts)
    ]
    for it in accounts:
        if it.heard != it.stored + it.duplicate + it.not_a_call + sum(it.refused.values()):
            raise Unaccounted(f"heard is not stored + duplicate + not a call + refused: {it}")
    return accounts


def _row(
    batch: Batch, batch_id: int, accounts: Sequence[Account], details: Sequence[str]
) -> dict[str, object]:
    """The row of ``batches``."""
    refused = sum((Counter(it.refused) for it in accounts), Counter[str]())
    usage_refused = sum((Counter(it.usage_refused) for it in accounts), Counter[str]())
    conflicts = sum((Counter(it.usage_conflicts) for it in batch.parts), Counter[str]())
    return {
        "tenant_id": batch.tenant,
        "id": batch_id,
        "received_at": batch.received_at,
        "heard": sum(it.heard for it in accounts),
        "stored": sum(it.stored for it in accounts),
        "duplicate": sum(it.duplicate for it in accounts),
        "not_a_call": sum(it.not_a_call for it in accounts),
        "refused": refused.total(),
        "refused_for": dict(refused) or None,
        "usage_refused_for": dict(usage_refused) or None,
        "usage_conflicts_for": dict(conflicts) or None,
        "details_told": f"[{','.join(details)}]" if details else None,
    }
