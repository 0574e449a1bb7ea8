"""One model of one provider: what it cost by team and meter, and every price it ever had."""

from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import Field

from api.dependencies import Reading, Tenant
from api.pages.asked import Text
from api.pages.prices import model_book
from api.pages.prices.discount_table import discount_table
from api.pages.prices.model_list import MILLION, per, recent
from api.pages.prices.price_words import meter_name
from api.pages.ranges import RangeAsked, name_of, range_of
from api.pages.shell import page
from api.pages.tables import Cell, Column, Held, Table
from api.pages.teams.team_list import team_address
from api.pages.visitor import Visiting, Visitor
from api.problems import Problem
from reports.charts.palette import hue_of, shown_name
from spend.capacity.pools import POOL_METER
from spend.owners import RESERVED
from spend.performance import percentiles_ms
from spend.periods import Period
from spend.totals import Totals, together
from store.completeness import complete_until
from store.ledger.meter_costs import MeterCost, meter_costs
from store.prices.model_prices import ModelPrices, model_prices
from store.spending.booked_lines import MONEY
from store.spending.performance_by import latency_by
from store.spending.spend_by import Spent, spend_by_days
from store.spending.tails import tail_of

router = APIRouter(include_in_schema=False)

LINES_READ: Final = 120_000
"""Charges that are read one by one for what each meter cost: sums of days do not tell of meters."""
_APART: Final = ("team", "request_model", "deployment", "region")


class ModelAsked(RangeAsked):
    """Which model, and when."""

    provider: Annotated[Text, Field(description="Who bills.", min_length=1)]
    model: Annotated[Text, Field(min_length=1)]


@router.get("/models/one")
def show(
    request: Request,
    session: Reading,
    tenant: Tenant,
    visitor: Visiting,
    query: Annotated[ModelAsked, Query()],
) -> Response:
    """What a model cost in a time, and its prices. Keys of one team see no prices."""
    asked = range_of(visitor, query)
    pair = (query.provider, query.model)
    filters = {"provider": (pair[0],), "model": (pair[1],)}
    question = visitor.question(asked.period, *_APART, filters=filters)
    spent = spend_by_days(session, question, tenant, visitor.conversion)
    whole = together(spent.groups.values())
    charged = tail_of(session, MONEY, tenant, asked.period, at_most=LINES_READ)
    meters = meter_costs(session, visitor.question(charged, filters=filters), tenant)
    timed = recent(session, tenant, asked.period)
    took = latency_by(session, visitor.question(timed, filters=filters), tenant).get((), {})
    known = None if visitor.team else model_prices(session, tenant, pair)
    if not spent.groups and (known is None or not (known.routes or known.lines)):
        raise Problem(404, "There is no such model", "Nobody called it, and no price is known.")
    file = asked.file
    return page(
        request,
        visitor,
        "model.html",
        title=query.model,
        tables={
            **_prices(visitor, known, pair, whole.usage),
            "teams": _teams(request, visitor, spent, asked.asked, file),
            "meters": _meters(visitor, meters, _part_of(visitor, charged, asked.period), file),
            "names": _names(visitor, spent, file),
        },
        asked=asked,
        name=name_of(asked, visitor),
        provider=query.provider,
        provider_name=shown_name(query.provider),
        colour=hue_of(query.provider),
        model=query.model,
        whole=whole,
        on_pools=bool(meters) and all(each.meter == POOL_METER for each in meters),
        per_million=per(whole.cost, whole.tokens - whole.unpriced_tokens, MILLION),
        per_call=per(whole.cost, whole.calls - whole.unpriced_calls - whole.waiting_calls),
        p50=percentiles_ms(took)["p50"],
        timed=_part_of(visitor, timed, asked.period),
        error_rate=per(Decimal(whole.errors), whole.calls),
        known=known,
        chart=known and model_book.price_chart(known, pair, visitor.now, query.model),
        complete_until=complete_until(session),
    )


def _part_of(visitor: Visitor, read: Period, asked: Period) -> str:
    """Since when, where not all of a time was read."""
    since = read.start.astimezone(visitor.zone).date()
    return "" if read == asked else f", since {visitor.formats.day(since)}"


