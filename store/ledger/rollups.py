"""Adds calls to the rollups, or takes them away again.

Everything is a sum, so a call that turns out to have been counted twice is taken away by adding it
with sign -1. One statement does both; it reads *contributions*: rows of call columns with a sign.
"""

from sqlalchemy import (
    Double,
    FromClause,
    Integer,
    Select,
    SmallInteger,
    case,
    cast,
    func,
    literal,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import array, insert
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import ColumnElement

from spend.calls import Outcome
from spend.histograms import LOG_GAMMA
from spend.meters import INPUTS, METER_NAMES, WORK
from spend.prices.bands import EDGES
from store.tables.rollups import LATENCY, TTFT, buckets, cells

CALL_COLUMNS = (
    "tenant_id",
    "start_at",
    "duration_us",
    "ttft_us",
    "owner_id",
    "route_id",
    "outcome",
    *METER_NAMES,
)
"""What a contribution has, beside ``sign`` (1 or -1). One that is not of one call also has
``calls``, how many it is of, and ``band``."""


def add(session: Session, contributions: FromClause) -> None:
    """Adds contributions to ``cells`` and ``buckets``; cells that change wait for their charges."""
    _add_to_cells(session, contributions)
    _add_to_buckets(session, contributions)


def _slot(start_at: ColumnElement[object]) -> ColumnElement[object]:
    """The quarter hour (UTC) that a call began in: spend/slots.py, in SQL."""
    return func.date_bin(text("'15 minutes'"), start_at, text("'epoch'::timestamptz"))


def _band(call: FromClause) -> ColumnElement[int]:
    """spend/prices/bands.py, in SQL: width_bucket counts the edges that are at most its operand."""
    if "band" in call.c:
        return call.c.band
    prompt = _added(*(func.coalesce(call.c[name], 0) for name in INPUTS))
    return cast(func.width_bucket(prompt - 1, array(EDGES)), SmallInteger)


def _added(*terms: ColumnElement[int]) -> ColumnElement[int]:
    total = terms[0]
    for term in terms[1:]:
        total += term
    return total


def _add_to_cells(session: Session, call: FromClause) -> None:
    sign = call.c.sign
    unmetered = (call.c.outcome == Outcome.OK) & func.num_nonnulls(
        *(call.c[name] for name in WORK)
    ).op("=")(0)
    timed_output = call.c.duration_us.is_not(None) & (call.c.output > 0)
    key = {
        "tenant_id": call.c.tenant_id,
        "slot": _slot(call.c.start_at),
        "owner_id": call.c.owner_id,
        "route_id": call.c.route_id,
        "outcome": call.c.outcome,
        "band": _band(call),
    }
    sums = {
        "calls": sign * call.c.calls if "calls" in call.c else sign,
        "unmetered_calls": case((unmetered, sign), else_=0),
        **{name: sign * func.coalesce(call.c[name], 0) for name in METER_NAMES},
        "timed_calls": case((call.c.duration_us.is_not(None), sign), else_=0),
        "timed_us": sign * func.coalesce(call.c.duration_us, 0),
        "timed_output": case((timed_output, sign * call.c.output), else_=0),
        "timed_output_us": case((timed_output, sign * call.c.duration_us), else_=0),
    }
    keyed = select(
        *(value.label(name) for name, value in key.items()),
        *(value.label(name) for name, value in sums.items()),
    ).subquery()
    names = list(key)
    summed = (
        select(
            *(keyed.c[name] for name in names),
            *(func.sum(keyed.c[name]) for name in sums),
            literal(value=False),
        )
        .group_by(*(keyed.c[name] for name in names))
        # Always in the order of the key: two that update the same cells then wait, never deadlock.
        .order_by(*(keyed.c[name] for name in names))
    )
    statement = insert(cells).from_select([*names, *sums, "charged"], summed)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=names,
            set_={
                **{name: cells.c[name] + statement.excluded[name] for name in sums},
                "charged": False,
            },
        )
    )


def _add_to_buckets(session: Session, call: FromClause) -> None:
    durations = _durations(call, LATENCY, call.c.duration_us).union_all(
        _durations(call, TTFT, call.c.ttft_us)
    )
    measured = durations.subquery()
    names = ["tenant_id", "slot", "owner_id", "route_id", "measure", "bucket"]
    summed = (
        select(*(measured.c[name] for name in names), func.sum(measured.c.sign))
        .group_by(*(measured.c[name] for name in names))
        .order_by(*(measured.c[name] for name in names))
    )
    statement = insert(buckets).from_select([*names, "calls"], summed)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=names, set_={"calls": buckets.c.calls + statement.excluded.calls}
        )
    )


def _durations(
    call: FromClause, measure: int, microseconds: ColumnElement[int]
) -> Select[tuple[object, ...]]:
    bucket = case(
        (microseconds <= 1, 0),
        else_=func.ceil(func.ln(cast(microseconds, Double)) / literal(LOG_GAMMA, Double)),
    )
    return select(
        call.c.tenant_id,
        _slot(call.c.start_at).label("slot"),
        call.c.owner_id,
        call.c.route_id,
        literal(measure, SmallInteger).label("measure"),
        cast(cast(bucket, Integer), SmallInteger).label("bucket"),
        call.c.sign,
    ).where(microseconds.is_not(None))
