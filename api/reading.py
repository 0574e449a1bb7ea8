"""Where a question is read from: the primary, or a replica that has what the asker knows of.

One place decides. An answer tells its position in the primary's log: in the header POSITION, and
to browsers in a cookie. Who sends that back is answered of that or of later, so what they wrote is
there, and what they saw stays. Who does not still never gets an older answer for the ETag of a
newer one: what a replica has otherwise is asked of the primary (``api/answers.py``).
"""

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Final, cast

import psycopg
from fastapi import Request
from psycopg.errors import DataException, QueryCanceled
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.origins import over_https
from api.problems import Problem
from store.postgres.replica import LAST, NOWHERE, NotNear, Position, Replica, position_of, written
from store.postgres.sessions import Database

POSITION: Final = "Spanledger-Position"
COOKIE: Final = "spanledger_position"

FROM_PRIMARY: Final = (
    "/v1/months",
    "/months",
    "/v1/budgets",
    "/budgets",
    "/settings",
    "/v1/content",
)
"""What decides something, or is decided by, and who comes in: never of a moment before."""
ASKED_WITH_A_BODY: Final = ("/v1/what-if", "/v1/ownership/preview")
"""What is sent like a change, and changes nothing."""
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_LONGEST: Final = 20


class AskPrimary(Exception):  # noqa: N818 - not a failure: says where to ask
    """What the replica says will not do: the request is answered anew, of the primary."""


def replica_of(request: Request) -> Replica | None:
    """The replica that the application was made with."""
    return cast("Replica | None", request.app.state.replica)


def of_replica(request: Request) -> bool:
    """Whether a request's answer is read from a replica."""
    return bool(getattr(request.state, "of_replica", False))


@contextmanager
def reading(request: Request) -> Iterator[Session]:
    """A session on one snapshot that Postgres holds read-only. Raises AskPrimary."""
    primary = cast("Database", request.app.state.database)
    replica = replica_of(request)
    if replica is None:
        with primary.read() as session:
            yield session
        return
    with ExitStack() as held:
        near = None if _primary_only(request) else _opened(replica, held, _known(request))
        request.state.of_replica = near is not None
        try:
            session = held.enter_context(primary.read()) if near is None else near
            yield session
            request.state.position = position_of(session)
        except (SQLAlchemyError, psycopg.Error) as error:
            if not of_replica(request) or _is_about_the_question(error):
                raise
            replica.doubt()
            raise AskPrimary from error


def _opened(replica: Replica, held: ExitStack, since: Position) -> Session | None:
    try:
        return held.enter_context(replica.read(since))
    except NotNear:
        return None
    except (SQLAlchemyError, psycopg.Error):
        replica.doubt()
        return None


def _is_about_the_question(error: Exception) -> bool:
    """Whether the primary would say the same: it takes too long, or asks for what cannot be."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    return isinstance(cause, QueryCanceled | DataException)


def _primary_only(request: Request) -> bool:
    path = request.url.path
    return (
        getattr(request.state, "of_primary", False)
        or (request.method not in _SAFE and path not in ASKED_WITH_A_BODY)
        # Whoever posts is waited for at the primary, and has to be seen.
        or "as_known_at" in request.query_params
        or any(path == each or path.startswith(f"{each}/") for each in FROM_PRIMARY)
    )


def _known(request: Request) -> Position:
    """Up to where the asker knows the ledger. Problem 422."""
    told = request.headers.get(POSITION)
    at_least = NOWHERE if told is None else _read(told)
    if at_least is None:
        detail = f"{POSITION}: write what an answer told in that header"
        raise Problem(422, "The request is not valid", detail, field=POSITION)
    return max(at_least, _read(request.cookies.get(COOKIE, "")) or NOWHERE)


def _read(told: str) -> Position | None:
    if len(told) > _LONGEST or not re.fullmatch("[0-9]+", told, re.ASCII):
        return None
    return min(int(told), LAST)


class Positions:
    """ASGI middleware, where there is a replica: tells positions, and asks the primary again."""

    def __init__(self, app: ASGIApp, primary: Database, most_behind: float) -> None:
        self._app = app
        self._primary = primary
        self._seconds = int(most_behind) + 1

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on, twice where the replica gives it up."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        heard: list[Message] = []

        async def hear() -> Message:
            heard.append(await receive())
            return heard[-1]

        async def hear_again() -> Message:
            return heard.pop(0) if heard else await receive()

        first = _anew(scope)
        try:
            await self._app(first, hear, self._telling(first, send))
        except AskPrimary:
            if first["state"].get("begun"):
                raise
            second = _anew(scope)
            second["state"]["of_primary"] = True
            await self._app(second, hear_again, self._telling(second, send))

    def _telling(self, scope: Scope, send: Send) -> Send:
        async def tell(message: Message) -> None:
            if message["type"] == "http.response.start":
                scope["state"]["begun"] = True
                position = await self._position(scope, message["status"])
                if position is not None:
                    self._put(MutableHeaders(scope=message), Request(scope), position)
            await send(message)

        return tell

    async def _position(self, scope: Scope, status: int) -> Position | None:
        if scope["method"] in _SAFE or scope["path"] in ASKED_WITH_A_BODY:
            return cast("Position | None", scope["state"].get("position"))
        # Of a request that was refused nothing was written; of one that failed nobody knows.
        refused = 400 <= status < 500  # noqa: PLR2004  # HTTP
        return None if refused else await run_in_threadpool(written, self._primary)

    def _put(self, headers: MutableHeaders, request: Request, position: Position) -> None:
        headers[POSITION] = str(position)
        if request.url.path.startswith("/v1/"):
            return
        secure = "; Secure" if over_https(request) else ""
        said = f"Max-Age={self._seconds}; Path=/; HttpOnly; SameSite=Lax{secure}"
        headers.append("set-cookie", f"{COOKIE}={position}; {said}")


def _anew(scope: Scope) -> dict[str, Any]:
    """A request as it came: what answering it writes down stays out of the next try."""
    return {**scope, "state": dict(scope.get("state", {}))}
