"""What a request is given: a session, who asks, what time it is, and the settings.

Sessions end before the answer is sent: an answer that says 201 is committed.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Annotated, cast

from fastapi import Depends, Request
from sqlalchemy.orm import Session

from api.knocks import Knocks
from api.reading import reading
from api.settings import ApiSettings
from spend.access.actors import Actor
from store.access.refused_keys import RefusalLog
from store.postgres.sessions import Database
from store.tenants import TENANT

Now = Callable[[], datetime]
"""Gives the present moment, UTC."""


def database_of(request: Request) -> Database:
    """The database that the application was made with: the primary."""
    return cast("Database", request.app.state.database)


def knocks_of(request: Request) -> Knocks:
    """Who was refused lately, of the application."""
    return cast("Knocks", request.app.state.knocks)


def refusals_of(request: Request) -> RefusalLog:
    """Where the log is told whose keys are refused, of the application."""
    return cast("RefusalLog", request.app.state.refusals)


def now_of(request: Request) -> datetime:
    """The present moment, UTC."""
    return _clock(request)()


def actor_of(request: Request) -> Actor:
    """Whoever sent the request, once ``api/auth.py`` found out."""
    return cast("Actor", request.state.actor)


def _reading(request: Request) -> Iterator[Session]:
    with reading(request) as session:
        yield session


def _writing(request: Request) -> Iterator[Session]:
    with database_of(request).write(lambda: actor_of(request)) as session:
        yield session


def _tenant() -> int:
    return TENANT


def _clock(request: Request) -> Now:
    return cast("Now", request.app.state.clock)


def _config(request: Request) -> ApiSettings:
    return cast("ApiSettings", request.app.state.settings)


Reading = Annotated[Session, Depends(_reading, scope="function")]
"""A session on one snapshot that Postgres holds read-only; perhaps of a replica (``reading``)."""

Writing = Annotated[Session, Depends(_writing, scope="function")]
"""A session that is committed when the handler returns, rolled back when it raises."""

Tenant = Annotated[int, Depends(_tenant)]

Clock = Annotated[Now, Depends(_clock)]
"""Call it: ``clock()`` is the present moment in UTC."""

Config = Annotated[ApiSettings, Depends(_config)]
