"""What was called and has no price: how much, since when, whose, and why."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import Field

from api.dependencies import Reading, Tenant
from api.pages.asked import PageAsked
from api.pages.links import elsewhere
from api.pages.models import address, shares
from api.pages.price_tabs import price_tabs
from api.pages.shell import page
from api.pages.tables import Cell, Column, Held, Table
from api.pages.visitor import Visiting
from reports.palette import hue_of, shown_name
from spend.meters import DISJOINT
from spend.periods import Period
from store.completeness import complete_until
from store.unpriced import NO_PRICE, Unpriced, unpriced, unpriced_teams

router = APIRouter(include_in_schema=False)

MOST: Final = 200
DAYS: Final = {"7": "7 days", "31": "31 days", "92": "92 days"}
_TEAMS_NAMED: Final = 3

Whose = Mapping[tuple[str | None, str | None], Mapping[str | None, int]]


class UnpricedAsked(PageAsked):
    """How far to look back."""

    days: Annotated[Literal["7", "31", "92"], Field(description="Days back from now.")] = "31"


def looked_back(now: datetime, days: str) -> Period:
    """The time that is looked at, UTC; the present quarter hour is in it."""
    end = now + timedelta(hours=1)
    return Period(end - timedelta(days=int(days)), end)


@router.get("/prices/unpriced")
def show(
    request: Request,
    session: Reading,
    tenant: Tenant,
    visitor: Visiting,
    query: Annotated[UnpricedAsked, Query()],
) -> Response:
    """The queue: models with calls of unknown cost, those with most calls first."""
    visitor.whole_ledger()
    period = looked_back(visitor.now, query.days)
    found = unpriced(session, tenant, period.start, period.end, at_most=MOST)
    whose = unpriced_teams(session, tenant, period) if found else {}
    rows = [_row(request, each, whose) for each in found]
    return page(
        request,
        visitor,
        "unpriced.html",
        title="Calls without a price",
        tables={
            "unpriced": Table(
                _COLUMNS if visitor.may_write else _COLUMNS[:-1],
                rows,
                "Models without a price",
                file="unpriced",
                currency=visitor.currency,
            )
        },
        tabs=price_tabs(request, "/prices/unpriced"),
        query=query,
        days=list(DAYS.items()),
        calls=sum(each.calls for each in found),
        tokens=sum(_tokens(each) for each in found),
        since=min((each.first_seen for each in found), default=None),
        complete_until=complete_until(session),
    )


_COLUMNS: Final = (
    Column("model", "Model"),
    Column("provider", "Provider", narrow=False),
    Column("reason", "Why"),
    Column("calls", "Calls", "number"),
    Column("tokens", "Tokens", "short"),
    Column("input_tokens", "Input", "short", narrow=False),
    Column("cache_tokens", "Cached", "short", narrow=False),
    Column("written_tokens", "Cache writes", "short", narrow=False),
    Column("output_tokens", "Output", "short", narrow=False),
    Column("teams", "Teams", narrow=False),
    Column("first_seen", "Since", "when", narrow=False),
    Column("last_seen", "Last", "when", narrow=False),
    Column("price", "", hint="What to do"),
)


def _row(request: Request, each: Unpriced, whose: Whose) -> dict[str, Held | Cell]:
    teams = sorted(whose.get((each.provider, each.model), {}).items(), key=lambda team: -team[1])
    names = [str(team) for team, _calls in teams]
    shown = ", ".join(names[:_TEAMS_NAMED])
    if len(names) > _TEAMS_NAMED:
        shown += f" and {len(names) - _TEAMS_NAMED} more"
    to_price = each.reason == NO_PRICE and each.provider and each.model
    pricing = None
    if to_price:
        pricing = elsewhere(
            request, "/prices/unpriced/price", provider=each.provider, model=each.model
        )
    return {
        "model": Cell(
            each.model,
            href=address(request, each.provider, each.model),
            show=None if each.model else "not told",
        ),
        "provider": Cell(
            each.provider, show=shown_name(each.provider), colour=hue_of(each.provider)
        ),
        "reason": Cell(each.reason, tone="warn" if each.reason == NO_PRICE else "quiet"),
        "calls": each.calls,
        "tokens": _tokens(each) if each.reason == NO_PRICE else None,
        **(shares(each.usage) if each.reason == NO_PRICE else {}),
        "teams": Cell("; ".join(names) or None, show=shown or None),
        "first_seen": each.first_seen,
        "last_seen": each.last_seen,
        "price": Cell(
            None,
            href=pricing,
            show="Enter a price" if pricing else "the instrumentation has to tell usage",
            tone="" if pricing else "quiet",
        ),
    }


def _tokens(each: Unpriced) -> int:
    return sum(each.usage.get(name, 0) for name in DISJOINT)
