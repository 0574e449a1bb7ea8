"""What was called and has no price: how much, since when, whose, and why."""

from datetime import UTC, datetime, time, timedelta
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import Field

from api.dependencies import Reading, Tenant
from api.pages.asked import PageAsked
from api.pages.links import elsewhere
from api.pages.prices.model_list import address, shares
from api.pages.prices.price_tabs import price_tabs
from api.pages.shell import page
from api.pages.tables import Cell, Column, Held, Table
from api.pages.visitor import Visiting
from reports.charts.palette import hue_of, shown_name
from spend.access.roles import Permission
from spend.periods import Period
from store.completeness import complete_until
from store.prices.unpriced_by_days import UnpricedModel, unpriced_by_days

router = APIRouter(include_in_schema=False)

DAYS: Final = {"7": "7 days", "31": "31 days", "92": "92 days"}
_TEAMS_NAMED: Final = 3


class UnpricedAsked(PageAsked):
    """How far to look back."""

    days: Annotated[Literal["7", "31", "92"], Field(description="Days back from now.")] = "31"


def looked_back(now: datetime, days: str) -> Period:
    """Whole days of UTC, today the last of them: their sums tell at once."""
    tomorrow = now.astimezone(UTC).date() + timedelta(days=1)
    end = datetime.combine(tomorrow, time(), UTC)
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
    found = unpriced_by_days(session, tenant, period)
    rows = [_row(request, each) for each in found]
    return page(
        request,
        visitor,
        "unpriced.html",
        title="Calls without a price",
        tables={
            "unpriced": Table(
                _COLUMNS if visitor.may(Permission.MONEY) else _COLUMNS[:-1],
                rows,
                "Models without a price",
                file="unpriced",
                currency=visitor.currency,
            )
        },
        tabs=price_tabs(request, "/prices/unpriced"),
        query=query,
        days=list(DAYS.items()),
        calls=sum(each.calls + each.silent for each in found),
        tokens=sum(each.tokens for each in found),
        since=min((each.first for each in found if each.first), default=None),
        complete_until=complete_until(session),
    )


_COLUMNS: Final = (
    Column("model", "Model"),
    Column("provider", "Provider", shown=False),
    Column("calls", "No price", "number", "Calls of known usage that no price line is for."),
    Column("silent", "Usage not told", "number", "Calls that did not say it.", narrow=False),
    Column("tokens", "Tokens", "short", narrow=False),
    Column("input_tokens", "Input", "short", shown=False),
    Column("cache_tokens", "Cached", "short", shown=False),
    Column("written_tokens", "Cache writes", "short", shown=False),
    Column("output_tokens", "Output", "short", shown=False),
    Column("teams", "Teams", narrow=False),
    Column("first_day", "Since", "day", "The day, UTC.", narrow=False),
    Column("last_day", "Last", "day", "The day, UTC.", narrow=False),
    Column("price", "", hint="What to do", csv=False),
)


def _row(request: Request, each: UnpricedModel) -> dict[str, Held | Cell]:
    teams = [str(team) for team, _calls in sorted(each.teams.items(), key=lambda it: -it[1])]
    shown = ", ".join(teams[:_TEAMS_NAMED])
    if len(teams) > _TEAMS_NAMED:
        shown += f" and {len(teams) - _TEAMS_NAMED} more"
    pricing = None
    if (each.calls or each.tokens) and each.provider and each.model:
        pricing = elsewhere(
            request, "/prices/unpriced/price", provider=each.provider, model=each.model
        )
    return {
        "model": Cell(
            each.model,
            href=address(request, each.provider, each.model),
            show=None if each.model else "not told",
            colour=hue_of(each.provider),
            note=shown_name(each.provider),
        ),
        "provider": each.provider,
        "calls": Cell(each.calls, tone="warn" if each.calls else ""),
        "silent": each.silent,
        "tokens": each.tokens,
        **shares(each.usage),
        "teams": Cell("; ".join(teams), show=shown),
        "first_day": each.first,
        "last_day": each.last,
        "price": Cell(
            None,
            href=pricing,
            show="Enter a price" if pricing else "its instrumentation has to tell usage",
            tone="" if pricing else "quiet",
        ),
    }
