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

from fastapi import Request
from fastapi.responses import RedirectResponse
from pydantic import Field, model_validator

from api.grouping import FiltersAsked, Name, wrong
from api.pages.links import here, path_of
from store.dimensions import DIMENSIONS, NOT_SAID, TIMED, Question

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
NONE: Final = "(none)"
"""What rows without a value are called."""
_LONGEST: Final = 60


class FilteredPage(FiltersAsked):
    """A page with filters. Empty fields are absent but those of dimensions, where they mean none.

    ``through``, ``add`` and ``value`` are what a form says of what the address says otherwise.
    """

    csv: Annotated[Name | None, Field(description="The table that is wanted as CSV.")] = None
    done: Annotated[Name | None, Field(description="What was just done.")] = None
    sort: Annotated[Name | None, Field(description="A column; `-` in front: descending.")] = None
    through: Annotated[Name | None, Field(description="Of a form: the last day.")] = None
    add: Annotated[Name | None, Field(description="Of a form: a dimension to filter by.")] = None
    value: Annotated[Name | None, Field(description="Of a form: its value.")] = None

    @model_validator(mode="before")
    @classmethod
    def _without_empty(cls, asked: Any) -> Any:
        if not isinstance(asked, dict):
            return asked
        kept = {name: each for name, each in asked.items() if each not in ("", [""])}
        return kept | {name: asked[name] for name in DIMENSIONS if name in asked}


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


def asked_for(question: Question) -> dict[str, list[str]]:
    """A question's filters as parameters of an address."""
    return {name: list(values) for name, values in question.filters.items()}


def as_addressed(request: Request, query: FilteredPage) -> RedirectResponse | None:
    """Where the same page is under its own address, if it was asked for by a form; else None.

    A form says the last day, and the address the one after it, as the API does; a form has a field
    for values that no box stands for. Raises Problem 422.
    """
    pairs = request.query_params.multi_items()
    if not {"through", "add", "value"} & {name for name, _value in pairs}:
        return None
    dated = bool(query.from_ or query.through)
    kept = [
        (name, value)
        for name, value in pairs
        if name not in {"through", "add", "value", "cursor"}
        and (value or name in DIMENSIONS)
        and not (name == "range" and dated)
    ]
    if query.through:
        kept.append(("to", _day_after(query.through)))
    if query.add in DIMENSIONS and query.value and (query.add, query.value) not in kept:
        kept.append((query.add, query.value))
    return RedirectResponse(f"{path_of(request)}?{urlencode(kept)}", status_code=303)


def _day_after(text: str) -> str:
    try:
        return (date.fromisoformat(text) + timedelta(days=1)).isoformat()
    except (ValueError, OverflowError):
        raise wrong("through", f"{text[:100]!r} is not a day such as 2026-10-31") from None
