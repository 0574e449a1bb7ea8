"""Whether Postgres keeps what it says that it has."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

from sqlalchemy import text

from app.examination.findings import Finding, Looking, State

ENDS: Final = {
    15: date(2027, 11, 11),
    16: date(2028, 11, 9),
    17: date(2029, 11, 8),
    18: date(2030, 11, 14),
}
"""Major version -> the day of its last release (postgresql.org/support/versioning)."""
_SOON: Final = timedelta(days=180)
_MUST_BE_ON: Final = {
    "fsync": "a crash of the machine may destroy the database",
    "full_page_writes": "a crash of the machine may destroy the database",
    "synchronous_commit": "a crash loses calls that were acknowledged",
    "autovacuum": "tables grow without end",
}
_AGE: Final = 1_000_000_000
"""Transactions after which something is wrong with vacuum, which begins at 200 million; at 2,000
million Postgres stops."""


def release(looking: Looking) -> Iterator[Finding]:
    """Whether its version still gets corrections."""
    number = int(str(looking.session.scalar(text("SHOW server_version_num"))))
    ends = ENDS.get(number // 10000)
    if ends is None:
        return
    today = looking.now.date()
    if today >= ends:
        said = f"Postgres {number // 10000} has had no corrections since {ends}"
        yield Finding("release", State.WRONG, said, "upgrade it: docs/backup.md")
    elif today >= ends - _SOON:
        said = f"Postgres {number // 10000} gets corrections until {ends} only"
        yield Finding("release", State.LOOK, said, "upgrade it: docs/backup.md")
    else:
        yield Finding("release", State.WELL, f"gets corrections until {ends}")


def writes(looking: Looking) -> Iterator[Finding]:
    """The settings without which a crash takes what was acknowledged."""
    asked = ", ".join(f"current_setting('{name}') AS {name}" for name in _MUST_BE_ON)
    found = looking.session.execute(text(f"SELECT {asked}")).one()  # our names
    off = [name for name in _MUST_BE_ON if getattr(found, name) == "off"]
    for name in off:
        yield Finding(name, State.WRONG, f"off: {_MUST_BE_ON[name]}", f"ALTER SYSTEM SET {name}=on")
    if not off:
        yield Finding("writes", State.WELL, f"{', '.join(_MUST_BE_ON)} are on")


def checksums(looking: Looking) -> Iterator[Finding]:
    """Whether a disk that forgets is noticed."""
    if looking.session.scalar(text("SHOW data_checksums")) == "on":
        yield Finding("checksums", State.WELL, "on")
    else:
        said = "off: nobody notices what a disk gets wrong"
        yield Finding("checksums", State.LOOK, said, "pg_checksums --enable, while it is stopped")


def primary(looking: Looking) -> Iterator[Finding]:
    """That it can be written to."""
    if looking.session.scalar(text("SELECT pg_is_in_recovery()")):
        said = "this is a replica, to which nothing can be written"
        yield Finding("primary", State.WRONG, said, "let SPANLEDGER_DATABASE_URL name the primary")


def transaction_ids(looking: Looking) -> Iterator[Finding]:
    """Whether vacuum keeps up."""
    age = int(looking.session.scalar(text("SELECT max(age(datfrozenxid)) FROM pg_database")) or 0)
    if age > _AGE:
        said = f"the oldest transaction is {age:,} ago: at 2,000,000,000 Postgres stops"
        do = "find what holds up vacuum: sessions, slots; then VACUUM FREEZE"
        yield Finding("vacuum", State.WRONG, said, do)
    else:
        yield Finding("vacuum", State.WELL, "keeps up")
