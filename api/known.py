"""Questions of what was known at a moment: the moment is reached before anything is read."""

from dataclasses import replace
from datetime import datetime
from typing import Any, Final, Literal

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field

from api.dependencies import database_of
from api.grouping import Asked, wrong
from api.instants import Instant
from api.shapes import instant
from store import waiting

AS_KNOWN_AT: Final = (
    "Answer with what was in the ledger at this instant, by the names of then: the same question"
    " has the same answer, byte for byte, whatever is posted later. A date is its first moment,"
    " UTC. Default: what is known now."
)


class KnownAsked(BaseModel):
    """When what is asked was known."""

    model_config = ConfigDict(extra="forbid")

    as_known_at: Instant | None = Field(
        None, description=AS_KNOWN_AT, examples=["2026-11-03T09:00:00Z"]
    )


class BooksAsked(KnownAsked):
    """How the ledger's lines are looked at."""

    period: Literal["charge", "billing"] = Field(
        "charge",
        description="`charge`: what was used in the period, as corrected since. `billing`: what is"
        " booked in it, as its statement says: what came after a month was closed is booked in the"
        " next one that was open.",
    )


class BooksAnswer(BaseModel):
    """How the ledger's lines were looked at."""

    period: Literal["charge", "billing"]
    as_known_at: str | None = Field(description="Null: what is known now.")


def known_at(request: Request, asked: KnownAsked, now: datetime) -> datetime | None:
    """The moment (UTC) that is asked for; None: now. To be called before anything is read.

    Waits for whoever posts, so that what is posted later is of a later moment. Raises Problem 422
    where it is still to come.
    """
    moment = asked.as_known_at
    if moment is None:
        return None
    if moment > now:
        detail = f"{instant(moment)} is still to come: what will be known then is not known"
        raise wrong("as_known_at", detail)
    waiting.until_nobody_posts(database_of(request))
    return moment


def in_books(asked: Asked, how: BooksAsked, moment: datetime | None) -> Asked:
    """The question, looked at in that way."""
    question = replace(asked.question, billing=how.period == "billing", as_known_at=moment)
    return replace(asked, question=question)


def books_of(asked: BooksAsked, moment: datetime | None) -> dict[str, Any]:
    """The fields of BooksAnswer."""
    return {"period": asked.period, "as_known_at": instant(moment)}
