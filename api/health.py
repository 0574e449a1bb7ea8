"""Whether the API is alive, and whether it can answer."""

from typing import Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from sqlalchemy.exc import SQLAlchemyError

from api.dependencies import database_of
from api.problems import RETRY_AFTER_SECONDS, Problem, answers
from migrations.run import missing

router = APIRouter(tags=["health"])


class Alive(BaseModel):
    """It answers."""

    status: Literal["ok"] = Field("ok", description="Always `ok`.")


@router.get("/livez", summary="Is it alive?")
def livez() -> Alive:
    """The process answers. Says nothing about the database: restarting would not bring it back."""
    return Alive(status="ok")


@router.get("/readyz", summary="Can it answer?", responses=answers(503))
def readyz(request: Request) -> Alive:
    """The database answers and is at the newest shape."""
    retry = {"Retry-After": str(RETRY_AFTER_SECONDS)}
    try:
        with database_of(request).engine.connect() as connection:
            behind = missing(connection)
    except SQLAlchemyError:
        raise Problem(503, "The database is away", headers=retry) from None
    if behind:
        raise Problem(503, "The database is not migrated", "Run: spanledger migrate", headers=retry)
    return Alive(status="ok")
