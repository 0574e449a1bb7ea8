"""What a pool's hours are made of: its components by day, their terms and how long they hold."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from api.capacity.pools import PoolId
from api.dependencies import Reading, Tenant
from api.pages.capacity.capacity_board import share
from api.pages.capacity.pool_shown import PoolShown, head, pool_shown
from api.pages.capacity.pool_terms import (
    capacity_in_words,
    match_in_words,
    rate_in_words,
    tariffs_of,
    terms_in_words,
)
from api.pages.charts import Chart, Legend
from api.pages.ranges import RangeAsked
from api.pages.shell import page
from api.pages.tables import Cell, Column, Table
from api.pages.visitor import Visiting, Visitor
from reports.charts.pool_charts import component_colours
from reports.charts.spend_chart import Part, daily_stack
from spend import money
from spend.capacity.pool_costs import CostPart
from spend.periods import local_day
from store.capacity import pool_board, pool_hours
from store.capacity.pool_hours import PoolHour, components_of

router = APIRouter(include_in_schema=False)

MOST_DAYS: Final = 62
"""That are drawn."""


@router.get("/capacity/{pool_id}/costs")
def show(
    request: Request,
    session: Reading,
    tenant: Tenant,
    visitor: Visiting,
    pool_id: PoolId,
    query: Annotated[RangeAsked, Query()],
) -> Response:
    """The components of a pool's cost over a month, and their terms."""
    of = pool_shown(session, tenant, visitor, query, pool_id)
    period = pool_board.full_hours(of.asked.period)
    settled = pool_hours.hours(session, tenant, of.pool.id, period.start, period.end)
    parts = components_of(settled)
    colours = component_colours([(part.name, part.kind) for part in parts])
    cost = money.total([each.cost for each in settled])
    return page(
        request,
        visitor,
        "pool_costs.html",
        tables={
            "components": _components(parts, cost, colours, of),
            "terms": _terms(of, visitor),
            "tariffs": _tariffs(of),
        },
        chart=_chart(settled, parts, colours, of, visitor),
        settled=settled,
        cost=cost,
        billed=money.total([each.billed_amount for each in settled]),
        kwh=_kwh(parts),
        matches=match_in_words(of.pool.match),
        can=capacity_in_words(of.pool, visitor.formats),
        methods=sorted({each.method for each in settled}),
        **head(request, session, visitor, of, "/costs"),
    )


def _kwh(parts: Sequence[CostPart]) -> tuple[Decimal, Decimal] | None:
    """Energy at the machines, and how much of it was measured; None: none is counted."""
    known = [part for part in parts if part.kwh is not None]
    if not known:
        return None
    nothing = Decimal(0)
    return (
        sum((part.kwh or nothing for part in known), nothing),
        sum((part.measured_kwh or nothing for part in known), nothing),
    )


def _components(
    parts: Sequence[CostPart], cost: Decimal, colours: Mapping[str, str], of: PoolShown
) -> Table:
    rows: list[dict[str, Any]] = [
        {
            "component": Cell(part.name, colour=colours[part.name]),
            "kind": part.kind,
            "cost": part.amount,
            "share": share(part.amount, cost),
            "billed": "yes" if part.billed else Cell("no", tone="quiet"),
            "kwh": part.kwh,
            "measured_kwh": part.measured_kwh,
        }
        for part in sorted(parts, key=lambda each: -each.amount)
    ]
    energy = any(part.kwh is not None for part in parts)
    return Table(
        columns=(
            Column("component", "Component"),
            Column("kind", "Kind", narrow=False),
            Column("cost", "Cost", "money"),
            Column("share", "Share", "percent"),
            Column("billed", "Billed", hint="Whether it is on somebody's invoice", narrow=False),
            *(
                (
                    Column("kwh", "kWh", "number", "At the machines, without PUE", narrow=False),
                    Column("measured_kwh", "Measured kWh", "number", narrow=False),
                )
                if energy
                else ()
            ),
        ),
        rows=rows,
        caption="Why it costs something",
        file=f"{of.file}-components",
        currency=of.pool.currency,
        total={
            **dict.fromkeys(("kind", "billed", "kwh", "measured_kwh"), Cell(None, show="")),
            "component": "All",
            "cost": cost,
            "share": share(cost, cost),
        },
        empty="No hour of it is posted in this time.",
    )


def _terms(of: PoolShown, visitor: Visitor) -> Table:
    """Every version of every component: what holds now, what held, what is to come."""
    rows: list[dict[str, Any]] = []
    for each in sorted(of.pool.costs, key=lambda part: (part.name, part.valid_from)):
        ends = (
            each.ends
            if of.pool.valid_to is None
            else min(each.ends or of.pool.valid_to, of.pool.valid_to)
        )
        state = "in force"
        if each.valid_from > visitor.now:
            state = "to come"
        elif ends is not None and ends <= visitor.now:
            state = "ended"
        rows.append(
            {
                "component": Cell(each.name, note=None if each.name == each.kind else each.kind),
                "terms": terms_in_words(each, of.pool.currency, visitor.formats),
                "from": each.valid_from,
                "to": Cell(ends, show=None if ends else "for good", tone="" if ends else "quiet"),
                "state": Cell(state, tone="good" if state == "in force" else "quiet"),
                "source": Cell(each.source, note=each.reference),
            }
        )
    return Table(
        columns=(
            Column("component", "Component"),
            Column("terms", "Costs"),
            Column("from", "From", "when"),
            Column("to", "Until", "when", narrow=False),
            Column("state", "Now"),
            Column("source", "Who says so", narrow=False),
        ),
        rows=rows,
        caption="Terms, by version",
        file=f"pool-{of.pool.id}-terms",
        currency=of.pool.currency,
    )


def _tariffs(of: PoolShown) -> Table:
    rows = [
        {
            "tariff": Cell(tariff.name, note=tariff.zone),
            "price": rate.price,
            "hours": rate_in_words(rate),
            "from": tariff.valid_from or Cell(None, show="always"),
            "to": tariff.valid_to or Cell(None, show="for good"),
        }
        for tariff in tariffs_of(of.pool)
        for rate in tariff.rates
    ]
    return Table(
        columns=(
            Column("tariff", "Tariff"),
            Column("price", "A kWh", "unit_price"),
            Column("hours", "When, by its clock"),
            Column("from", "From", "when", narrow=False),
            Column("to", "Until", "when", narrow=False),
        ),
        rows=rows,
        caption="What a kilowatt-hour costs",
        file=f"pool-{of.pool.id}-tariffs",
        currency=of.pool.currency,
    )


def _chart(
    settled: Sequence[PoolHour],
    parts: Sequence[CostPart],
    colours: Mapping[str, str],
    of: PoolShown,
    visitor: Visitor,
) -> Chart | None:
    if not settled or len(of.days) > MOST_DAYS:
        return None
    by_day = defaultdict(list)
    for each in settled:
        day = local_day(each.hour, visitor.zone)
        for part in each.components:
            by_day[part.name, day].append(part.amount)
    names = [part.name for part in sorted(parts, key=lambda each: each.amount)]
    stack = [
        Part(name, colours[name], [money.total(by_day.get((name, day), [])) for day in of.days])
        for name in dict.fromkeys(names)
    ]
    legend = tuple(Legend(part.name, part.colour) for part in stack)
    title = f"Cost by day and component, {of.pool.currency}"
    spec = daily_stack(of.days, stack, currency=of.pool.currency, of="Component")
    return Chart(spec, title, legend)
