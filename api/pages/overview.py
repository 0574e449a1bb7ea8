"""The first page: what this month came to so far."""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from api.dependencies import Reading, Tenant
from api.pages.asked import PageAsked
from api.pages.charts import Chart, Legend
from api.pages.shell import page
from api.pages.tables import Column, Table
from api.pages.visitor import Visiting
from reports.palette import hue_of
from reports.spend_chart import Part, daily_stack
from spend.periods import local_day, month_of
from store.dimensions import named_period
from store.spend_by import spend_by

router = APIRouter(include_in_schema=False)


class OverviewAsked(PageAsked):
    """Which month."""

    month: str | None = None


@router.get("/")
def show(
    request: Request,
    session: Reading,
    tenant: Tenant,
    visitor: Visiting,
    query: Annotated[OverviewAsked, Query()],
) -> Response:
    """The month's spend by day and provider."""
    month = query.month or str(month_of(visitor.now, visitor.zone))
    period = named_period("month", month, visitor.zone)
    question = visitor.question(period, "day", "provider")
    found = spend_by(session, question, tenant, visitor.conversion)
    costs: dict[str, dict[str, Decimal]] = {}
    for (day, provider), totals in found.groups.items():
        if totals.cost is not None:
            costs.setdefault(provider or "unknown", {})[str(day)] = totals.cost
    days = _days(local_day(period.start, visitor.zone), local_day(visitor.now, visitor.zone))
    chart = _chart(costs, days, visitor.currency)
    table = Table(
        columns=(
            Column("provider", "Provider"),
            Column("cost", "Spend", "money"),
        ),
        rows=[
            {"provider": provider, "cost": sum(by_day.values(), Decimal(0))}
            for provider, by_day in costs.items()
        ],
        caption="Providers",
        file=f"providers-{month}",
        currency=visitor.currency,
    )
    return page(
        request,
        visitor,
        "overview.html",
        title="Overview",
        tables={"providers": table},
        month=month,
        chart=chart,
    )


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=each) for each in range((last - first).days + 1)]


def _chart(costs: Mapping[str, Mapping[str, Decimal]], days: list[date], currency: str) -> Chart:
    parts = [
        Part(name, hue_of(name), [by_day.get(f"{day}", Decimal(0)) for day in days])
        for name, by_day in costs.items()
    ]
    legend = tuple(Legend(part.name, part.colour) for part in parts)
    return Chart(daily_stack(days, parts, currency=currency), "Spend by day and provider", legend)
