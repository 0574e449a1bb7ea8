"""Which days (UTC) were archived, where they are, and which of them can hold a trace."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import BigInteger, Integer, Row, Uuid, cast, column, func, literal, select, true
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Session

from spend.periods import Period
from spend.trace_filters import BLOCK, is_in, place_of
from store.archive.archive_files import Sums, WrittenDay
from store.intake.retention import midnight
from store.tables.archive import archived_days

_SHOWN: Final = tuple(each for each in archived_days.c if each.name not in {"tenant_id", "traces"})
_A_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ArchivedDay:
    """A day whose calls are in the archive, or are gone."""

    day: date
    place: str | None
    """None: they were dropped for good."""
    folder: str | None
    files: Mapping[str, Mapping[str, Any]]
    """By name: ``store.archive.archive_files.WrittenFile``."""
    sightings: int
    joined_calls: int
    bytes: int
    sha256: str | None
    """Of the manifest."""
    archived_at: datetime
    dropped_at: datetime | None
    """None: they are in the tables still."""

    def sums(self, file: str) -> Sums:
        """What the table of a file had."""
        said = self.files[file]
        return Sums(said["rows"], dict(said["sums"]))


def all_days(session: Session, tenant: int) -> list[ArchivedDay]:
    """Every one, the oldest first."""
    asked = select(*_SHOWN).where(archived_days.c.tenant_id == tenant)
    return [_day(row) for row in session.execute(asked.order_by(archived_days.c.day))]


def one_day(session: Session, tenant: int, day: date) -> ArchivedDay | None:
    """A day; None: it is neither archived nor dropped."""
    asked = select(*_SHOWN).where(archived_days.c.tenant_id == tenant, archived_days.c.day == day)
    row = session.execute(asked).one_or_none()
    return None if row is None else _day(row)


def remember(
    session: Session, tenant: int, day: date, place: str, written: WrittenDay, now: datetime
) -> None:
    """Notes that a day was archived; again where it is still in the tables."""
    rows = {each.name.partition(".")[0]: each.rows for each in written.files}
    _note(
        session,
        tenant_id=tenant,
        day=day,
        place=place,
        folder=written.folder,
        files=[asdict(each) for each in written.files],
        sightings=rows["sightings"],
        joined_calls=rows["joined_calls"],
        bytes=written.size,
        sha256=written.sha256,
        traces=written.traces,
        archived_at=now,
    )


def remember_unarchived(
    session: Session, tenant: int, day: date, counted: Mapping[str, Sums], now: datetime
) -> None:
    """Notes that a day is to be dropped without having been archived."""
    _note(
        session,
        tenant_id=tenant,
        day=day,
        place=None,
        folder=None,
        files=[{"name": name, "rows": it.rows, "sums": it.sums} for name, it in counted.items()],
        sightings=counted["sightings.parquet"].rows,
        joined_calls=counted["joined_calls.parquet"].rows,
        bytes=0,
        sha256=None,
        traces=None,
        archived_at=now,
    )


def _note(session: Session, **values: Any) -> None:
    key = ("tenant_id", "day")
    session.execute(
        insert(archived_days)
        .values(**values)
        .on_conflict_do_update(
            index_elements=key,
            set_={name: value for name, value in values.items() if name not in key},
            where=archived_days.c.dropped_at.is_(None),
        )
    )


def is_dropped(session: Session, tenant: int, day: date, now: datetime) -> None:
    """Notes that a day is in the tables no more."""
    session.execute(
        archived_days.update()
        .where(archived_days.c.tenant_id == tenant, archived_days.c.day == day)
        .values(dropped_at=now)
    )


def that_may_hold(session: Session, tenant: int, traces: Collection[UUID]) -> list[ArchivedDay]:
    """The archived days in which these traces may be; of each trace 64 bytes a day are read."""
    if not traces or not session.scalar(
        select(archived_days.c.day).where(archived_days.c.tenant_id == tenant).limit(1)
    ):
        return []
    listed = sorted(traces)
    asked = (
        func.unnest(
            literal(listed, ARRAY(Uuid)),
            literal([place_of(each) for each in listed], ARRAY(BigInteger)),
        )
        .table_valued(column("trace_id", Uuid), column("place", BigInteger))
        .render_derived("asked")
    )
    blocks = func.octet_length(archived_days.c.traces) / BLOCK
    first = cast(asked.c.place % blocks * BLOCK + 1, Integer)
    found = session.execute(
        select(
            archived_days.c.day,
            asked.c.trace_id,
            func.substring(archived_days.c.traces, first, BLOCK),
        )
        .join_from(archived_days, asked, true())
        .where(archived_days.c.tenant_id == tenant, archived_days.c.traces.is_not(None))
    )
    days = {day for day, trace, block in found if is_in(trace, bytes(block))}
    return _days(session, tenant, days)


def _days(session: Session, tenant: int, days: Collection[date]) -> list[ArchivedDay]:
    asked = select(*_SHOWN).where(
        archived_days.c.tenant_id == tenant, archived_days.c.day.in_(sorted(days))
    )
    return [_day(row) for row in session.execute(asked.order_by(archived_days.c.day))]


def written_days(session: Session, tenant: int, days: Collection[date]) -> list[ArchivedDay]:
    """Those of some days that have files."""
    return [each for each in _days(session, tenant, days) if each.place is not None]


def listed_from(session: Session, tenant: int, period: Period) -> datetime | None:
    """From when on (UTC) calls of a period can be listed; None: all of it.

    Days before were dropped: some of them, at least.
    """
    last: date | None = session.scalar(
        select(func.max(archived_days.c.day)).where(
            archived_days.c.tenant_id == tenant,
            archived_days.c.dropped_at.is_not(None),
            archived_days.c.day >= period.start.date(),
            # The end is no part of it, and may be midnight.
            archived_days.c.day <= (period.end - timedelta(microseconds=1)).date(),
        )
    )
    return None if last is None else midnight(last + _A_DAY)


def first_kept(session: Session, tenant: int) -> datetime | None:
    """The end (UTC) of the last day that was dropped; None: none was."""
    last: date | None = session.scalar(
        select(func.max(archived_days.c.day)).where(
            archived_days.c.tenant_id == tenant, archived_days.c.dropped_at.is_not(None)
        )
    )
    return None if last is None else midnight(last + _A_DAY)


def _day(row: Row[*tuple[Any, ...]]) -> ArchivedDay:
    said = dict(row._mapping)  # noqa: SLF001 - public, as a named tuple's
    files: Sequence[Mapping[str, Any]] = said.pop("files")
    return ArchivedDay(files={each["name"]: each for each in files}, **said)
