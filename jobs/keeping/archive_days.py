"""Writes days that are no longer kept to the archive, and then drops them.

A day goes once nothing of it can change: it lies before what is taken, all of it is rolled up and
charged. It is written, read back, compared with the tables, noted, and only then dropped, after one
more look. Whatever dies when, nothing is lost, and the next run goes on where this one was.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import structlog
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from jobs.context import Done, JobContext
from jobs.keeping.trim_tables import trim_tables
from spend.archive_addresses import NONE
from store.archive import archived_days
from store.archive.archive_files import (
    MANIFEST,
    NotWhatIsThere,
    WrittenDay,
    counted,
    digest_of,
    manifest_of,
    take_time,
    write_day,
)
from store.archive.archive_places import ArchiveAway, Opened, opened
from store.archive.archive_shape import SHAPES, SIGHTINGS
from store.archive.archived_days import ArchivedDay
from store.archive.day_dropping import cells_that_wait, days_held, drop_day
from store.dictionaries import sqlstate_of
from store.intake import retention
from store.tenants import TENANT

log = structlog.get_logger(__name__)

_TRIES: Final = 5
"""To lock what somebody reads."""
_NO_LOCK: Final = "55P03"


class _Ended(Exception):  # noqa: N818 - no mistake
    """The process is about to stop."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A day that is older than what is kept, and what keeps it."""

    day: date
    sightings: int
    waits_for: str | None
    """None: it can go."""


def run(context: JobContext) -> Done:
    """Archive and drop every day that can go, oldest first."""
    if context.settings.retention_days is None:
        return Done("nothing is dropped: RETENTION_DAYS is not set")
    moved = _move_on(context)
    went = rows = stuck = 0
    try:
        for planned in plan(context):
            if planned.waits_for is not None:
                log.info("a day waits", day=str(planned.day), why=planned.waits_for)
                stuck += 1
                continue
            if _goes(context, planned):
                went, rows = went + 1, rows + planned.sightings
            else:
                stuck += 1
        trimmed = trim_tables(context) if moved or context.by_hand else 0
    except _Ended:
        return Done(f"{went} days dropped, {rows:,} sightings; stopped, to go on later")
    waiting = f"; {stuck} wait" if stuck else ""
    return Done(f"{went} days dropped, {rows:,} sightings{waiting}; {trimmed:,} old rows forgotten")


def plan(context: JobContext) -> list[Planned]:
    """Days (UTC) that are to go, oldest first, and what keeps those that cannot go yet."""
    with context.database.read() as session:
        frozen = retention.frozen_before(session, TENANT)
        if frozen is None:
            return []
        # Where more is kept again, what was not dropped yet stays.
        return _planned(session, min(frozen, _first_day(context) - _guard(context)), frozen)


def plan_ahead(context: JobContext) -> list[Planned]:
    """The same as if what is kept had moved on already. Changes nothing."""
    before = _first_day(context) - _guard(context)
    with context.database.read() as session:
        frozen = retention.frozen_before(session, TENANT)
        return _planned(session, before, frozen)


def _planned(session: Session, before: date, frozen: date | None) -> list[Planned]:
    take_time(session)
    found = []
    for day in days_held(session, before):
        rows = counted(session, TENANT, day, SIGHTINGS).rows
        known = archived_days.one_day(session, TENANT, day)
        waiting = cells_that_wait(session, TENANT, day)
        why = None
        if known is not None and known.dropped_at is not None:
            why = "it was dropped before, and has calls again"
        elif waiting:
            why = f"{waiting:,} of its cells are not charged"
        elif frozen is None or day >= frozen:
            why = "the job has not come to it"
        found.append(Planned(day, rows, why))
    return found


def _first_day(context: JobContext) -> date:
    """The first day that is kept, by the settings."""
    return context.now.date() - timedelta(days=context.settings.retention_days or 0)


def _guard(context: JobContext) -> timedelta:
    return retention.guard_for(context.settings.spooled)


