"""Capacity: every pool, what it cost, how much of it nobody used, what its tokens cost."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from api.dependencies import Reading, Tenant
from api.pages.capacity.capacity_board import (
    Board,
    PoolNow,
    beside,
    board_of,
    models_told,
    share,
)
from api.pages.charts import Chart, Legend
from api.pages.day_bars import share_bars
from api.pages.formats import Formats
from api.pages.links import elsewhere
from api.pages.ranges import Range, RangeAsked, days_of, name_of, range_of
from api.pages.shell import page
from api.pages.tables import Cell, Column, Table, sorted_rows
from api.pages.visitor import Visiting, Visitor
from reports.charts.chart_frame import HALF
from reports.charts.palette import IDLE as IDLE_COLOUR
from reports.charts.palette import NOBODY, OWN
from reports.charts.spend_chart import Part, daily_stack
from spend import money
from spend.capacity.economics import MILLION, per_million
from spend.capacity.pools import Pool
from spend.owners import IDLE, UNALLOCATED
from store.completeness import complete_until

router = APIRouter(include_in_schema=False)

MOST_BARS: Final = 62
"""Days that are drawn in a line of the table."""


@router.get("/capacity")
def show(
    request: Request,
    session: Reading,
    tenant: Tenant,
    visitor: Visiting,
    query: Annotated[RangeAsked, Query()],
) -> Response:
    """All pools over a month, or other days."""
    visitor.whole_ledger()
    asked = range_of(visitor, query)
    board = board_of(session, tenant, asked, visitor)
    ours = board.within(visitor.currency)
    tables = {
        "pools": _pools(request, board, asked, visitor, query.sort or "-cost"),
        "shares": _shares(ours, asked, visitor),
    }
    return page(
        request,
        visitor,
        "capacity.html",
        title="Capacity",
        tables=tables,
        asked=asked,
        name=name_of(asked, visitor),
        board=board,
        whole=_whole(ours),
        others=[each for each in board.pools if each.pool.currency != visitor.currency],
        chart=_chart(ours, asked, visitor),
        complete=complete_until(session),
    )


def _whole(ours: Sequence[PoolNow]) -> dict[str, Any]:
    """The pools together: cost, idle, tokens, and whether the shares add up."""
    cost = money.total([each.cost for each in ours])
    idle = money.total([each.idle for each in ours])
    tokens = sum(each.use.tokens for each in ours)
    teams = money.total([amount for each in ours for amount in each.teams.values()])
    nobody = money.total([each.teams.get(UNALLOCATED, Decimal(0)) for each in ours])
    price = None
    if tokens:
        price = per_million(Fraction(cost) * MILLION / tokens)
    return {
        "cost": cost,
        "idle": idle,
        "idle_share": share(idle, cost),
        "tokens": tokens,
        "price": price,
        "teams": money.EXACT.subtract(teams, nobody),
        "unallocated": nobody,
        "off": money.EXACT.subtract(cost, money.total([teams, idle])),
        "hours": sum(each.hours for each in ours),
    }


def _pools(request: Request, board: Board, asked: Range, visitor: Visitor, sort: str) -> Table:
    rows = [_row(request, each, asked, visitor) for each in board.pools]
    return Table(
        columns=(
            Column("pool", "Pool"),
            Column("cost", "Cost", "money"),
            Column(
                "idle_cost",
                "Idle",
                "money",
                "What no call used of the hours paid for",
                narrow=False,
            ),
            Column("idle_share", "Idle share", "percent"),
            Column(
                "days",
                "Used by day",
                hint="The share of each day's cost that calls used",
                narrow=False,
            ),
            Column(
                "of_capacity",
                "Of capacity",
                "percent",
                "Work done, of what the declared capacity could do",
                narrow=False,
            ),
            Column("tokens", "Tokens", "short", narrow=False),
            Column(
                "per_million_tokens",
                "1 M tokens",
                "money",
                "Cost, idle hours too, over all tokens",
                narrow=False,
            ),
            Column(
                "api_per_million_tokens",
                "1 M at an API",
                "money",
                "The cheapest API price of the same model, for the same mix of tokens",
                narrow=False,
            ),
        ),
        rows=sorted_rows(rows, sort),
        caption="Pools",
        file=f"pools-{asked.file}",
        currency=visitor.currency,
        empty="No pool is declared.",
        sort=sort,
    )


def _row(request: Request, each: PoolNow, asked: Range, visitor: Visitor) -> dict[str, Any]:
    pool, told = each.pool, visitor.formats
    known = bool(each.hours)
    all_days = days_of(asked, visitor.zone)
    bars: Cell | None = None
    if known and len(all_days) <= MOST_BARS:
        days = [each.days.get(day) for day in all_days]
        shares = [None if day is None else day.busy_share for day in days]
        used = None if each.idle_share is None else 1 - each.idle_share
        title = f"Used by day; {told.percent(used)} of all"
        bars = Cell(used, show=share_bars(shares, title))
    return {
        "pool": Cell(
            pool.name,
            href=elsewhere(request, f"/capacity/{pool.id}", **asked.asked),
            note=f"{pool.kind}, {models_told(each.models)}{state_of(pool, each, visitor)}",
        ),
        "cost": Cell(each.cost if known else None, currency=pool.currency),
        "idle_cost": Cell(each.idle if known else None, currency=pool.currency, tone="quiet"),
        "idle_share": each.idle_share,
        "days": bars,
        "of_capacity": each.of_capacity
        if each.of_capacity is not None
        else Cell(None, note=None if pool_has_capacity(pool) else "not declared"),
        "tokens": each.use.tokens if known else None,
        **_prices(each, told),
    }


def _prices(each: PoolNow, told: Formats) -> dict[str, Cell]:
    """What 1,000,000 tokens cost here, and at the cheapest API of the same model."""
    offer = each.offers[0] if each.offers else None
    tone, words = ("", None) if offer is None else beside(each.per_million, offer.price, told)
    own = Cell(each.per_million, note=words, currency=each.pool.currency)
    if offer is None:
        why = "no price" if each.use.tokens else None
        return {"per_million_tokens": own, "api_per_million_tokens": Cell(None, note=why)}
    there = Cell(offer.price, note=offer.target.name, currency=each.pool.currency)
    return {"per_million_tokens": replace(own, tone=tone), "api_per_million_tokens": there}


def pool_has_capacity(pool: Pool) -> bool:
    """Whether it is declared what a pool can do."""
    return pool.capacity_per_hour is not None or pool.capacity_per_unit is not None


def state_of(pool: Pool, each: PoolNow, visitor: Visitor) -> str:
    """What is special about a pool, to be said after its kind."""
    told = visitor.formats
    if pool.valid_from > visitor.now:
        return f", begins {told.when(pool.valid_from)}"
    if pool.valid_to is not None and pool.valid_to <= visitor.now:
        return f", ended {told.when(pool.valid_to)}"
    if pool.charged_to is None:
        return ", being posted"
    if each.hours and not each.use.calls:
        return ", no calls"
    return ""


def _shares(ours: Sequence[PoolNow], asked: Range, visitor: Visitor) -> Table:
    """Who the pools' cost is of: teams, idle, unallocated."""
    cost = money.total([each.cost for each in ours])
    sums: dict[str | None, list[Decimal]] = {}
    for each in ours:
        for team, amount in each.teams.items():
            sums.setdefault(team, []).append(amount)
    teams = {team: money.total(amounts) for team, amounts in sums.items()}
    nobody = teams.pop(UNALLOCATED, Decimal(0))
    rows: list[Mapping[str, Any]] = [
        {"team": team or "unknown", "cost": amount, "share": share(amount, cost)}
        for team, amount in sorted(teams.items(), key=lambda row: (-row[1], row[0] or ""))
    ]
    idle = money.total([each.idle for each in ours])
    for name, amount, colour, note in (
        (IDLE, idle, IDLE_COLOUR, "paid for, and used by no call"),
        (UNALLOCATED, nobody, NOBODY, "calls that no team has claimed"),
    ):
        cell = Cell(name, tone="quiet", colour=colour, note=note)
        rows.append({"team": cell, "cost": amount, "share": share(amount, cost)})
    return Table(
        columns=(
            Column("team", "Team"),
            Column("cost", "Cost", "money"),
            Column("share", "Share", "percent"),
        ),
        rows=rows if ours else [],
        caption="Whose it was",
        file=f"pools-teams-{asked.file}",
        currency=visitor.currency,
        total={"team": "All pools", "cost": cost, "share": share(cost, cost)},
    )


def _chart(ours: Sequence[PoolNow], asked: Range, visitor: Visitor) -> Chart | None:
    """Cost by day: idle on top of what was used."""
    days = days_of(asked, visitor.zone)
    if len(days) > MOST_BARS or not any(each.hours for each in ours):
        return None
    nothing = Decimal(0)
    idle, used = [], []
    for day in days:
        of_day = [each.days[day] for each in ours if day in each.days]
        idle.append(sum((each.idle for each in of_day), nothing))
        used.append(sum((each.cost - each.idle for each in of_day), nothing))
    parts = [Part("idle", IDLE_COLOUR, idle), Part("used", OWN, used)]
    legend = (
        Legend("Idle", IDLE_COLOUR, note="paid for, and used by no call"),
        Legend("Used by calls", OWN),
    )
    title = f"Cost of all pools by day, used and idle, {visitor.currency}"
    spec = daily_stack(days, parts, currency=visitor.currency, of="Part", height=240)
    return Chart(spec | {"width": HALF}, title, legend)
