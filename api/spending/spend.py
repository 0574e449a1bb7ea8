"""GET /v1/spend: what was spent, by whom, on what."""

from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from api.answers import CSV, csv_answer, json_answer, wants_csv
from api.auth import Who
from api.dependencies import Clock, Config, Reading, Tenant
from api.grouping import Asked, GroupedAsked, checked, too_many_rows
from api.known import BooksAnswer, BooksAsked, books_of, in_books, known_at
from api.prices.currencies import ConvertedAnswer, CurrencyAsked, conversion_of, converted_by
from api.problems import answers
from api.shapes import COSTS, BoundsAnswer, DimensionsAnswer, TotalsAnswer, bounds_of, totals_of
from reports.csv_text import Value, csv_text
from spend.totals import Totals, together
from store.breakdowns.grouping import Key, TooManyRowsError
from store.completeness import complete_until
from store.spending.spend_by import spend_by

router = APIRouter(prefix="/v1", tags=["spend"])


class SpendRow(TotalsAnswer, DimensionsAnswer):
    """One group. Of the dimensions only those of `group_by` are there."""


class ElsewhereRow(DimensionsAnswer):
    """Money of a group that no rate is for. Of the dimensions only those of `group_by`."""

    currency: str
    cost: str
    list_cost: str | None
    contracted_cost: str
    billed_cost: str


class SpendAsked(GroupedAsked, BooksAsked, CurrencyAsked):
    """What was spent, by use or as booked, now or as known, in one currency."""


class SpendAnswer(BoundsAnswer, BooksAnswer, ConvertedAnswer):
    """Spend by group, dearest first."""

    rows: list[SpendRow] = Field(description="Groups that have calls or costs.")
    total: TotalsAnswer = Field(description="The sum of the rows.")
    elsewhere: list[ElsewhereRow] = Field(
        description="Money in other currencies that has no rate: in no row and not in the total."
    )


@router.get(
    "/spend.csv",
    summary="What was spent, as CSV",
    response_class=Response,
    responses={200: {"content": {CSV: {}}}, **answers(401, 403, 422, 503)},
)
@router.get(
    "/spend",
    summary="What was spent",
    response_model=SpendAnswer,
    responses={200: {"content": {CSV: {}}}, **answers(401, 403, 422, 503)},
)
def spend(
    request: Request,
    session: Reading,
    tenant: Tenant,
    config: Config,
    clock: Clock,
    who: Who,
    query: Annotated[SpendAsked, Query()],
) -> Response:
    """Money from the ledger and usage from the rollups, for each group of calls.

    Costs are exact: rows add up to the total to the last digit. Idle capacity is the team `idle`,
    what nobody claimed is `unallocated`. A sum in another currency is multiplied with its rate, and
    not rounded.
    """
    now = clock()
    asked = checked(query, default_zone=config.timezone, now=now, caller=who)
    moment = known_at(request, query, now)
    asked = in_books(asked, query, moment)
    conversion = conversion_of(query, config, asked.question, now)
    try:
        found = spend_by(session, asked.question, tenant, conversion)
    except TooManyRowsError:
        raise too_many_rows() from None
    rows = sorted(found.groups.items(), key=_dearest_first)
    if wants_csv(request):
        told = [(key, conversion.to, totals) for key, totals in rows]
        told += [(key, currency, money) for (key, currency), money in found.elsewhere.items()]
        text = _csv(asked, told)
        return csv_answer(request, text, f"spend-{asked.start[:10]}-{asked.end[:10]}.csv")
    names = asked.question.group_by
    body: dict[str, Any] = {
        **converted_by(conversion, found.used),
        **bounds_of(asked, None if moment else complete_until(session)),
        **books_of(query, moment),
        "rows": [dict(zip(names, key, strict=True)) | totals_of(each) for key, each in rows],
        "total": totals_of(together(found.groups.values())),
        "elsewhere": [
            dict(zip(names, key, strict=True)) | _elsewhere(currency, money)
            for (key, currency), money in found.elsewhere.items()
        ],
    }
    return json_answer(request, SpendAnswer.model_validate(body))


def _dearest_first(row: tuple[Key, Totals]) -> tuple[Any, ...]:
    key, totals = row
    # What is unpriced comes last, the most calls first; null after every name.
    cost = Decimal("-Infinity") if totals.cost is None else totals.cost
    return (-cost, -totals.calls, [(value is None, value or "") for value in key])


def _elsewhere(currency: str, money: Totals) -> dict[str, Any]:
    told = totals_of(money)
    return {"currency": currency} | {name: told[name] for name in COSTS}


def _csv(asked: Asked, rows: list[tuple[Key, str, Totals]]) -> str:
    """A line for each group; and one for each of its currencies that has no rate."""
    lines: list[list[Value]] = []
    header = [*asked.question.group_by, "currency"]
    fields = [name for name in totals_of(Totals()) if name != "usage"]
    meters = list(totals_of(Totals())["usage"])
    for key, currency, totals in rows:
        told = totals_of(totals)
        figures: list[Value] = [
            getattr(totals, name) if name in COSTS else told[name] for name in fields
        ]
        lines.append([*key, currency, *figures, *told["usage"].values()])
    return csv_text([*header, *fields, *meters], lines)
