"""GET /v1/statements/{month}: a month for finance, in lines that add up."""

from datetime import datetime
from typing import Annotated, Literal, Protocol

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field
from sqlalchemy.orm import Session

from api.answers import FILES, asked_file, file_answer, json_answer
from api.auth import Caller, Who, of_their_team
from api.dependencies import Clock, Config, Reading, Tenant
from api.grouping import Name, wrong, zone_named
from api.known import KnownAsked, known_at
from api.problems import Responses, answers
from api.settings import ApiSettings
from api.statements.statement_answer import statement_answer
from api.statements.statement_shapes import StatementAnswer
from reports.statements.statement_files import WRITERS
from spend.currencies.currencies import CODES
from spend.fiscal import Calendar
from spend.statements.statements import Statement
from store.months import months
from store.statements.statements import statement_of

router = APIRouter(prefix="/v1", tags=["statements"])


class StatementAsked(KnownAsked):
    """Parameters of a statement."""

    team: Name | None = Field(None, description="Only this team's part.", examples=["search"])
    timezone: str | None = Field(
        None, description="Whose month it is. Default: the server's setting."
    )
    currency: str | None = Field(
        None,
        description="ISO 4217: what amounts are told in. Default: the ledger's. What no exchange"
        " rate is for stands in `elsewhere`.",
        examples=["EUR"],
    )
    rate_policy: Literal["daily", "period-end", "period-average"] | None = Field(
        None,
        description="Which day's exchange rates amounts in other currencies are told at. Default:"
        " the server's setting.",
    )


def _file(end: str) -> Responses:
    return {200: {"content": {FILES[end]: {}}}, **answers(401, 403, 422, 503)}


@router.get(
    "/statements/{month}",
    summary="A month, in lines that add up",
    response_model=StatementAnswer,
    responses={
        200: {"content": {media_type: {} for media_type in FILES.values()}},
        **answers(401, 403, 422, 503),
    },
)
# Decorators register from below: these must come first, or {month} would hold '.csv'.
@router.get(
    "/statements/{month}.csv",
    summary="A month as CSV",
    response_class=Response,
    responses=_file("csv"),
)
@router.get(
    "/statements/{month}.parquet",
    summary="A month's lines as Parquet",
    response_class=Response,
    responses=_file("parquet"),
)
@router.get(
    "/statements/{month}.xlsx",
    summary="A month as a workbook",
    response_class=Response,
    responses=_file("xlsx"),
)
@router.get(
    "/statements/{month}.pdf",
    summary="A month as PDF",
    response_class=Response,
    responses=_file("pdf"),
)
def statement(
    request: Request,
    session: Reading,
    tenant: Tenant,
    config: Config,
    clock: Clock,
    who: Who,
    month: Annotated[str, Path(description="Such as `2026-10`, or `FY2027-P02`.")],
    query: Annotated[StatementAsked, Query()],
) -> Response:
    """What each team spent on each provider's models, beside the month before.

    Amounts are whole coins: lines add up to their team, teams to the total. A team's own statement
    says what the statement of all says of it.
    """
    now = clock()
    moment = known_at(request, query, now)
    found = statement_for(
        session, tenant, config, month, query, team=team_for(who, query.team), now=now, known=moment
    )
    end = asked_file(request)
    if end is None:
        return json_answer(request, statement_answer(found))
    body = WRITERS[end](found)
    return file_answer(request, body, FILES[end], f"statement-{found.month}.{end}")


def team_for(who: Caller, team: str | None) -> str | None:
    """The team whose statement is asked for, None: all; Problem 403 where it is not theirs."""
    if team is not None:
        of_their_team(who, team)
    return team if who.team is None else who.team


class Told(Protocol):
    """How a statement is to be told; None: as it usually is."""

    @property
    def timezone(self) -> str | None:
        """Whose month it is."""

    @property
    def currency(self) -> str | None:
        """ISO 4217."""

    @property
    def rate_policy(self) -> str | None:
        """One of ``spend.currencies.exchange.POLICIES``."""


def statement_for(
    session: Session,
    tenant: int,
    config: ApiSettings,
    month: str,
    asked: Told,
    *,
    team: str | None,
    now: datetime,
    known: datetime | None = None,
) -> Statement:
    """A month's statement; ``now`` is UTC, ``known`` the moment whose knowledge is asked for.

    Problem 422 for a month, zone or currency that is none.
    """
    try:
        if asked.timezone is None:
            calendar, period = months.period_named(session, tenant, month, config.calendar)
        else:
            calendar = Calendar(zone_named(asked.timezone), config.fiscal_year)
            period = calendar.named(month)
    except ValueError as error:
        raise wrong("month", str(error)[:200]) from None
    return statement_of(
        session,
        tenant,
        period,
        calendar=calendar,
        telling=config.telling,
        currency=None if asked.currency is None else _currency(asked.currency),
        policy=asked.rate_policy,
        now=now,
        as_known_at=known,
        team=team,
    )


def _currency(code: str) -> str:
    if code not in CODES:
        raise wrong("currency", f"{code[:20]!r} is not a currency such as EUR, by ISO 4217")
    return code
