"""Takes a day out of the tables, once what is there is what was written down of it."""

from datetime import date, timedelta
from typing import Final

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from store.archive.archive_files import NotWhatIsThere, Sums, counted, take_time
from store.archive.archive_shape import JOINED, SIGHTINGS
from store.intake.retention import midnight
from store.postgres import partitions
from store.postgres.partitions import days_apart, name_of
from store.tables.heard import joined_calls, sightings
from store.tables.rollups import cells

TABLES: Final = {SIGHTINGS: sightings, JOINED: joined_calls}
"""The table of each file."""


def drop_day(session: Session, tenant: int, day: date, written: dict[str, Sums]) -> None:
    """Drops a day's partitions, or deletes its rows from the default ones.

    Others wait a second at most. Raises NotWhatIsThere where a table does not have what was
    written, or has another tenant's calls of the day too; and SQLAlchemy's OperationalError where
    somebody reads for too long: then nothing has changed, try again later.
    """
    session.execute(text("SET LOCAL lock_timeout = '1s'"))
    take_time(session)
    # Nobody moves the day out of the default partition meanwhile.
    partitions.hold_still(session)
    kept_apart = {file: _is_apart(session, name_of(TABLES[file].name, day)) for file in TABLES}
    for file, table in TABLES.items():
        part = name_of(table.name, day) if kept_apart[file] else f"{table.name}_default"
        # Who writes into it waits, who reads goes on.
        session.execute(text(f"LOCK TABLE {part} IN SHARE ROW EXCLUSIVE MODE"))
        if counted(session, tenant, day, file) != written[file]:
            raise NotWhatIsThere(f"{table.name} of {day} changed after it was written")
        everybodys = session.scalar(select(func.count()).where(table.c.day == day))
        if everybodys != written[file].rows:
            raise NotWhatIsThere(f"{table.name} of {day} has calls of another tenant")
    for file, table in TABLES.items():
        if kept_apart[file]:
            session.execute(text(f"DROP TABLE {name_of(table.name, day)}"))
        else:
            session.execute(table.delete().where(table.c.tenant_id == tenant, table.c.day == day))


def _is_apart(session: Session, partition: str) -> bool:
    return session.scalar(select(func.to_regclass(partition))) is not None


def days_held(session: Session, before: date) -> list[date]:
    """Days (UTC) before one of which the tables hold something, the oldest first."""
    found: set[date] = set()
    for table in TABLES.values():
        found |= {day for day in days_apart(session, table.name) if day < before}
        strays = text(f"SELECT DISTINCT day FROM {table.name}_default WHERE day < :before")  # noqa: S608 - our names
        found.update(session.scalars(strays, {"before": before}))
    return sorted(found)


def cells_that_wait(session: Session, tenant: int, day: date) -> int:
    """How many cells of a day (UTC) have calls that are not charged yet."""
    waiting = select(func.count()).where(
        cells.c.tenant_id == tenant,
        ~cells.c.charged,
        cells.c.slot >= midnight(day),
        cells.c.slot < midnight(day + timedelta(days=1)),
    )
    return session.scalar(waiting) or 0
