"""Asks the ledger what a page of spend shows: groups, the time before, lines and columns."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Annotated, Final, Literal

from fastapi import Request
from pydantic import Field
from sqlalchemy.orm import Session

from api.grouping import Asked, GroupedAsked, checked, too_many_rows, wrong
from api.pages.explore.explore_time import (
    Compare,
    Pieces,
    compared,
    fitting,
    pieces_of,
)
from api.pages.explore.filters import FilteredPage, in_time
from api.pages.visitor import Visitor
from api.prices.currencies import CurrencyAsked, conversion_of
from reports.tables.pivot import Keys, Label, Measure, Pivot, pivot
from spend.periods import Period
from spend.totals import Totals
from store.breakdowns.dimensions import DIMENSIONS, TIMED, Question
from store.breakdowns.grouping import TooManyRowsError
from store.conversion import Conversion
from store.spending.spend_by import Spent, spend_by_days

MONEY: Final = ("cost", "list_cost", "contracted_cost", "billed_cost")
MEASURES: Final[Mapping[str, str]] = {
    "cost": "Effective cost",
    "list_cost": "List cost",
    "contracted_cost": "Contracted cost",
    "billed_cost": "Billed cost",
    "calls": "Calls",
    "tokens": "Tokens",
}
"""What is looked at, by the API's names of it."""
MeasureName = Literal["cost", "list_cost", "contracted_cost", "billed_cost", "calls", "tokens"]
CUTS: Final = ("day", "week", "month")
NO_COLUMNS: Final = "none"


class ExploreAsked(FilteredPage, GroupedAsked, CurrencyAsked):
    """A question of spend, asked as /v1/spend is; and how the answer is laid out."""

    compare: Annotated[Compare, Field(description="With which time.")] = "before"
    measure: Annotated[MeasureName, Field(description="What is shown.")] = "cost"
    columns: Annotated[
        str | None,
        Field(
            max_length=20,
            description="`day`, `week`, `month`, another dimension, or `none`. Default: as suits"
            " the time.",
        ),
    ] = None


@dataclass(frozen=True, slots=True)
class Explored:
    """What was asked, and what it came to."""

    asked: Asked
    range_name: str | None
    rows: tuple[str, ...]
    """Dimensions that lines are told apart by."""
    column: str | None
    """A dimension, or of CUTS; None: there are no columns but sums."""
    pieces: Pieces | None
    """Of the columns, where they are time."""
    is_coarser: bool
    """Whether days were asked for, and would be too many to read."""
    conversion: Conversion
    pivot: Pivot
    elsewhere: Mapping[str, Pivot]
    """Likewise money that no rate is for, by currency: it is in no sum of the others."""
    before: Period | None
    providers: Mapping[Keys, str | None]
    """What has a colour -> the provider that most of it is of, where the question tells."""
    measure: str

    @property
    def series(self) -> tuple[str, ...]:
        """The dimensions of what has a colour: columns, unless they are time, else lines."""
        return self.rows if self.column is None or self.pieces else (self.column,)

    @property
    def is_money(self) -> bool:
        """Whether amounts are looked at, not counts."""
        return self.measure in MONEY

    def value(self, totals: Totals | None) -> Decimal | int | None:
        """What is looked at of a group; None: unknown, or nothing is there."""
        return None if totals is None else getattr(totals, self.measure)


def rows_of(request: Request, query: ExploreAsked) -> list[str]:
    """What lines are told apart by: as asked, else providers."""
    if "group_by" in request.query_params:
        return [name for part in query.group_by for name in part.split(",") if name]
    return ["provider"]


def asked_of(query: ExploreAsked, rows: list[str], visitor: Visitor) -> tuple[Asked, str | None]:
    """The question that was asked, and the name of its range. Raises Problem 422 and 403."""
    bounds, name = in_time(query, visitor)
    asked = checked(
        query.model_copy(update={**bounds, "group_by": rows}),
        default_zone=visitor.zone,
        now=visitor.now,
        caller=visitor.caller,
    )
    return asked, name


