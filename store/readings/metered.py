"""What metrics told, metered; and in the rollups where nothing else told: spend/readings.py."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    FromClause,
    Integer,
    SmallInteger,
    and_,
    case,
    cast,
    delete,
    func,
    literal,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Session

from spend.calls import Outcome
from spend.meters import METER_NAMES
from spend.readings import (
    LONGEST,
    Metered,
    Reading,
    TokenCounter,
    counting,
    meter,
)
from store.ledger import rollups
from store.readings.told import serving, told_about
from store.tables.readings import counters, metered, readings, told_anew

Key = tuple[int, datetime]
"""A counter and a moment."""

Window = tuple[int, datetime, datetime]
"""A service, and the first and the last of some hours."""

_COUNTER: Final = tuple(field.name for field in fields(TokenCounter))
_READING: Final = tuple(field.name for field in fields(Reading) if field.name != "counter")
_HOUR: Final = timedelta(hours=1)
_MOMENT: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class _Stored:
    metered: Metered
    counts: bool
    counts_calls: bool

    @property
    def standing(self) -> bool | None:
        """As ``counting`` has it: None does not count, False without its calls."""
        return self.counts_calls if self.counts else None


def meter_batches(session: Session, tenant: int, batch_ids: Sequence[int]) -> list[Window]:
    """Meters what some batches' metrics told anew; answers the hours in which that changed."""
    since = _claim(session, tenant, batch_ids)
    if not since:
        return []
    known = _counters(session, tenant, since)
    told_now = {
        (one.counter, one.read_at): one
        for one in meter(known, _readings(session, tenant, since))
        if one.read_at >= since[one.counter]
    }
    before = _metered(session, tenant, _from(since))
    gone = {key: it for key, it in before.items() if told_now.get(key) != it.metered}
    _add(session, tenant, [key for key, it in gone.items() if it.counts], -1)
    _delete(session, tenant, gone)
    new = [one for key, one in told_now.items() if key not in before or key in gone]
    if new:
        services = {id_: counter.service for id_, counter in known.items()}
        session.execute(insert(metered), [_row(one, tenant, services) for one in new])
    changed = [*new, *(it.metered for it in gone.values())]
    return [(known[one.counter].service, *one.hours) for one in changed]


def settle(session: Session, tenant: int, windows: Iterable[Window]) -> None:
    """Decides anew, in these hours, what of the metered counts; moves the rollups with it."""
    changed = set(windows)
    # What a gateway tells depends on what its clients tell, on whatever signal.
    gateways = serving(session, tenant) if changed else []
    theirs = {(service, first, last) for _, first, last in changed for service in gateways}
    for service, first, last in _merged(changed | theirs):
        touched = _at_hours(session, tenant, service, first, last)
        if not touched:
            continue
        begins = min(it.metered.hours[0] for it in touched.values())
        ends = max(it.metered.hours[1] for it in touched.values())
        beside = touched
        if begins < first or ends > last:
            beside = _at_hours(session, tenant, service, begins, ends)
        count = counting(
            _counters(session, tenant, {key[0] for key in beside}),
            (it.metered for it in beside.values()),
            told_about(session, tenant, service, (begins, ends), serves=service in gateways),
        )
        moved = [key for key, it in touched.items() if it.standing != count.get(key)]
        _add(session, tenant, [key for key in moved if touched[key].counts], -1)
        for now in (None, False, True):
            keys = [key for key in moved if count.get(key) is now]
            _set_standing(session, tenant, keys, now)
        _add(session, tenant, [key for key in moved if key in count], 1)


def _claim(session: Session, tenant: int, batch_ids: Sequence[int]) -> dict[int, datetime]:
    """Counters that the batches told something new of, and from when on; each time once."""
    mine = and_(told_anew.c.tenant_id == tenant, told_anew.c.batch_id.in_(batch_ids))
    since: dict[int, datetime] = {}
    for counter, moment in session.execute(
        delete(told_anew).where(mine).returning(told_anew.c.counter_id, told_anew.c.since)
    ):
        since[counter] = min(since.get(counter, moment), moment)
    return since


def _counters(session: Session, tenant: int, ids: Collection[int]) -> dict[int, TokenCounter]:
    rows = session.execute(
        select(counters.c.id, *(counters.c[name] for name in _COUNTER)).where(
            counters.c.tenant_id == tenant,
            counters.c.id == func.any(cast(list(ids), ARRAY(BigInteger))),
        )
    )
    return {row[0]: TokenCounter(*row[1:]) for row in rows}


def _from(since: Mapping[int, datetime]) -> FromClause:
    return (
        func.unnest(
            cast(list(since), ARRAY(BigInteger)),
            cast(list(since.values()), ARRAY(DateTime(timezone=True))),
        )
        .table_valued("counter_id", "since", name="asked")
        .render_derived()
    )


def _readings(session: Session, tenant: int, since: Mapping[int, datetime]) -> list[Reading]:
    """Readings of counters from some moment on, and of each series the one before."""
    asked = _from(since)
    columns = [readings.c[name] for name in _READING]
    wanted = and_(
        readings.c.tenant_id == tenant,
        readings.c.counter_id == asked.c.counter_id,
        readings.c.read_at >= asked.c.since,
    )
    found = [
        Reading(*row)
        for row in session.execute(
            select(readings.c.counter_id, *columns).join_from(asked, readings, wanted)
        )
    ]
    first: dict[tuple[int, datetime], datetime] = {}
    for one in found:
        if one.cumulative:
            key = one.series, one.started_at
            first[key] = min(first.get(key, one.read_at), one.read_at)
    return [*found, *_before(session, tenant, first)]