def _prices(
    visitor: Visitor, known: ModelPrices | None, pair: tuple[str, str], used: Mapping[str, int]
) -> dict[str, Table]:
    if known is None:
        return {}
    told = visitor.formats
    held = model_book.in_force(known, pair, visitor.now)
    return {
        "prices": model_book.force_table(held, used, told, "in-force"),
        "history": model_book.history_table(known, held, visitor.now, told, "model"),
        "discounts": discount_table(
            known.discounts,
            told,
            caption="Discounts and uplifts that name it",
            file="model-discounts",
            empty="No discount or uplift names it.",
        ),
    }


def _teams(
    request: Request, visitor: Visitor, spent: Spent, asked: Mapping[str, str], file: str
) -> Table:
    teams = _by(spent, "team")
    rows: list[dict[str, Held | Cell]] = []
    for team, totals in sorted(teams.items(), key=_dearest_first):
        rows.append(
            {
                "team": Cell(team, href=_statement(request, team, asked)),
                **_figures(totals),
            }
        )
    return Table(
        (Column("team", "Team"), *_FIGURES),
        rows,
        "By team",
        file=f"model-by-team-{file}",
        currency=visitor.currency,
        empty="Nobody called it in this time.",
    )


def _statement(request: Request, team: str | None, asked: Mapping[str, str]) -> str | None:
    """The team's month; None: it is no team's, or no month."""
    if team is None or team in RESERVED or "month" not in asked:
        return None
    return team_address(request, team, asked["month"])


_FIGURES: Final = (
    Column("cost", "Spend", "money"),
    Column("calls", "Calls", "number"),
    Column("tokens", "Tokens", "short", narrow=False),
    Column("per_million_tokens", "Per 1 M tokens", "money", narrow=False),
)


def _figures(totals: Totals) -> dict[str, Held | Cell]:
    unpriced = totals.unpriced_calls
    return {
        "cost": Cell(totals.cost, note=f"{unpriced:,} calls unpriced" if unpriced else None),
        "calls": totals.calls,
        "tokens": totals.tokens,
        "per_million_tokens": per(totals.cost, totals.tokens - totals.unpriced_tokens, MILLION),
    }


def _names(visitor: Visitor, spent: Spent, file: str) -> Table:
    names = _by(spent, "request_model")
    rows: list[dict[str, Held | Cell]] = [
        {"name": Cell(name, show=None if name else "not told"), **_figures(totals)}
        for name, totals in sorted(names.items(), key=_dearest_first)
    ]
    return Table(
        (Column("name", "Asked for as"), *_FIGURES),
        rows,
        "Names that it was asked for by",
        file=f"model-names-{file}",
        currency=visitor.currency,
        empty="Nobody called it in this time.",
    )


def _meters(visitor: Visitor, found: list[MeterCost], part: str, file: str) -> Table:
    rows: list[dict[str, Held | Cell]] = [
        {
            "meter": Cell(each.meter, show=meter_name(each.meter)),
            "cost": Cell(each.amount, currency=each.currency),
            "currency": each.currency,
            "quantity": each.quantity or None,
            "per_million_units": Cell(
                per(each.amount, each.quantity, MILLION), currency=each.currency
            ),
        }
        for each in found
    ]
    currencies = {visitor.currency, *(each.currency for each in found)}
    return Table(
        (
            Column("meter", "Meter"),
            Column("cost", "Spend", "money"),
            Column("currency", "Currency", narrow=False, shown=len(currencies) > 1),
            Column("quantity", "Units", "short"),
            Column("per_million_units", "Per 1 M units", "money", narrow=False),
        ),
        rows,
        f"By meter{part}",
        file=f"model-by-meter-{file}",
        currency=visitor.currency,
        empty="Nothing was charged in this time.",
    )


def _by(spent: Spent, dimension: str) -> dict[str | None, Totals]:
    place = _APART.index(dimension)
    parts: defaultdict[str | None, list[Totals]] = defaultdict(list)
    for key, totals in spent.groups.items():
        parts[key[place]].append(totals)
    return {name: together(each) for name, each in parts.items()}


def _dearest_first(each: tuple[str | None, Totals]) -> tuple[Any, ...]:
    name, totals = each
    return (totals.cost is None, -(totals.cost or 0), -totals.calls, name or "")
