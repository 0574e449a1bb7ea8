"""Everything that goes wrong, told as application/problem+json (RFC 9457).

A client's mistake is a 4xx that names the parameter or field. The database being away is 503 with
``Retry-After``: the client should ask again. 500 is our mistake, and says no more than that.
"""

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, cast

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from psycopg.errors import (
    FeatureNotSupported,
    QueryCanceled,
    ReadOnlySqlTransaction,
    UndefinedTable,
)
from pydantic import BaseModel, Field
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    InterfaceError,
    InternalError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
    StatementError,
)
from sqlalchemy.exc import TimeoutError as NoFreeConnection
from starlette.exceptions import HTTPException

from api.allowed_methods import allowed_methods
from spend.secret_shapes import without_secrets
from store.archive.archive_places import ArchiveAway

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 3
MOST_TOLD = 20
"""Of what is wrong in a request: a list of thousands of wrong values is no answer of megabytes."""

log = structlog.get_logger(__name__)


class Problem(Exception):  # noqa: N818 - RFC 9457 calls it a problem
    """Raise it anywhere in a request: the client is answered with it.

    ``field`` is the query parameter, header or body field (dotted) that is to be changed. What
    looks like a secret in what somebody sent is not told back: answers are logged elsewhere.
    """

    def __init__(
        self,
        status: int,
        title: str,
        detail: str | None = None,
        *,
        field: str | None = None,
        headers: Mapping[str, str] | None = None,
        errors: Sequence["FieldProblem"] = (),
    ) -> None:
        super().__init__(detail or title)
        self.status = status
        self.title = title
        self.detail = None if detail is None else without_secrets(detail)
        self.field = None if field is None else without_secrets(field)
        self.headers = dict(headers or {})
        self.errors = list(errors)


class FieldProblem(BaseModel):
    """One thing that is wrong in a request."""

    field: str = Field(description="Parameter, header or body field, dotted: `filter.team.0`.")
    detail: str = Field(description="What is wrong with it.")


class ProblemAnswer(BaseModel):
    """A problem as it is sent (RFC 9457)."""

    type: str = Field("about:blank", description="Always `about:blank`: the status says it.")
    title: str = Field(description="What is wrong, in general.")
    status: int = Field(description="The HTTP status.")
    detail: str | None = Field(None, description="What is wrong, in this case.")
    field: str | None = Field(None, description="The first parameter or field that is wrong.")
    errors: list[FieldProblem] | None = Field(
        None, description=f"All of them, where several are: at most {MOST_TOLD}."
    )


Responses = dict[int | str, dict[str, Any]]


