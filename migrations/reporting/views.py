"""What a view is, and how a migration puts it into the database."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, text

SCHEMA: Final = "reporting"
"""Not the name of a user: a schema of that name would be searched before ``public``."""

_IS_THERE: Final = text("SELECT to_regnamespace(:name) IS NOT NULL")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a view. Its name, type and meaning are a promise."""

    name: str
    type: str
    """As Postgres's ``format_type`` tells it."""
    description: str


@dataclass(frozen=True, slots=True)
class View:
    """A view of ``SCHEMA``."""

    name: str
    description: str
    columns: tuple[Column, ...]
    query: str


@dataclass(frozen=True, slots=True)
class Function:
    """A function of ``SCHEMA``."""

    name: str
    arguments: str
    returns: str
    description: str
    body: str
    """One SELECT."""


def put(connection: Connection, views: Iterable[View], functions: Iterable[Function] = ()) -> None:
    """Makes views and functions, or replaces their text; what is granted on them stays.

    Postgres replaces a view only where its columns stay as they are; new ones come last. That is
    what we promise, too: what would need more is a new view, of a new name.
    """
    if not connection.scalar(_IS_THERE, {"name": SCHEMA}):
        # Asked before, as IF NOT EXISTS wants the right to make one also where it is there.
        _run(connection, f"CREATE SCHEMA {SCHEMA}")
    said = "Views for whoever asks in SQL. They are promises: docs/views.md."
    _run(connection, f"COMMENT ON SCHEMA {SCHEMA} IS {_quoted(said)}")
    for each in functions:
        _put_function(connection, each)
    for view in views:
        _put_view(connection, view)


def drop(connection: Connection) -> None:
    """Takes all of it away, and what others built upon it."""
    _run(connection, f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")


def _put_function(connection: Connection, each: Function) -> None:
    name = f"{SCHEMA}.{each.name}"
    _run(
        connection,
        f"CREATE OR REPLACE FUNCTION {name}({each.arguments}) RETURNS {each.returns}"
        f" LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $body${each.body}$body$",
    )
    _run(connection, f"COMMENT ON FUNCTION {name}({each.arguments}) IS {_quoted(each.description)}")


def _put_view(connection: Connection, view: View) -> None:
    name = f"{SCHEMA}.{view.name}"
    columns = ", ".join(f'"{each.name}"' for each in view.columns)
    _run(connection, f"CREATE OR REPLACE VIEW {name} ({columns}) AS {view.query}")
    _run(connection, f"COMMENT ON VIEW {name} IS {_quoted(view.description)}")
    for each in view.columns:
        told = _quoted(each.description)
        _run(connection, f'COMMENT ON COLUMN {name}."{each.name}" IS {told}')


def _run(connection: Connection, statement: str) -> None:
    # The driver looks for places of parameters, of which there are none.
    connection.exec_driver_sql(statement.replace("%", "%%"))


def _quoted(said: str) -> str:
    return "'" + said.replace("'", "''") + "'"
