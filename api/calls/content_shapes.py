"""Content as the API shows it: whether it is kept, on which terms, and what was said."""

from datetime import date, datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StringConstraints

from spend.contents.contents import (
    KINDS,
    LONGEST_PATTERN,
    MOST_DAYS,
    MOST_NAMES,
    MOST_PATTERNS,
    USUAL_DAYS,
    Content,
    ContentTerms,
    content_terms,
)
from spend.contents.conversations import Piece, Turn, pieces_of, turns_of
from spend.ids import unsigned
from store.contents.content_policies import Policy
from store.contents.contents import Held

_KINDS = "; ".join(f"`{kind}`: {what}" for kind, what in KINDS.items())

Name = Annotated[str, StringConstraints(max_length=200)]


class NewContentTerms(BaseModel):
    """On which terms content is kept. What is left out is as it is without saying."""

    model_config = ConfigDict(extra="forbid")

    on: StrictBool = Field(description="Whether it is kept at all.")
    days: int = Field(
        USUAL_DAYS, description=f"How long, from the call's day on: 1 to {MOST_DAYS}."
    )
    kinds: list[Name] = Field([], max_length=len(KINDS), description=f"Which; none: all. {_KINDS}")
    patterns: list[Annotated[str, StringConstraints(max_length=LONGEST_PATTERN)]] = Field(
        [],
        max_length=MOST_PATTERNS,
        description="What is taken out besides secrets, e-mail addresses, telephone numbers, cards"
        " and accounts: regular expressions of RE2.",
    )
    ips: StrictBool = Field(False, description="Whether IP addresses are taken out, too.")
    teams: list[Name] = Field([], max_length=MOST_NAMES, description="Whose; none: everybody's.")
    services: list[Name] = Field([], max_length=MOST_NAMES, description="Of which; none: of all.")

    def terms(self) -> ContentTerms:
        """Terms that make sense; TermsRefused otherwise."""
        return content_terms(**self.model_dump())


class HeldAnswer(BaseModel):
    """How much content there is."""

    parts: int = Field(description="Of a call, one a kind; of a log record one.")
    bytes: int = Field(description="As they are stored.")
    first_day: date | None
    last_day: date | None


class ContentTermsAnswer(BaseModel):
    """Whether content is kept, and on which terms."""

    on: bool
    days: int
    kinds: list[str]
    patterns: list[str]
    ips: bool
    teams: list[str]
    services: list[str]
    changed_at: datetime | None = Field(description="null: nobody ever said anything.")
    changed_by: str | None
    held: HeldAnswer = Field(description="What there is now.")
    beyond: HeldAnswer = Field(description="What of it these terms do not keep: gone in minutes.")


class TurnAnswer(BaseModel):
    """One thing that somebody said."""

    role: str
    text: str
    tool: str | None = Field(description="The tool that is called, or that answers.")
    is_call: bool = Field(description="Whether `text` is what the tool was given.")
    kind: str


class PieceAnswer(BaseModel):
    """What an attribute or an event told."""

    name: str
    text: str


class PartAnswer(BaseModel):
    """Content of one kind, from one span or log record."""

    trace_id: str
    span_id: str
    at: datetime
    kind: str
    cut: bool = Field(description="Whether something was left out, as there was too much.")
    pieces: list[PieceAnswer]


class CallContentAnswer(BaseModel):
    """What was said in a call."""

    on: bool = Field(description="Whether content is kept now. What there is may be of before.")
    turns: list[TurnAnswer] = Field(description="As a conversation.")
    parts: list[PartAnswer] = Field(description="As it was told.")


def terms_answer(policy: Policy, there: Held, beyond: Held) -> ContentTermsAnswer:
    """Terms, and what they do to what there is."""
    terms = policy.terms
    return ContentTermsAnswer(
        on=terms.on,
        days=terms.days,
        kinds=list(terms.kinds),
        patterns=list(terms.patterns),
        ips=terms.ips,
        teams=list(terms.teams),
        services=list(terms.services),
        changed_at=policy.changed_at,
        changed_by=policy.changed_by,
        held=_held(there),
        beyond=_held(beyond),
    )


def _held(there: Held) -> HeldAnswer:
    return HeldAnswer(
        parts=there.parts,
        bytes=there.bytes,
        first_day=there.first_day,
        last_day=there.last_day,
    )


def content_answer(told: list[Content], *, on: bool) -> CallContentAnswer:
    """What was said, as a conversation and as it was told."""
    return CallContentAnswer(
        on=on,
        turns=[_turn(each) for each in turns_of(told)],
        parts=[_part(each) for each in told],
    )


def _turn(turn: Turn) -> TurnAnswer:
    return TurnAnswer(
        role=turn.role, text=turn.text, tool=turn.tool, is_call=turn.is_call, kind=turn.kind
    )


def _part(told: Content) -> PartAnswer:
    return PartAnswer(
        trace_id=told.trace_id,
        span_id=unsigned(told.span_id),
        at=told.at,
        kind=told.kind,
        cut=told.cut,
        pieces=[_piece(each) for each in pieces_of(told)],
    )


def _piece(piece: Piece) -> PieceAnswer:
    return PieceAnswer(name=piece.name, text=piece.text)