def explored(
    request: Request, session: Session, tenant: int, visitor: Visitor, query: ExploreAsked
) -> Explored:
    """The answer to a page's question.

    Raises Problem 422 for what is no such question, or has an answer that is too long; 403 for
    another team than the visitor's.
    """
    asked, range_name = asked_of(query, rows_of(request, query), visitor)
    question = asked.question
    rows = question.group_by
    column, coarser = _column(query, asked)
    if column in rows:
        column = None
    cut = _cut(column) if column in CUTS else None
    pieces = pieces_of(question.period, question.zone, cut) if cut else None
    conversion = conversion_of(query, visitor.settings, question, visitor.now)
    fetched = _fetched(rows, column)
    before = compared(question.period, question.zone, query.compare, range_name)
    if set(TIMED) & {*rows, *question.filters}:
        before = None  # Its days are others: lines of one time have no counterpart in another.
    try:
        spent = spend_by_days(session, replace(question, group_by=fetched), tenant, conversion)
        earlier = _earlier(session, question, tenant, conversion, before)
    except TooManyRowsError:
        raise too_many_rows() from None
    measure = _measure(query.measure)
    places = _places(rows, fetched, column, pieces)
    return Explored(
        asked=asked,
        range_name=range_name,
        rows=rows,
        column=column,
        pieces=pieces,
        is_coarser=coarser,
        conversion=conversion,
        pivot=pivot(
            spent.groups,
            places,
            measure=measure,
            columns=() if column is None else None if pieces is None else tuple(pieces.bounds),
            before=earlier,
        ),
        elsewhere=_elsewhere(spent, places, measure),
        before=before,
        providers=_providers(
            spent.groups,
            rows if column is None or pieces is not None else (column,),
            fetched,
            measure,
        ),
        measure=query.measure,
    )


def _earlier(
    session: Session,
    question: Question,
    tenant: int,
    conversion: Conversion,
    period: Period | None,
) -> Mapping[Keys, Totals] | None:
    """Lines of the time before; None: there is none, or nothing was there."""
    if period is None:
        return None
    asked = replace(question, period=period)
    return spend_by_days(session, asked, tenant, conversion).groups or None


def _elsewhere(spent: Spent, places: "_Place", measure: Measure) -> dict[str, Pivot]:
    by_currency: dict[str, dict[Keys, Totals]] = {}
    for (key, currency), money in spent.elsewhere.items():
        by_currency.setdefault(currency, {})[key] = money
    return {
        currency: pivot(groups, places, measure=measure)
        for currency, groups in sorted(by_currency.items())
    }


def _measure(name: str) -> Measure:
    return lambda totals: getattr(totals, name)


def _column(query: ExploreAsked, asked: Asked) -> tuple[str | None, bool]:
    said = query.columns
    if said == NO_COLUMNS:
        return None, False
    if said in DIMENSIONS and said not in TIMED:
        return said, False
    if said is not None and said not in CUTS:
        known = ", ".join((*CUTS, NO_COLUMNS, *(each for each in DIMENSIONS if each not in TIMED)))
        raise wrong("columns", f"{said!r} is none of: {known}")
    return fitting(asked.question.period, asked.question.zone, said)


def _cut(name: str | None) -> Literal["day", "week", "month"]:
    return "day" if name == "day" else "week" if name == "week" else "month"


def _fetched(rows: tuple[str, ...], column: str | None) -> tuple[str, ...]:
    """The dimensions that are asked for: weeks are summed up from days; models have their hue."""
    column = "day" if column == "week" else column
    asked = dict.fromkeys((*rows, *([column] if column else [])))
    if "model" in asked:
        asked["provider"] = None
    return tuple(asked)


def _places(
    rows: tuple[str, ...], fetched: tuple[str, ...], column: str | None, pieces: Pieces | None
) -> "_Place":
    at = {name: place for place, name in enumerate(fetched)}
    return _Place(
        tuple(at[name] for name in rows),
        None if column is None else at["day" if column == "week" else column],
        pieces,
    )


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a group stands: in which line and which column."""

    rows: tuple[int, ...]
    column: int | None
    pieces: Pieces | None

    def __call__(self, key: Keys) -> tuple[Keys, Label]:
        label = None if self.column is None else key[self.column]
        if self.pieces is not None and label is not None:
            label = self.pieces.of_day(label)
        return tuple(key[place] for place in self.rows), label


def _providers(
    groups: Mapping[Keys, Totals],
    series: tuple[str, ...],
    fetched: tuple[str, ...],
    measure: Measure,
) -> dict[Keys, str | None]:
    if "provider" not in fetched:
        return {}
    places = [fetched.index(name) for name in series]
    provider = fetched.index("provider")
    most: dict[Keys, tuple[Decimal | int, str | None]] = {}
    for key, totals in groups.items():
        its = tuple(key[place] for place in places)
        weight = measure(totals) or 0
        if its not in most or weight > most[its][0]:
            most[its] = (weight, key[provider])
    return {its: found[1] for its, found in most.items()}
