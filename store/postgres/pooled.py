"""Settings of connections, kept also where a pooler lends each transaction another connection.

Behind PgBouncer in transaction mode nothing stays from one transaction to the next: no prepared
statement, no setting, and no option that a connection is opened with, which it refuses or, told to
ignore it, loses without a word. Which of them came through shows when a connection is made. Where
they did not, each transaction says its settings itself: one more round trip, and none without a
pooler. Source: PgBouncer's documentation, "Features" and ``ignore_startup_parameters``.
"""

from collections.abc import Mapping
from threading import Event
from typing import Any, Final, cast

import psycopg
from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import Dialect

_CAME_THROUGH: Final = "spanledger.options"
"""A setting of ours that nothing but the options sets."""
_REFUSED: Final = "unsupported startup parameter"


def keep_settings(engine: Engine, settings: Mapping[str, str]) -> None:
    """Has every transaction of ``engine`` run with these settings of Postgres (name -> value)."""
    options = " ".join(
        f"-c {name}={value}" for name, value in {**settings, _CAME_THROUGH: "yes"}.items()
    )
    each_time = "; ".join(f"SET LOCAL {name} = '{value}'" for name, value in settings.items())
    pooled = Event()

    @event.listens_for(engine, "do_connect")
    def connect(
        dialect: Dialect, _record: object, arguments: list[Any], named: dict[str, Any]
    ) -> "psycopg.Connection[Any]":
        connection: psycopg.Connection[Any] | None = None
        if not pooled.is_set():
            connection = _with_options(dialect, arguments, {**named, "options": options})
            if connection is not None and _came_through(connection):
                return connection
            pooled.set()
        if connection is None:
            connection = cast("psycopg.Connection[Any]", dialect.connect(*arguments, **named))
        connection.prepare_threshold = None
        return connection

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if pooled.is_set():
            connection.exec_driver_sql(each_time)


def _with_options(
    dialect: Dialect, arguments: list[Any], named: dict[str, Any]
) -> "psycopg.Connection[Any] | None":
    """None where a pooler does not take options."""
    try:
        return cast("psycopg.Connection[Any]", dialect.connect(*arguments, **named))
    except psycopg.OperationalError as error:
        if _REFUSED not in str(error):
            raise
        return None


def _came_through(connection: "psycopg.Connection[Any]") -> bool:
    connection.autocommit = True
    told = connection.execute("SELECT current_setting(%s, true)", [_CAME_THROUGH]).fetchone()
    connection.autocommit = False
    return told == ("yes",)