def answers(*statuses: int) -> Responses:
    """OpenAPI's ``responses`` for the problems that a route can answer with."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemAnswer"}}}
    return {
        status: {"description": HTTPStatus(status).phrase, "content": content}
        for status in statuses
    }


def problem_response(problem: Problem) -> JSONResponse:
    """A problem as a response."""
    body = ProblemAnswer(
        title=problem.title,
        status=problem.status,
        detail=problem.detail,
        field=problem.field,
        errors=problem.errors or None,
        type="about:blank",
    )
    return JSONResponse(
        body.model_dump(exclude_none=True),
        status_code=problem.status,
        headers=problem.headers,
        media_type=MEDIA_TYPE,
    )


Shows = Callable[[Request, Problem], Response | None]
"""Tells a problem to a reader, as a page; None where a program asks."""


def install(app: FastAPI, shows: Shows = lambda _request, _problem: None) -> None:
    """Makes every error of ``app`` a problem."""
    handlers: dict[type[Exception], Callable[[Request, Any], Problem]] = {
        Problem: lambda _request, problem: problem,
        RequestValidationError: _invalid,
        HTTPException: _http,
        OperationalError: _database_away,
        InterfaceError: _database_away,
        NoFreeConnection: _database_away,
        ArchiveAway: _archive_away,
        ProgrammingError: _not_migrated,
        InternalError: _read_only,
        NotSupportedError: _read_only,
        DataError: _not_storable,
        UnicodeEncodeError: _not_storable,
        Exception: _ours,
    }
    for error, found in handlers.items():
        app.add_exception_handler(error, _answering(found, shows))


def _answering(
    found: Callable[[Request, Any], Problem], shows: Shows
) -> Callable[[Request, Exception], Response]:
    def answer(request: Request, error: Exception) -> Response:
        problem = found(request, error)
        return shows(request, problem) or problem_response(problem)

    return answer


def _invalid(_request: Request, error: RequestValidationError) -> Problem:
    found = [_field_problem(each) for each in error.errors()[:MOST_TOLD]]
    first = found[0]
    detail = f"{first.field}: {first.detail}"
    return Problem(422, "The request is not valid", detail, field=first.field, errors=tuple(found))


def _field_problem(error: Mapping[str, Any]) -> FieldProblem:
    where = [str(part) for part in error["loc"]]
    if error["type"] == "json_invalid":
        reason = error.get("ctx", {}).get("error", "")
        return FieldProblem(field="body", detail=f"not JSON at character {where[-1]}: {reason}")
    detail = str(error["msg"])
    if error["type"] == "extra_forbidden":
        # Only bodies come here: parameters.py tells which parameters there are.
        detail = "there is no such field"
    # The first part says query, path, header or body: only a body may have no further part.
    field = ".".join(where[1:]) or where[0]
    return FieldProblem(field=without_secrets(field), detail=without_secrets(detail))


def _http(request: Request, error: HTTPException) -> Problem:
    title = HTTPStatus(error.status_code).phrase
    detail = error.detail if error.detail != title else None
    if error.status_code == HTTPStatus.BAD_REQUEST:
        # All that the framework says of what Python's reader of JSON gave up at.
        detail = (
            "body: not JSON that can be read: not UTF-8, too deep, or a number that is too long"
        )
        return Problem(400, title, detail, field="body")
    headers = cast("Mapping[str, str]", error.headers)
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers = {"Allow": allowed_methods(request)}
    return Problem(error.status_code, title, detail, headers=headers)


def _busy(title: str, detail: str) -> Problem:
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS)}
    return Problem(503, title, detail, headers=headers)


def _database_away(_request: Request, error: Exception) -> Problem:
    if isinstance(getattr(error, "orig", None), QueryCanceled):
        return _busy("The question took too long", "Ask for a shorter range or fewer dimensions.")
    log.warning("database away", error=type(error).__name__)
    return _busy("The database is away", "Nothing was changed. Ask again.")


def _archive_away(_request: Request, error: Exception) -> Problem:
    # Where it is, is nobody's business who asks for a call.
    log.warning("the archive is away", error=str(error))
    return _busy(
        "The archive is away",
        "Its day is no longer kept in the database, and the archive cannot be read. Ask again.",
    )


def _not_migrated(request: Request, error: ProgrammingError) -> Problem:
    if isinstance(error.orig, UndefinedTable):
        return _busy("The database is not migrated", "Run: spanledger migrate")
    return _ours(request, error)


def _read_only(request: Request, error: DBAPIError) -> Problem:
    # The second is what a standby says, before it is the primary.
    if isinstance(error.orig, ReadOnlySqlTransaction | FeatureNotSupported):
        log.warning("database read-only", error=type(error.orig).__name__)
        return _busy("The database can only be read now", "Nothing was changed. Ask again.")
    return _ours(request, error)


def _not_storable(_request: Request, error: StatementError | UnicodeEncodeError) -> Problem:
    log.warning("a value that Postgres cannot hold", error=type(error).__name__)
    detail = "It holds a value that cannot be stored: a NUL, half a character, or too large."
    return Problem(422, "The request is not valid", detail)


def _ours(request: Request, error: Exception) -> Problem:
    log.error("a request failed", path=request.url.path, exc_info=error)
    return Problem(500, "spanledger failed", "The mistake is ours; see its log.")
