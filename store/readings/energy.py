"""Keeps what was told of energy, and answers what hours came to (``spend/capacity/energy.py``)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Final

from sqlalchemy import (
    BigInteger,
    DateTime,
    Integer,
    and_,
    cast,
    delete,
    func,
    literal,
    or_,
    select,
    true,
)
from sqlalchemy import insert as plain_insert
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Session

from spend.capacity.energy import (
    EVERY,
    LONGEST,
    STILL,
    EnergyCounter,
    EnergyReading,
    MeasuredHour,
    better,
    fits,
    hour_of,
    kept_at,
    measured,
)
from store.dictionaries import Known
from store.readings.readings import Kept
from store.tables.energy import energy_counters, energy_readings, energy_told

_COUNTER: Final = tuple(field.name for field in fields(EnergyCounter))
_READING: Final = ("started_at", "read_at", "millijoules")

_Key = tuple[int, datetime]
"""A counter, and ``kept_at``."""


def remember_energy_counters(
    session: Session, tenant: int, told: Mapping[int, EnergyCounter], known: Known
) -> list[tuple[int, str, int]]:
    """Stores counters that are not known; returns what is known once the session commits."""
    name = energy_counters.name
    new = sorted(id_ for id_ in told if (tenant, name, id_) not in known)
    if new:
        rows = [{"tenant_id": tenant, "id": id_, **asdict(told[id_])} for id_ in new]
        session.execute(insert(energy_counters).on_conflict_do_nothing(), rows)
    return [(tenant, name, id_) for id_ in new]


def put_energy(
    session: Session,
    tenant: int,
    batch_id: int,
    requests: Sequence[Sequence[EnergyReading]],
    counters: Mapping[int, EnergyCounter],
) -> list[Kept]:
    """Stores readings; those that tell nothing that is kept count as duplicates.

    Returns what became of each request's, in their order.
    """
    merged: dict[_Key, tuple[EnergyReading, int]] = {}
    for number, told in enumerate(requests):
        for reading in told:
            key = reading.counter, kept_at(reading, cumulative=counters[reading.counter].cumulative)
            if key not in merged or better(merged[key][0], reading) != merged[key][0]:
                merged[key] = reading, number
    stored = [0] * len(requests)
    changed = _insert(session, tenant, {key: it[0] for key, it in merged.items()})
    for key in changed:
        stored[merged[key][1]] += 1
    _note(session, tenant, batch_id, changed)
    return [Kept(some, len(told) - some) for some, told in zip(stored, requests, strict=True)]


def _insert(session: Session, tenant: int, told: Mapping[_Key, EnergyReading]) -> list[_Key]:
    """The keys of those that were new, or better than what was there."""
    if not told:
        return []
    # In the order of the key, so that writers wait for each other and never in a ring.
    keys = sorted(told)
    moments = ARRAY(DateTime(timezone=True))
    rows = (
        func.unnest(
            cast([key[0] for key in keys], ARRAY(BigInteger)),
            cast([key[1] for key in keys], moments),
            cast([told[key].started_at for key in keys], moments),
            cast([told[key].read_at for key in keys], moments),
            cast([told[key].millijoules for key in keys], ARRAY(BigInteger)),
        )
        .table_valued("counter_id", "kept_at", *_READING, name="given")
        .render_derived()
    )
    names = ["counter_id", "kept_at", *_READING]
    given = select(literal(tenant, Integer), *(rows.c[name] for name in names)).order_by(
        rows.c.counter_id, rows.c.kept_at
    )
    statement = insert(energy_readings).from_select(["tenant_id", *names], given)
    new, old = statement.excluded, energy_readings.c
    upsert = statement.on_conflict_do_update(
        index_elements=["tenant_id", "counter_id", "kept_at"],
        set_={name: new[name] for name in _READING},
        where=or_(
            new.read_at > old.read_at,
            and_(new.read_at == old.read_at, new.millijoules > old.millijoules),
        ),
    ).returning(old.counter_id, old.kept_at)
    return [(counter, at) for counter, at in session.execute(upsert)]


def _note(session: Session, tenant: int, batch_id: int, changed: Collection[_Key]) -> None:
    """Remembers of which counters something is new, from when to when."""
    spans: dict[int, tuple[datetime, datetime]] = {}
    for counter, at in changed:
        first, last = spans.get(counter, (at, at))
        spans[counter] = min(first, at), max(last, at)
    rows = [
        {
            "tenant_id": tenant,
            "batch_id": batch_id,
            "counter_id": counter,
            "first_at": first,
            "last_at": last,
        }
        for counter, (first, last) in spans.items()
    ]
    if rows:
        session.execute(plain_insert(energy_told), rows)


def joules_by_hour(
    session: Session, tenant: int, match: Mapping[str, str], start: datetime, end: datetime
) -> dict[datetime, MeasuredHour]:
    """What those whose attributes fit ``match`` used in each hour from ``start`` to ``end`` (UTC).

    Hours in which nobody of them is expected to tell are left out: nothing is known of them.
    """
    counters = {
        id_: one for id_, one in _counters(session, tenant).items() if fits(one.attributes, match)
    }
    if not counters:
        return {}
    readings = _readings(session, tenant, list(counters), start, end)
    return measured(counters, readings, start, end)


@dataclass(frozen=True, slots=True)
class ToldAnew:
    """Hours (UTC) in which what a counter measured may have changed."""

    attributes: Mapping[str, str]
    first: datetime
    last: datetime
    """The start of the last of them."""


def claim_told(session: Session, tenant: int) -> list[ToldAnew]:
    """What was told since it was last claimed; once it is committed it is told no more.

    Ask ``spend.capacity.energy.fits`` whose hours are to be looked at again. The last hours may be
    to come.
    """
    spans: dict[int, tuple[datetime, datetime]] = {}
    claimed = delete(energy_told).where(energy_told.c.tenant_id == tenant)
    for counter, first, last in session.execute(
        claimed.returning(energy_told.c.counter_id, energy_told.c.first_at, energy_told.c.last_at)
    ):
        before = spans.get(counter, (first, last))
        spans[counter] = min(before[0], first), max(before[1], last)
    if not spans:
        return []
    counters = _counters(session, tenant)
    return [
        ToldAnew(counters[counter].attributes, *_window(session, tenant, counter, first, last))
        for counter, (first, last) in sorted(spans.items())
    ]


def _window(
    session: Session, tenant: int, counter: int, first: datetime, last: datetime
) -> tuple[datetime, datetime]:
    """The hours that what was kept from ``first`` to ``last`` can change: to its neighbours."""
    before = _neighbours(session, tenant, [counter], first, later=False)
    after = _neighbours(session, tenant, [counter], last, later=True)
    begins = min([first - STILL, *(one.read_at for one in before)])
    ends = max(last + STILL, after[0].read_at) if after else last + LONGEST
    return hour_of(begins), hour_of(ends)


def _counters(session: Session, tenant: int) -> dict[int, EnergyCounter]:
    rows = session.execute(
        select(energy_counters.c.id, *(energy_counters.c[name] for name in _COUNTER)).where(
            energy_counters.c.tenant_id == tenant
        )
    )
    return {row[0]: EnergyCounter(*row[1:]) for row in rows}


def _readings(
    session: Session, tenant: int, counters: Sequence[int], start: datetime, end: datetime
) -> list[EnergyReading]:
    """What ``measured`` needs for the hours between two moments (UTC)."""
    # A cumulative reading is up to five minutes later than that.
    first, last = start - STILL - EVERY, end + STILL
    rows = session.execute(
        select(energy_readings.c.counter_id, *(energy_readings.c[name] for name in _READING)).where(
            energy_readings.c.tenant_id == tenant,
            energy_readings.c.counter_id == func.any(cast(counters, ARRAY(BigInteger))),
            energy_readings.c.kept_at.between(first, last),
        )
    )
    return [
        *(EnergyReading(*row) for row in rows),
        *_neighbours(session, tenant, counters, first, later=False),
        *_neighbours(session, tenant, counters, last, later=True),
    ]


def _neighbours(
    session: Session, tenant: int, counters: Sequence[int], moment: datetime, *, later: bool
) -> list[EnergyReading]:
    """Of each counter the last reading before a moment, or the first one after it."""
    asked = (
        func.unnest(cast(counters, ARRAY(BigInteger)))
        .table_valued("counter_id", name="asked")
        .render_derived()
    )
    at = energy_readings.c.kept_at
    near = (
        select(energy_readings.c.counter_id, *(energy_readings.c[name] for name in _READING))
        .where(
            energy_readings.c.tenant_id == tenant,
            energy_readings.c.counter_id == asked.c.counter_id,
            at.between(moment - LONGEST - EVERY, moment + LONGEST),
            at > moment if later else at < moment,
        )
        .order_by(at if later else at.desc())
        .limit(1)
        .lateral("near")
    )
    rows = session.execute(select(near).select_from(asked.join(near, true())))
    return [EnergyReading(*row) for row in rows]