def _before(
    session: Session, tenant: int, first: Mapping[tuple[int, datetime], datetime]
) -> list[Reading]:
    """The reading before the first of each series and start."""
    moments = ARRAY(DateTime(timezone=True))
    asked = (
        func.unnest(
            cast([series for series, _ in first], ARRAY(BigInteger)),
            cast([start for _, start in first], moments),
            cast(list(first.values()), moments),
        )
        .table_valued("series", "started_at", "read_at", name="asked")
        .render_derived()
    )
    before = (
        select(readings.c.counter_id, *(readings.c[name] for name in _READING))
        .where(
            readings.c.tenant_id == tenant,
            readings.c.series == asked.c.series,
            readings.c.started_at == asked.c.started_at,
            readings.c.read_at < asked.c.read_at,
        )
        .order_by(readings.c.read_at.desc(), readings.c.value.desc(), readings.c.calls.desc())
        .limit(1)
        .lateral("before")
    )
    return [
        Reading(*row)
        for row in session.execute(select(before).select_from(asked.join(before, true())))
    ]


def _metered(session: Session, tenant: int, asked: FromClause) -> dict[Key, _Stored]:
    """What is metered of counters (``counter_id``) from a moment (``since``) on."""
    mine = and_(
        metered.c.tenant_id == tenant,
        metered.c.counter_id == asked.c.counter_id,
        metered.c.read_at >= asked.c.since,
    )
    return _stored(session, select(metered).join_from(asked, metered, mine))


def _at_hours(
    session: Session, tenant: int, service: int, first: datetime, last: datetime
) -> dict[Key, _Stored]:
    """What is metered of a service and about one of these hours."""
    end = last + _HOUR
    asked = select(metered).where(
        metered.c.tenant_id == tenant,
        metered.c.service == service,
        metered.c.read_at >= first,
        metered.c.read_at <= end + LONGEST,
        metered.c.since < end,
    )
    return {
        key: it
        for key, it in _stored(session, asked).items()
        if it.metered.hours[0] <= last and it.metered.hours[1] >= first
    }


def _stored(session: Session, asked: Any) -> dict[Key, _Stored]:
    found = {}
    for row in session.execute(asked).mappings():
        usage = {name: row[name] for name in METER_NAMES if row[name] is not None}
        one = Metered(row["counter_id"], row["since"], row["read_at"], usage, row["calls"])
        found[one.counter, one.read_at] = _Stored(one, row["counts"], row["counts_calls"])
    return found


def _row(one: Metered, tenant: int, services: Mapping[int, int]) -> dict[str, object]:
    return {
        "tenant_id": tenant,
        "counter_id": one.counter,
        "read_at": one.read_at,
        "since": one.since,
        "service": services[one.counter],
        **{name: one.usage.get(name) for name in METER_NAMES},
        "calls": one.calls,
        "counts": False,
    }


def _merged(windows: Iterable[Window]) -> list[Window]:
    """The same hours, in as few windows as there can be."""
    merged: list[Window] = []
    for service, first, last in sorted(set(windows)):
        if merged and merged[-1][0] == service and first <= merged[-1][2] + _HOUR:
            merged[-1] = service, merged[-1][1], max(last, merged[-1][2])
        else:
            merged.append((service, first, last))
    return merged


def _keys(keys: Collection[Key]) -> FromClause:
    return (
        func.unnest(
            cast([key[0] for key in keys], ARRAY(BigInteger)),
            cast([key[1] for key in keys], ARRAY(DateTime(timezone=True))),
        )
        .table_valued("counter_id", "read_at", name="keys")
        .render_derived()
    )


def _at(keys: FromClause, tenant: int) -> ColumnElement[bool]:
    return and_(
        metered.c.tenant_id == tenant,
        metered.c.counter_id == keys.c.counter_id,
        metered.c.read_at == keys.c.read_at,
    )


def _delete(session: Session, tenant: int, keys: Collection[Key]) -> None:
    if keys:
        session.execute(delete(metered).where(_at(_keys(keys), tenant)))


def _set_standing(
    session: Session, tenant: int, keys: Collection[Key], standing: bool | None
) -> None:
    if keys:
        values = {"counts": standing is not None, "counts_calls": standing is not False}
        session.execute(update(metered).where(_at(_keys(keys), tenant)).values(values))


def _add(session: Session, tenant: int, keys: Collection[Key], sign: int) -> None:
    """Adds metered tokens to the rollups, or takes them away again, as they are stored.

    They are put where they were read. How long a prompt was they do not tell: the lowest band.
    """
    if not keys:
        return
    wanted = _keys(keys)
    told_by = and_(
        counters.c.tenant_id == metered.c.tenant_id, counters.c.id == metered.c.counter_id
    )
    contributions = (
        select(
            metered.c.tenant_id,
            func.greatest(metered.c.since, metered.c.read_at - _MOMENT).label("start_at"),
            literal(None, BigInteger).label("duration_us"),
            literal(None, BigInteger).label("ttft_us"),
            counters.c.owner_id,
            counters.c.route_id,
            literal(int(Outcome.OK), SmallInteger).label("outcome"),
            *(metered.c[name] for name in METER_NAMES),
            case((metered.c.counts_calls, func.coalesce(metered.c.calls, 0)), else_=0).label(
                "calls"
            ),
            literal(0, SmallInteger).label("band"),
            literal(sign, Integer).label("sign"),
        )
        .join_from(wanted, metered, _at(wanted, tenant))
        .join(counters, told_by)
        .subquery("contributions")
    )
    rollups.add(session, contributions)