def _move_on(context: JobContext) -> bool:
    """Refuses what is too old from now on; whether that is more than it was."""
    first = _first_day(context)
    with context.database.read() as session:
        before = retention.kept_from(session, TENANT)
    if before is None or before < first:
        with context.database.write() as session:
            # A machine whose clock is ahead must not refuse what others still keep.
            by_theirs = context.posted_at(session).date() - (context.now.date() - first)
            retention.take_from(session, TENANT, min(first, by_theirs))
    with context.database.write() as session:
        retention.freeze(session, TENANT, _guard(context))
    return before is None or before < first


def _goes(context: JobContext, planned: Planned) -> bool:
    """Archives a day and drops it; False where somebody reads it and does not let go."""
    place = context.settings.archive
    if place is None:
        # The settings see to it that this cannot be; what is lost cannot be had back.
        raise ArchiveAway("SPANLEDGER_ARCHIVE is not set: nothing is dropped")
    if place == NONE:
        _note_unarchived(context, planned.day)
    else:
        with opened(place) as at:
            _archive(context, planned, at)
    return _drop(context, planned.day)


def _note_unarchived(context: JobContext, day: date) -> None:
    with context.database.write() as session:
        take_time(session)
        sums = {name: counted(session, TENANT, day, name) for name in SHAPES}
        archived_days.remember_unarchived(session, TENANT, day, sums, context.now)


def _archive(context: JobContext, planned: Planned, at: Opened) -> None:
    """Writes a day unless that was done, and what is there is still that and still all."""
    day = planned.day

    def going(rows: int) -> None:
        if not context.going_on():
            raise _Ended
        context.progress(f"{day}: {rows:,} of {planned.sightings:,} written")

    with context.database.read() as session:
        take_time(session)
        known = archived_days.one_day(session, TENANT, day)
        if known is not None and known.dropped_at is not None:
            raise NotWhatIsThere(f"{day} was dropped meanwhile, by somebody else")
        if known is not None and known.place == at.place and _stands(session, known, at):
            return
    going(0)
    with context.database.read() as session:
        written = write_day(session, TENANT, day, at, going, planned.sightings)
    _remember(context, day, at.place, written)


def _remember(context: JobContext, day: date, place: str, written: WrittenDay) -> None:
    with context.database.write() as session:
        archived_days.remember(session, TENANT, day, place, written, context.now)
    log.info("a day was archived", day=str(day), rows=written.files[0].rows, bytes=written.size)


def _stands(session: Session, known: ArchivedDay, at: Opened) -> bool:
    """Whether a day's files are those that were written, and the tables have the same still."""
    same = all(counted(session, TENANT, known.day, name) == known.sums(name) for name in SHAPES)
    return same and not list(wrong_files(known, at))


def wrong_files(known: ArchivedDay, at: Opened) -> list[str]:
    """Names of an archived day's files that are not what was written, or are not there."""
    folder = str(known.folder)
    wrong = []
    for name, said in known.files.items():
        path = at.path(folder, name)
        if not at.is_there(path) or digest_of(at, path) != (said["bytes"], said["sha256"]):
            wrong.append(name)
    try:
        manifest_of(at, folder, str(known.sha256))
    except (ArchiveAway, FileNotFoundError):
        wrong.append(MANIFEST)
    return wrong


def _drop(context: JobContext, day: date) -> bool:
    for _try in range(_TRIES):
        if not context.going_on():
            raise _Ended
        try:
            with context.database.write() as session:
                known = archived_days.one_day(session, TENANT, day)
                if known is None:
                    raise NotWhatIsThere(f"{day} was not archived")
                drop_day(session, TENANT, day, {name: known.sums(name) for name in SHAPES})
                archived_days.is_dropped(session, TENANT, day, context.now)
        except OperationalError as error:
            if sqlstate_of(error) != _NO_LOCK:
                raise
        else:
            log.info("a day was dropped", day=str(day))
            return True
    return False
