"""Remembers owners, routes and emitters: few, repeated in every batch, known by their content."""

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Final

import psycopg
from sqlalchemy import Table
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from spend.calls import Emitter, Owner, Route
from store.tables import heard

Entry = Owner | Route | Emitter
Entries = Mapping[int, Entry]

TABLES: Final[tuple[Table, ...]] = (heard.owners, heard.routes, heard.emitters)
MOST_KNOWN: Final = 200_000
MOVED: Final = "23514"
"""SQLSTATE of a row that came for the default partition while its day got its own: try again."""


class Known:
    """Ids that this process has seen committed, so that most batches need not send them again.

    Filled by whoever commits, after the commit: an id that was rolled back is not known.
    """

    def __init__(self) -> None:
        self._ids: set[tuple[int, str, int]] = set()

    def add(self, ids: Iterable[tuple[int, str, int]]) -> None:
        """Take note of (tenant, table, id) that are committed."""
        if len(self._ids) > MOST_KNOWN:
            self._ids.clear()
        self._ids.update(ids)

    def forget(self) -> None:
        """After losing the database: what comes back may be an older copy of it."""
        self._ids.clear()

    def __contains__(self, key: tuple[int, str, int]) -> bool:
        return key in self._ids


def remember(
    session: Session, tenant: int, table: Table, entries: Entries, known: Known
) -> tuple[list[tuple[int, str, int]], dict[int, str]]:
    """Insert the entries that are not known, in key order so that writers cannot deadlock.

    Returns the keys that are known once the session commits, and id -> SQLSTATE of entries that
    Postgres refuses (a NUL in a name).
    """
    new = sorted(id_ for id_ in entries if (tenant, table.name, id_) not in known)
    refused: dict[int, str] = {}
    if new:
        rows = [_row(tenant, id_, entries[id_]) for id_ in new]
        try:
            _insert(session, table, rows)
        except (DBAPIError, UnicodeEncodeError) as error:
            if not is_about_the_data(error):
                raise
            refused = _one_by_one(session, table, rows)
    return [(tenant, table.name, id_) for id_ in new if id_ not in refused], refused


def _row(tenant: int, id_: int, entry: Entry) -> dict[str, object]:
    values: dict[str, object] = {f.name: getattr(entry, f.name) for f in fields(entry)}
    return {"tenant_id": tenant, "id": id_, **values}


def _insert(session: Session, table: Table, rows: list[dict[str, object]]) -> None:
    with session.begin_nested():
        session.execute(insert(table).on_conflict_do_nothing(), rows)


def _one_by_one(session: Session, table: Table, rows: list[dict[str, object]]) -> dict[int, str]:
    refused = {}
    for row in rows:
        try:
            _insert(session, table, [row])
        except (DBAPIError, UnicodeEncodeError) as error:
            if not is_about_the_data(error):
                raise
            refused[int(str(row["id"]))] = sqlstate_of(error) or "22021"
    return refused


def sqlstate_of(error: BaseException) -> str | None:
    """The SQLSTATE of an error of SQLAlchemy's or psycopg's, if Postgres gave one."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    return cause.sqlstate if isinstance(cause, psycopg.Error) else None


def is_about_the_data(error: BaseException) -> bool:
    """Whether Postgres (or the driver, before it) refuses a value, whatever one does again."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, UnicodeEncodeError | psycopg.DataError):
        return True
    state = sqlstate_of(error) or ""
    return state[:2] in {"22", "23", "54"} and state != MOVED
