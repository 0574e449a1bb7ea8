"""Whether the API is alive, and whether it can answer."""

from typing import Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from sqlalchemy.exc import SQLAlchemyError

from api.dependencies import database_of
from api.problems import RETRY_AFTER_SECONDS, Problem, answers
from api.reading import replica_of
from migrations.shapes import Fit, shape_of
from store.postgres.replica import State

router = APIRouter(tags=["health"])


class Alive(BaseModel):
    """It answers."""

    status: Literal["ok"] = Field("ok", description="Always `ok`.")


class Ready(Alive):
    """It can answer."""

    replica: State | None = Field(
        None,
        description="Whether the read replica answers, or is `behind` or `away` and the primary"
        " answers in its place; left out where there is none.",
    )


@router.get("/livez", summary="Is it alive?")
def livez() -> Alive:
    """The process answers. Says nothing about the database: restarting would not bring it back."""
    return Alive(status="ok")


@router.get(
    "/readyz",
    summary="Can it answer?",
    response_model_exclude_none=True,
    responses=answers(503),
)
def readyz(request: Request) -> Ready:
    """The database answers, in a shape that this version works with. A replica may be away."""
    replica = replica_of(request)
    retry = {"Retry-After": str(RETRY_AFTER_SECONDS)}
    try:
        with database_of(request).engine.connect() as connection:
            fit = shape_of(connection).fit
    except SQLAlchemyError:
        raise Problem(503, "The database is away", headers=retry) from None
    if fit is Fit.BEHIND:
        raise Problem(503, "The database is not migrated", "Run: spanledger migrate", headers=retry)
    if fit is Fit.BEYOND:
        told = "Use the version of spanledger that migrated it, or a later one"
        raise Problem(503, "The database is of a newer version", told, headers=retry)
    return Ready(status="ok", replica=replica.state if replica else None)
