"""Finds sightings of one call that share no id: kin, look-alikes in a trace, and across traces.

Each search answers no fewer than ``spend/twins/alike.py`` would join, and few more.
"""

from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import (
    Column,
    FromClause,
    Interval,
    MetaData,
    Select,
    Table,
    Text,
    and_,
    delete,
    exists,
    false,
    func,
    literal,
    or_,
    select,
    true,
    tuple_,
    union,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import ColumnElement

from spend.calls import Outcome, Role
from spend.twins.nearness import ALIKE_REACH, KIN_REACH, OVERLAP, SAME_TIME
from store.narrow import slot_of
from store.tables.heard import emitters, heard_from, owners, sightings
from store.twins.links import (
    BESIDE,
    KIN,
    day_of,
    end_of,
    gather,
    links_of,
    one_of,
    one_within_other,
    temporary,
)

_KIN_REACH: Final = literal(KIN_REACH, Interval)
_SLOT: Final = literal(ALIKE_REACH, Interval)
"""Sightings beside others are looked up by slots of this length, each slot once."""

_MANY: Final = 1000
"""Traces that hold more are looked at whole."""

_SEEN_BESIDE: Final = temporary("seen_beside")

_SLACK: Final = SAME_TIME // timedelta(microseconds=1)


def note_emitters(session: Session, tenant: int, new: Table) -> None:
    """Keeps who told calls of which service, a row a day: where it is one, nothing is alike."""
    told = (
        select(new.c.owner_id, new.c.emitter_id, day_of(new.c.start_at).label("day"))
        .where(new.c.role == Role.CALL)
        .distinct()
        .subquery("told")
    )
    rows = (
        select(literal(tenant), owners.c.service, told.c.day, told.c.emitter_id)
        .join_from(told, owners, and_(owners.c.tenant_id == tenant, owners.c.id == told.c.owner_id))
        .where(owners.c.service.is_not(None))
        .distinct()
    )
    statement = insert(heard_from).from_select(["tenant_id", "service", "day", "emitter_id"], rows)
    session.execute(statement.on_conflict_do_nothing())


_TWICE_HEARD: Final = Table(
    "twice_heard",
    MetaData(),
    Column("owner_id", sightings.c.owner_id.type),
    Column("service", Text),
    prefixes=["TEMPORARY"],
    postgresql_on_commit="DROP",
)
"""Owners whose service is told of by two instrumentations, or on two signals."""


def find_twice_heard(session: Session, tenant: int, days: tuple[date, date]) -> bool:
    """Gathers the owners whose service several emitters tell of; as ``is_twice_heard``."""
    several = (
        select(heard_from.c.service)
        .join(
            emitters,
            and_(emitters.c.tenant_id == tenant, emitters.c.id == heard_from.c.emitter_id),
        )
        .where(heard_from.c.tenant_id == tenant, heard_from.c.day.between(*days))
        .group_by(heard_from.c.service)
        .having(func.count(tuple_(emitters.c.scope, emitters.c.signal).distinct()) > 1)
    )
    of_them = select(owners.c.id, owners.c.service).where(
        owners.c.tenant_id == tenant, owners.c.service.in_(several)
    )
    gather(session, _TWICE_HEARD, of_them)
    return is_twice_heard(session)


def is_twice_heard(session: Session) -> bool:
    """Whether several emitters tell of any service, as far as it was gathered."""
    return bool(session.scalar(select(exists(select(_TWICE_HEARD.c.owner_id)))))


def alike_beside(session: Session, tenant: int, rows: Table) -> FromClause:
    """Pairs (trace_id, other_trace_id) of look-alikes in different traces of one service.

    Call ``find_twice_heard`` before.
    """
    heard = select(rows, _TWICE_HEARD.c.service).join_from(
        rows, _TWICE_HEARD, _TWICE_HEARD.c.owner_id == rows.c.owner_id
    )
    one = heard.where(_may_be_alike(rows)).subquery("one")
    around = func.generate_series(-1, 1).table_valued("step", name="around").render_derived()
    near = (
        select(one, (slot_of(one.c.start_at) + around.c.step * _SLOT).label("slot"))
        .select_from(one.join(around, true()))
        # A table of its own, so that the slot is what Postgres joins by: in a bulk job all else is
        # equal.
        .cte("near")
    )
    slots = select(near.c.slot).distinct().subquery("slots")
    first, last = session.execute(select(func.min(slots.c.slot), func.max(slots.c.slot))).one()
    gather(
        session,
        _SEEN_BESIDE,
        select(*links_of(sightings)).where(
            sightings.c.tenant_id == tenant,
            false() if first is None else sightings.c.day.between(first.date(), last.date()),
            one_of(slot_of(sightings.c.start_at), select(slots.c.slot)),
        ),
    )
    beside = select(_SEEN_BESIDE, _TWICE_HEARD.c.service).where(_may_be_alike(_SEEN_BESIDE))
    owned = _TWICE_HEARD.c.owner_id == _SEEN_BESIDE.c.owner_id
    gather(session, BESIDE, beside.join_from(_SEEN_BESIDE, _TWICE_HEARD, owned))
    # Three questions, as Postgres can hash each of them, and not all in one.
    same_prompt = func.coalesce(BESIDE.c.prompt, -1) == func.coalesce(near.c.prompt, -1)
    nothing = near.c.prompt == 0, near.c.answer > 0
    nothing_beside = BESIDE.c.prompt == 0, BESIDE.c.answer > 0
    return union(
        _alike_pairs(near, same_prompt),
        _alike_pairs(near, *nothing),
        _alike_pairs(near, *nothing_beside),
    ).subquery("alike")


def _may_be_alike(one: FromClause) -> ColumnElement[bool]:
    """A client's call that tells usage, or went well without telling any."""
    return and_(
        one.c.role == Role.CALL, or_(one.c.prompt.is_not(None), one.c.outcome == Outcome.OK)
    )


def _alike_pairs(one: FromClause, *which: ColumnElement[bool]) -> Select[Any]:
    other = BESIDE
    return (
        select(one.c.trace_id, other.c.trace_id.label("other_trace_id"))
        .join_from(
            one,
            other,
            and_(
                other.c.service == one.c.service,
                slot_of(other.c.start_at) == one.c.slot,
                # Not IS NOT DISTINCT FROM, which Postgres cannot hash.
                func.coalesce(other.c.answer, -1) == func.coalesce(one.c.answer, -1),
                other.c.emitter_id != one.c.emitter_id,
                other.c.trace_id != one.c.trace_id,
                # One id that both tell links them, unless more share it than can be of one call.
                func.coalesce(other.c.answer_id == one.c.answer_id, true()),
                one_within_other(one, other, _SLACK),
                *which,
            ),
        )
        .distinct()
    )


def kin_beside(session: Session, tenant: int, rows: Table) -> FromClause | None:
    """Pairs (trace_id, other_trace_id) of kin that may be of one call; None where none has kin."""
    if not session.scalar(select(exists(select(rows.c.kin_id).where(rows.c.kin_id.is_not(None))))):
        return None
    spans = (
        select(
            rows.c.kin_id,
            (func.min(rows.c.start_at) - _KIN_REACH).label("first"),
            (func.max(rows.c.start_at) + _KIN_REACH).label("last"),
        )
        .where(rows.c.kin_id.is_not(None))
        .group_by(rows.c.kin_id)
        .subquery("spans")
    )
    first, last = session.execute(select(func.min(spans.c.first), func.max(spans.c.last))).one()
    gather(
        session,
        KIN,
        select(*links_of(sightings)).where(
            sightings.c.tenant_id == tenant,
            sightings.c.day.between(first.date(), last.date()),
            sightings.c.start_at.between(first, last),
            one_of(sightings.c.kin_id, select(spans.c.kin_id)),
        ),
    )
    near_kin = KIN.c.start_at.between(spans.c.first, spans.c.last)
    its_span = select(spans.c.kin_id).where(spans.c.kin_id == KIN.c.kin_id, near_kin)
    session.execute(delete(KIN).where(~exists(its_span)))
    # Three questions, as Postgres can hash each of them, and not all in one.
    return union(
        _kin_pairs(rows, KIN.c.prompt == rows.c.prompt, KIN.c.emitter_id != rows.c.emitter_id),
        _kin_pairs(rows, rows.c.prompt.is_(None)),
        _kin_pairs(rows, KIN.c.prompt.is_(None)),
    ).subquery("kin")


def _kin_pairs(rows: Table, *which: ColumnElement[bool]) -> Select[Any]:
    reach = literal(OVERLAP, Interval)
    return select(rows.c.trace_id, KIN.c.trace_id.label("other_trace_id")).join_from(
        rows,
        KIN,
        and_(
            KIN.c.kin_id == rows.c.kin_id,
            tuple_(KIN.c.trace_id, KIN.c.span_id) != tuple_(rows.c.trace_id, rows.c.span_id),
            KIN.c.start_at <= end_of(rows) + reach,
            rows.c.start_at <= end_of(KIN) + reach,
            *which,
        ),
    )


def alike_in_trace(near: Table) -> Select[Any]:
    """Traces in which two emitters told of calls that may be one."""
    calls = near.c.role != Role.AGGREGATE
    several = (
        select(near.c.trace_id, func.count().label("calls"))
        .where(calls)
        .group_by(near.c.trace_id)
        .having(func.min(near.c.emitter_id) != func.max(near.c.emitter_id))
        .cte("several")
    )
    one, other = near.alias("one_"), near.alias("other_")
    reach = literal(OVERLAP, Interval)
    pairs = (
        select(one.c.trace_id)
        .join_from(several, one, one.c.trace_id == several.c.trace_id)
        .join(
            other,
            and_(
                other.c.trace_id == one.c.trace_id,
                other.c.emitter_id > one.c.emitter_id,
                or_(
                    other.c.prompt == one.c.prompt,
                    func.coalesce(one.c.prompt, 0) == 0,
                    func.coalesce(other.c.prompt, 0) == 0,
                ),
                one.c.start_at <= end_of(other) + reach,
                other.c.start_at <= end_of(one) + reach,
            ),
        )
        .where(several.c.calls <= _MANY, one.c.role != Role.AGGREGATE)
        .where(other.c.role != Role.AGGREGATE)
    )
    return pairs.union(select(several.c.trace_id).where(several.c.calls > _MANY))  # type: ignore[return-value]  # a CompoundSelect, which is selected from alike
