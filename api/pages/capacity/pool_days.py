"""What a pool's tokens cost by day, an API's price for the same ones beside it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

from sqlalchemy.orm import Session

from api.pages.capacity.capacity_board import share
from api.pages.capacity.pool_shown import PoolShown
from api.pages.charts import Chart, Legend
from api.pages.tables import Cell, Column, Table
from api.pages.visitor import Visitor
from reports.charts.palette import OWN, hue_of
from reports.charts.pool_charts import DayPrice, price_by_day
from spend import money
from spend.capacity.against_api import PoolEconomics
from spend.capacity.economics import MILLION, Use, per_million
from spend.capacity.targets import ApiTarget, asked_for
from spend.periods import day_start
from spend.prices.prices import PriceBook
from spend.slots import slot_of
from store.capacity import pool_board
from store.capacity.pool_economics import book_of
from store.capacity.pool_use import daily_use


def price_of_days(
    session: Session,
    tenant: int,
    of: PoolShown,
    found: PoolEconomics,
    target: ApiTarget | None,
    visitor: Visitor,
) -> tuple[Chart | None, Table]:
    """1,000,000 tokens by day, as a chart where there are some, and as a table."""
    pool, zone = of.pool, visitor.zone
    hours = pool_board.full_hours(of.asked.period)
    costs = pool_board.by_day(session, tenant, hours, zone).get(pool.id, {})
    used = found.daily
    if costs and not used:
        used = daily_use(session, tenant, pool, hours, zone)
    book = book_of(session, tenant, [target], currency=pool.currency) if target else None
    prices: list[DayPrice] = []
    rows: list[dict[str, Any]] = []
    for day in of.days:
        cost, bands = costs.get(day), used.get(day, {})
        tokens = sum(use.tokens for use in bands.values())
        own = api = None
        if cost is not None and tokens:
            own = per_million(Fraction(cost.cost) * MILLION / tokens)
            end = day_start(day + timedelta(days=1), zone) - timedelta(microseconds=1)
            api = _asked(book, target, bands, min(slot_of(visitor.now), slot_of(end)))
        prices.append(DayPrice(day, own, api))
        if cost is not None:
            busy = money.EXACT.subtract(cost.cost, cost.idle)
            rows.append(
                {
                    "day": day,
                    "hours": cost.hours,
                    "cost": cost.cost,
                    "idle_cost": Cell(cost.idle, tone="quiet"),
                    "used": Cell(share(busy, cost.cost), bar=""),
                    "tokens": tokens,
                    "per_million_tokens": own,
                    "api_per_million_tokens": api,
                }
            )
    return _chart(prices, of, target), _table(rows, of)


def _asked(
    book: PriceBook | None, target: ApiTarget | None, bands: Mapping[int, Use], at: datetime
) -> Any:
    if book is None or target is None:
        return None
    cost, _why = asked_for(book, target, bands, at)
    tokens = sum(use.tokens for use in bands.values())
    return None if cost is None else per_million(Fraction(cost) * MILLION / tokens)


def _chart(prices: list[DayPrice], of: PoolShown, target: ApiTarget | None) -> Chart | None:
    if not any(each.own for each in prices):
        return None
    legend = [Legend("This pool, idle hours paid for", OWN)]
    line = None
    if target is not None and any(each.api for each in prices):
        line = (target.name, hue_of(target.provider))
        legend.append(Legend(*line))
    title = f"What 1 M tokens cost by day, {of.pool.currency}"
    spec = price_by_day(prices, currency=of.pool.currency, api=line)
    return Chart(spec, title, tuple(legend))


def _table(rows: list[dict[str, Any]], of: PoolShown) -> Table:
    return Table(
        columns=(
            Column("day", "Day", "day"),
            Column("hours", "Hours", "number", narrow=False),
            Column("cost", "Cost", "money"),
            Column("idle_cost", "Idle", "money", narrow=False),
            Column("used", "Used", "percent", "Of the cost, what calls were charged"),
            Column("tokens", "Tokens", "short"),
            Column("per_million_tokens", "1 M tokens", "money"),
            Column("api_per_million_tokens", "1 M at the API", "money", narrow=False),
        ),
        rows=rows,
        caption="By day",
        file=f"{of.file}-days",
        currency=of.pool.currency,
        empty="No hour of it is posted in this time.",
    )
