"""Keeps what was said in calls, finds it for whoever may read it, and forgets it in time."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from typing import Final
from uuid import UUID

import structlog
from sqlalchemy import delete, func, select, text, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from spend.contents.contents import Content
from store.contents.content_policies import policy_of
from store.dictionaries import is_about_the_data, sqlstate_of
from store.postgres import partitions
from store.tables.contents import contents

MOST_SHOWN: Final = 200
"""Parts of one call."""
AT_ONCE: Final = 2_000
"""Traces whose content is forgotten in one statement."""

log = structlog.get_logger(__name__)

Span = tuple[UUID, int]
"""A trace's id, and a span's, signed."""


@dataclass(frozen=True, slots=True)
class Held:
    """How much is kept."""

    parts: int
    bytes: int
    """As they are stored."""
    first_day: date | None
    last_day: date | None


def put_contents(session: Session, tenant: int, told: Sequence[Content], today: date) -> None:
    """Store content in the session's transaction, if it is still to be kept.

    What was taken by other terms than are in force now is left out: what is taken out today may be
    in it. What is there already stays as it is. What Postgres will not hold is left out: no call is
    lost for what was said in it.
    """
    terms = policy_of(session, tenant, hold=True).terms if told else None
    first = terms.first_day(today) if terms else None
    if terms is None or first is None:
        return
    last = today + timedelta(days=1)
    # Spooled by a version that did not say: as it did.
    by = {terms.redacted_by, None}
    rows = [
        _row(tenant, each)
        for each in told
        if first <= each.at.date() <= last and each.kind in terms.kinds and each.redacted_by in by
    ]
    if not rows:
        return
    # Every writer in this order, so that none waits for another in a ring.
    rows.sort(key=lambda row: (row["trace_id"], row["day"], row["span_id"], row["kind"]))
    try:
        with session.begin_nested():
            session.execute(insert(contents).on_conflict_do_nothing(), rows)
    except (DBAPIError, UnicodeEncodeError) as error:
        if not is_about_the_data(error):
            raise
        log.warning("content could not be stored", sqlstate=sqlstate_of(error), parts=len(rows))


def _row(tenant: int, told: Content) -> dict[str, object]:
    return {
        "tenant_id": tenant,
        "trace_id": UUID(hex=told.trace_id),
        "day": told.at.astimezone(UTC).date(),
        "span_id": told.span_id,
        "kind": told.kind,
        "part_id": told.part_id,
        "at": told.at,
        "body": told.body,
        "is_cut": told.cut,
    }


def contents_of(session: Session, tenant: int, spans: Collection[Span]) -> list[Content]:
    """What was said in some spans, by time: of each span first what it says itself."""
    if not spans:
        return []
    # The traces too, as only they tell a sharded table where to look.
    found = session.execute(
        select(contents)
        .where(
            contents.c.tenant_id == tenant,
            contents.c.trace_id.in_({trace for trace, _span in spans}),
            tuple_(contents.c.trace_id, contents.c.span_id).in_(list(spans)),
        )
        .order_by(contents.c.at, contents.c.part_id != 0, contents.c.kind, contents.c.part_id)
        .limit(MOST_SHOWN)
    )
    return [
        Content(
            trace_id=row.trace_id.hex,
            span_id=row.span_id,
            at=row.at,
            kind=row.kind,
            part_id=row.part_id,
            body=row.body,
            cut=row.is_cut,
        )
        for row in found
    ]


def spans_with_content(session: Session, tenant: int, trace_id: UUID) -> set[int]:
    """The spans of a trace in which something was said, by id (signed)."""
    mine = contents.c.tenant_id == tenant, contents.c.trace_id == trace_id
    return set(session.scalars(select(contents.c.span_id).where(*mine).distinct().limit(10_000)))


def held(session: Session, tenant: int, *, before: date | None = None) -> Held:
    """How much is kept; of the days before one (UTC), where it is named."""
    which = [contents.c.tenant_id == tenant]
    if before is not None:
        which.append(contents.c.day < before)
    row = session.execute(
        select(
            func.count(),
            func.coalesce(func.sum(func.pg_column_size(contents.c.body)), 0),
            func.min(contents.c.day),
            func.max(contents.c.day),
        ).where(*which)
    ).one()
    return Held(int(row[0]), int(row[1]), row[2], row[3])


def drop_days(session: Session, first: date | None, today: date) -> int:
    """Drop the partitions of days before ``first`` (None: all), whosever content is in them.

    Those of yesterday and of days to come are only emptied. Waits 2 s at most for a lock, then
    raises SQLAlchemy's OperationalError and nothing has changed. How many were not empty.
    """
    session.execute(text("SET LOCAL lock_timeout = '2s'"))
    partitions.hold_still(session)
    gone = 0
    for day in sorted(partitions.days_apart(session, contents.name)):
        if first is not None and day >= first:
            break
        name = partitions.name_of(contents.name, day)
        filled = session.scalar(text(f"SELECT EXISTS (SELECT 1 FROM {name})"))  # noqa: S608 - ours
        gone += bool(filled)
        if day < today - timedelta(days=1):
            session.execute(text(f"DROP TABLE {name}"))
        elif filled:
            session.execute(text(f"TRUNCATE {name}"))
    return gone


def forget_some(session: Session, tenant: int, first: date | None) -> int:
    """Forget content of days before ``first`` (None: all), of some traces; how many parts."""
    which = [contents.c.tenant_id == tenant]
    if first is not None:
        which.append(contents.c.day < first)
    some = select(contents.c.trace_id).where(*which).limit(AT_ONCE)
    traces = set(session.scalars(some))
    if not traces:
        return 0
    gone = session.execute(delete(contents).where(*which, contents.c.trace_id.in_(traces)))
    return int(gone.rowcount)  # type: ignore[attr-defined]  # a CursorResult, as it deletes
