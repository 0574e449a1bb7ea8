"""Filters of a page by dimension: what is chosen, what there is to choose from, how it is asked.

The parameters are those of the API: ``team=search`` may be repeated, and an empty ``feature=``
means what has none; what is not said lets everything through. A form sends boxes that are ticked,
so all and none are told apart, without scripts too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any, Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import Request
from fastapi.responses import RedirectResponse
from pydantic import Field, model_validator

from api.grouping import FiltersAsked, Name, wrong
from api.pages.explore.explore_time import RANGES, RangeName, days_of
from api.pages.links import here, path_of
from api.pages.visitor import Visitor
from spend.periods import Period, day_start, local_day
from store.breakdowns.dimensions import DIMENSIONS, NOT_SAID, TIMED

TITLES: Final[Mapping[str, str]] = {
    "day": "Day",
    "month": "Month",
    "team": "Team",
    "project": "Project",
    "service": "Service",
    "environment": "Environment",
    "feature": "Feature",
    "customer": "Customer",
    "provider": "Provider",
    "model": "Model",
    "request_model": "Model asked for",
    "operation": "Operation",
    "deployment": "Deployment",
    "region": "Region",
}
UNTIMED: Final = tuple((name, TITLES[name]) for name in DIMENSIONS if name not in TIMED)
"""Dimensions that are no time, and their titles."""
NONE: Final = "(none)"
"""What rows without a value are called."""
_LONGEST: Final = 60
_OF_FORM: Final = frozenset({"through", "was", "add", "value"})


class FilteredPage(FiltersAsked):
    """A page with filters. Empty fields are absent but those of dimensions, where they mean none.

    ``through``, ``was``, ``add`` and ``value`` are what a form says of what an address says
    otherwise.
    """

    range: Annotated[
        RangeName | None, Field(description="A time that moves; `from` and `to` win.")
    ] = None
    csv: Annotated[Name | None, Field(description="The table that is wanted as CSV.")] = None
    done: Annotated[Name | None, Field(description="What was just done.")] = None
    sort: Annotated[Name | None, Field(description="A column; `-` in front: descending.")] = None
    through: Annotated[Name | None, Field(description="Of a form: the last day.")] = None
    was: Annotated[Name | None, Field(description="Of a form: the days that it showed.")] = None
    add: Annotated[Name | None, Field(description="Of a form: a dimension to filter by.")] = None
    value: Annotated[Name | None, Field(description="Of a form: its value.")] = None

    @model_validator(mode="before")
    @classmethod
    def _without_empty(cls, asked: Any) -> Any:
        if not isinstance(asked, dict):
            return asked
        kept = {name: each for name, each in asked.items() if each not in ("", [""])}
        return kept | {name: asked[name] for name in DIMENSIONS if name in asked}


def in_time(query: FilteredPage, visitor: Visitor) -> tuple[dict[str, str], str | None]:
    """The bounds of a time that moves, as fields of the question, and its name.

    Nothing, where the question has bounds of its own.
    """
    if query.from_ or query.to:
        return {}, None
    name = query.range or "this-month"
    first, end = days_of(name, local_day(visitor.now, visitor.zone))
    return {"from_": first.isoformat(), "to": end.isoformat()}, name


def ranges(request: Request, chosen: str | None) -> list[tuple[str, str, bool]]:
    """The times that move: address, name, whether it is this one."""
    return [
        (here(request, range=name, from_=None, to=None, cursor=None), text, name == chosen)
        for name, text in RANGES.items()
    ]


def days_between(period: Period, zone: ZoneInfo) -> tuple[date, date]:
    """The first and the last local day of a period."""
    return local_day(period.start, zone), local_day(period.end - timedelta.resolution, zone)


def span(visitor: Visitor, period: Period) -> str:
    """A time in words: whole days by their dates, else to the minute; and that it goes on."""
    told, zone = visitor.formats, visitor.zone
    first, last = days_between(period, zone)
    if Period(day_start(first, zone), day_start(last + timedelta(days=1), zone)) != period:
        return f"{told.when(period.start)} to {told.when(period.end)}"
    days = told.day(first) if first == last else f"{told.day(first)} to {told.day(last)}"
    return f"{days} so far" if period.start < visitor.now < period.end else days


@dataclass(frozen=True, slots=True)
class Chip:
    """A value that is let through, and the address without it."""

    dimension: str
    value: str
    without: str


@dataclass(frozen=True, slots=True)
class Choice:
    """A box to tick."""

    value: str
    name: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Choices:
    """What can be chosen of a dimension."""

    name: str
    title: str
    each: Sequence[Choice]
    count: int
    """How many are chosen."""


def named(value: str | None) -> str:
    """A value of a dimension as people read it; names from spans can be of any length."""
    if not value:
        return NONE
    return value if len(value) <= _LONGEST else f"{value[: _LONGEST - 1]}…"


def chips(request: Request, filters: Mapping[str, tuple[str, ...]]) -> list[Chip]:
    """What a question is filtered by, each with the address of the page without it."""
    return [
        Chip(
            TITLES[name],
            named(value),
            here(request, cursor=None, **{name: [each for each in values if each != value]}),
        )
        for name, values in filters.items()
        for value in values
    ]


def choices(
    seen: Mapping[str, tuple[str | None, ...]], filters: Mapping[str, tuple[str, ...]]
) -> list[Choices]:
    """Boxes for what was seen, and for what is chosen."""
    offered = []
    for name in DIMENSIONS:
        if name in TIMED:
            continue
        values = [value or NOT_SAID for value in seen.get(name, ())]
        chosen = filters.get(name, ())
        values += [value for value in chosen if value not in values]
        if not chosen and len(values) < 2 and name != "team":  # noqa: PLR2004 - nothing to choose
            continue
        boxes = [Choice(value, named(value), value in chosen) for value in values]
        offered.append(Choices(name, TITLES[name], boxes, len(chosen)))
    return offered


def of_cell(filters: Mapping[str, str | None]) -> dict[str, list[str]]:
    """Values of a cell as parameters of an address: a list, as an empty one must be said too."""
    return {name: [value or NOT_SAID] for name, value in filters.items()}


def as_addressed(request: Request, query: FilteredPage) -> RedirectResponse | None:
    """Where the same page is under its own address, if it was asked for by a form; else None.

    A form says the last day, and the address the one after it, as the API does. Days that a form
    showed and nobody changed leave a time that moves as it is. A form has a field for values that
    no box stands for. Raises Problem 422.
    """
    pairs = request.query_params.multi_items()
    if not _OF_FORM & {name for name, _value in pairs}:
        return None
    changed = f"{query.from_ or ''}/{query.through or ''}" != query.was
    moves = query.range is not None and not changed
    left_out = _OF_FORM | {"cursor"} | ({"from", "to"} if moves else {"range"})
    kept = [
        (name, value)
        for name, value in pairs
        if name not in left_out and (value or name in DIMENSIONS or name == "group_by")
    ]
    if query.through and not moves:
        kept.append(("to", _day_after(query.through)))
    if query.add in DIMENSIONS and query.value and (query.add, query.value) not in kept:
        kept.append((query.add, query.value))
    return RedirectResponse(f"{path_of(request)}?{urlencode(kept)}", status_code=303)


def _day_after(text: str) -> str:
    try:
        return (date.fromisoformat(text) + timedelta(days=1)).isoformat()
    except (ValueError, OverflowError):
        raise wrong("through", f"{text[:100]!r} is not a day such as 2026-10-31") from None
