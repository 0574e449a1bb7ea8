"""Models: which ones were called, how much, and what that came to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from api.dependencies import Reading, Tenant
from api.grouping import too_many_rows
from api.pages.charts import Chart, Legend
from api.pages.formats import Formats
from api.pages.links import elsewhere
from api.pages.ranges import Range, RangeAsked, name_of, range_of
from api.pages.shell import page
from api.pages.tables import Cell, Column, Held, Table, sorted_rows
from api.pages.visitor import Visiting, Visitor
from reports.charts.model_chart import MOST, Bar, cost_by_model
from reports.charts.palette import REST, hue_of, shown_name
from spend.meters import CACHE_WRITES
from spend.money import ROUNDING, total
from spend.performance import percentiles_ms
from spend.periods import Period
from spend.totals import Totals, together
from store.breakdowns.grouping import Key, TooManyRowsError
from store.completeness import complete_until
from store.spending.booked_lines import TAKEN_IN
from store.spending.performance_by import latency_by
from store.spending.spend_by import spend_by_days
from store.spending.tails import tail_of

router = APIRouter(include_in_schema=False)

DEPLOYMENTS: Final = {
    "api": "API",
    "hosted-open": "Hosted open weights",
    "self-hosted": "Self-hosted",
}
MILLION: Final = 1_000_000
CELLS_TIMED: Final = 30_000
"""Cells whose durations are put together for the middle one: of a busy company two days."""
_BY: Final = ("provider", "model", "deployment")
_COLUMNS: Final = (
    Column("model", "Model"),
    Column("provider", "Provider", shown=False),
    Column("deployment", "Runs on", shown=False),
    Column("cost", "Spend", "money"),
    Column(
        "per_million_tokens", "1 M tokens", "money", "Spend for each million tokens of any kind."
    ),
    Column("cost_per_call", "Per call", "money", narrow=False),
    Column("calls", "Calls", "number", narrow=False),
    Column("input_tokens", "Input", "short", "Tokens that no cache had.", narrow=False),
    Column("cache_tokens", "Cached", "short", "Tokens read from caches.", narrow=False),
    Column("written_tokens", "Cache writes", "short", shown=False),
    Column("output_tokens", "Output", "short", "Tokens of answers.", narrow=False),
    Column("error_rate", "Errors", "percent", "Calls that did not end well.", narrow=False),
    Column("p50_ms", "p50", "ms", "Half of the calls took less.", narrow=False),
)


@dataclass(frozen=True, slots=True)
class Called:
    """A model and how it was called."""

    provider: str | None
    model: str | None
    deployment: str | None
    totals: Totals


@router.get("/models")
def show(
    request: Request,
    session: Reading,
    tenant: Tenant,
    visitor: Visiting,
    query: Annotated[RangeAsked, Query()],
) -> Response:
    """The models of a time, dearest first."""
    asked = range_of(visitor, query)
    question = visitor.question(asked.period, *_BY)
    try:
        spent = spend_by_days(session, question, tenant, visitor.conversion)
        timed = replace(question, period=recent(session, tenant, asked.period))
        took = latency_by(session, timed, tenant)
    except TooManyRowsError:
        raise too_many_rows() from None
    called = [Called(key[0], key[1], key[2], totals) for key, totals in spent.groups.items()]
    models = [each for each in called if each.model is not None or each.totals.calls]
    unused = [each for each in called if each not in models]
    whole = together(each.totals for each in called)
    return page(
        request,
        visitor,
        "models.html",
        title="Models",
        tables={"called": _table(request, visitor, asked, query.sort, models, took)},
        asked=asked,
        name=name_of(asked, visitor),
        chart=_chart(visitor, models),
        whole=whole,
        models=models,
        timed=timed.period if timed.period != asked.period else None,
        of_no_call=total(
            [each.totals.cost for each in unused if each.totals.cost is not None],
        ),
        per_million=per(whole.cost, whole.tokens - whole.unpriced_tokens, MILLION),
        complete_until=complete_until(session),
        elsewhere=sorted({currency for _key, currency in spent.elsewhere}),
    )


def recent(session: Session, tenant: int, period: Period) -> Period:
    """The last days of a time whose durations can be told at once (``store/spending/tails.py``)."""
    return tail_of(session, TAKEN_IN, tenant, period, at_most=CELLS_TIMED)


def per(cost: Decimal | None, units: int, of: int = 1) -> Decimal | None:
    """What ``of`` units cost, rounded for people; None: unknown, or nothing to divide by."""
    if cost is None or not units:
        return None
    each = ROUNDING.divide(ROUNDING.multiply(cost, Decimal(of)), Decimal(units))
    return ROUNDING.quantize(each, Decimal("1e-12"))


def address(request: Request, provider: str | None, model: str | None, **asked: str) -> str | None:
    """Where the page of a model is; None: it has no name to ask by."""
    if provider is None or model is None:
        return None
    return elsewhere(request, "/models/one", provider=provider, model=model, **asked)


def shares(usage: Mapping[str, int]) -> dict[str, Held]:
    """Tokens by the classes of the table."""
    return {
        "input_tokens": usage.get("input", 0),
        "cache_tokens": usage.get("cache_read", 0),
        "written_tokens": sum(usage.get(name, 0) for name in CACHE_WRITES),
        "output_tokens": usage.get("output", 0),
    }


def _table(
    request: Request,
    visitor: Visitor,
    asked: Range,
    sort: str | None,
    models: Sequence[Called],
    took: Mapping[Key, Mapping[int, int]],
) -> Table:
    rows = [_row(request, visitor.formats, asked, each, took) for each in models]
    sort = sort or "-cost"
    return Table(
        _COLUMNS,
        sorted_rows(rows, sort),
        "Models that were called",
        file=f"models-{asked.file}",
        currency=visitor.currency,
        empty="No model was called in this time.",
        sort=sort,
    )


def _row(
    request: Request,
    told: Formats,
    asked: Range,
    each: Called,
    took: Mapping[Key, Mapping[int, int]],
) -> dict[str, Held | Cell]:
    totals = each.totals
    p50 = percentiles_ms(took.get((each.provider, each.model, each.deployment), {}))["p50"]
    unpriced = totals.unpriced_calls or totals.unpriced_tokens
    slow = elsewhere(
        request, "/performance", provider=each.provider, model=each.model, **asked.bounds
    )
    runs_on = DEPLOYMENTS.get(each.deployment or "", "")
    named = [shown_name(each.provider), runs_on if runs_on not in {"API", "Self-hosted"} else ""]
    return {
        "model": Cell(
            each.model,
            href=address(request, each.provider, each.model, **asked.asked),
            show=None if each.model else "not told",
            tone="" if each.model else "quiet",
            colour=hue_of(each.provider),
            note=", ".join(part for part in named if part),
        ),
        "provider": each.provider,
        "deployment": each.deployment,
        "cost": totals.cost,
        "per_million_tokens": per(totals.cost, totals.tokens - totals.unpriced_tokens, MILLION),
        "cost_per_call": per(
            totals.cost, totals.calls - totals.unpriced_calls - totals.waiting_calls
        ),
        "calls": Cell(
            totals.calls,
            note=f"{told.number(totals.unpriced_calls)} unpriced" if unpriced else None,
            tone="warn" if unpriced else "",
        ),
        **shares(totals.usage),
        "error_rate": per(Decimal(totals.errors), totals.calls),
        "p50_ms": Cell(None if p50 is None else round(Decimal(p50), 3), href=slow if p50 else None),
    }


def _chart(visitor: Visitor, models: Sequence[Called]) -> Chart | None:
    paid = sorted(
        (each for each in models if each.totals.cost), key=lambda each: -(each.totals.cost or 0)
    )
    if not paid:
        return None
    costs: dict[tuple[str | None, str], Decimal] = {}
    for each in paid:
        name = (each.provider, each.model or "not told")
        costs[name] = total([costs.get(name, Decimal(0)), each.totals.cost or Decimal(0)])
    top = list(costs.items())[:MOST]
    twice = {model for _, model in costs if sum(other == model for _, other in costs) > 1}
    bars = [
        Bar(
            f"{model} ({shown_name(provider)})" if model in twice else model,
            shown_name(provider),
            hue_of(provider),
            cost,
        )
        for (provider, model), cost in top
    ]
    rest = list(costs.values())[MOST:]
    if rest:
        others = "1 other" if len(rest) == 1 else f"{len(rest)} others"
        bars.append(Bar(others, "Other models", REST, total(rest)))
    seen = dict.fromkeys((bar.provider, bar.colour) for bar in bars)
    legend = tuple(Legend(name, colour) for name, colour in seen)
    first = bars[0]
    title = f"Spend by model: {first.name} comes first with"
    title = f"{title} {visitor.formats.money(first.cost, visitor.currency)}"
    return Chart(cost_by_model(bars, currency=visitor.currency), title, legend)
