"""Puts down what metrics told, in the transaction of the batch that it came with."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from typing import Final

from sqlalchemy import BigInteger, Integer, cast, func, literal, literal_column, or_, select
from sqlalchemy import insert as plain_insert
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Session

from spend.readings import Reading, TokenCounter
from store.dictionaries import Known
from store.tables.readings import counters, readings, told_anew

_FIELDS: Final = tuple(field.name for field in fields(Reading))
_NAMES: Final = ("id", "counter_id", *_FIELDS[1:])
"""Columns: the id, and the fields in their order."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of one request's readings."""

    stored: int
    duplicate: int


def put_readings(
    session: Session, tenant: int, batch_id: int, requests: Sequence[Sequence[Reading]]
) -> list[Kept]:
    """Stores readings; one that is there already stays, and is taken note of where it is wider.

    Their counters must be there. Returns what became of each request's, in their order.
    """
    merged: dict[int, Reading] = {}
    first_of: dict[int, int] = {}
    for number, told in enumerate(requests):
        for reading in told:
            id_ = reading.id
            merged[id_] = _wider(merged[id_], reading) if id_ in merged else reading
            first_of.setdefault(id_, number)
    new, changed = _insert(session, tenant, batch_id, merged)
    _note(session, tenant, batch_id, [merged[id_] for id_ in (*new, *changed)])
    stored = [0] * len(requests)
    for id_ in new:
        stored[first_of[id_]] += 1
    return [Kept(some, len(told) - some) for some, told in zip(stored, requests, strict=True)]


def _wider(one: Reading, other: Reading) -> Reading:
    return replace(
        one,
        read_at=min(one.read_at, other.read_at),
        last_read_at=max(one.last_read_at, other.last_read_at),
    )


def _insert(
    session: Session, tenant: int, batch_id: int, told: Mapping[int, Reading]
) -> tuple[list[int], list[int]]:
    """Ids of those that were new, and of those that were there and became wider."""
    if not told:
        return [], []
    # One array a column: a parameter for each value would take longer than storing it.
    ids = sorted(told)
    values = [ids, *([getattr(told[id_], field) for id_ in ids] for field in _FIELDS)]
    rows = (
        func.unnest(
            *(
                cast(column, ARRAY(readings.c[name].type))
                for name, column in zip(_NAMES, values, strict=True)
            )
        )
        .table_valued(*_NAMES, name="given")
        .render_derived()
    )
    given = select(
        literal(tenant, Integer),
        literal(batch_id, BigInteger),
        *(rows.c[name] for name in _NAMES),
        # In the order of the key, so that writers wait for each other and never in a ring.
    ).order_by(rows.c.id)
    statement = insert(readings).from_select(["tenant_id", "batch_id", *_NAMES], given)
    new = statement.excluded
    upsert = statement.on_conflict_do_update(
        index_elements=["tenant_id", "id"],
        set_={
            "read_at": func.least(readings.c.read_at, new.read_at),
            "last_read_at": func.greatest(readings.c.last_read_at, new.last_read_at),
        },
        where=or_(new.read_at < readings.c.read_at, new.last_read_at > readings.c.last_read_at),
    ).returning(readings.c.id, literal_column("(readings.xmax = 0)"))
    found = session.execute(upsert).all()
    return [id_ for id_, is_new in found if is_new], [id_ for id_, is_new in found if not is_new]


def _note(session: Session, tenant: int, batch_id: int, told: Iterable[Reading]) -> None:
    """Remembers which counters are to be metered anew, and from when on."""
    rows = [
        {"tenant_id": tenant, "batch_id": batch_id, "counter_id": counter, "since": since}
        for counter, since in _earliest(told).items()
    ]
    if rows:
        session.execute(plain_insert(told_anew), rows)


def _earliest(told: Iterable[Reading]) -> dict[int, datetime]:
    """Counter -> when the first of some readings was read."""
    first: dict[int, datetime] = {}
    for reading in told:
        first[reading.counter] = min(first.get(reading.counter, reading.read_at), reading.read_at)
    return first


def remember_counters(
    session: Session, tenant: int, told: Mapping[int, TokenCounter], known: Known
) -> list[tuple[int, str, int]]:
    """Stores counters that are not known; returns what is known once the session commits."""
    new = sorted(id_ for id_ in told if (tenant, counters.name, id_) not in known)
    if new:
        rows = [{"tenant_id": tenant, "id": id_, **asdict(told[id_])} for id_ in new]
        session.execute(insert(counters).on_conflict_do_nothing(), rows)
    return [(tenant, counters.name, id_) for id_ in new]
