"""Parts of answers that several tools share, and how a long one is cut."""

from collections.abc import Mapping
from decimal import Decimal, localcontext
from typing import Annotated, Any, Final

from pydantic import Field

from app.mcp.asking import Api
from app.mcp.questions import CutAsked
from app.mcp.tool import Found, Told
from spend.money import plain

Amount = Annotated[
    str, Field(pattern=r"^-?[0-9]+(\.[0-9]+)?$", description="An exact decimal, as text.")
]
_NOBODYS_DAY: Final = {"from": "2020-01-01", "to": "2020-01-02"}
"""A day without calls costs nothing to ask for."""
_DIGITS: Final = 100
"""More than any sum of amounts has."""


class Watermark(Told):
    """Until when an answer is complete."""

    complete_until: str | None = Field(
        description="Everything heard before it is counted, later calls may not be; null: unknown,"
        " or `as_known_at` was asked for."
    )


class Bounds(Watermark):
    """What an answer is about."""

    from_: str = Field(alias="from", description="Inclusive.")
    to: str = Field(description="Exclusive.")
    timezone: str = Field(description="Of dates, days and months.")


class Costs(Told):
    """The cost bases."""

    cost: Amount | None = Field(
        description="Effective, exact, in `currency`; null: unknown, as nothing of it is priced."
    )
    list_cost: Amount | None = Field(description="At public prices; null: unknown.")
    contracted_cost: Amount | None = Field(description="As contracted, before commitments.")
    billed_cost: Amount | None = Field(description="What is on somebody's bill for it.")


class Totals(Costs):
    """What a group of calls comes to."""

    calls: int
    errors: int
    unpriced_calls: int = Field(description="Calls whose cost is unknown: not in `cost`.")
    waiting_calls: int = Field(description="Calls whose charges are still to be posted.")


class NotShown(Told):
    """The rows that were cut off."""

    rows: int
    cost: Amount | None = Field(None, description="Of these; null: unknown.")
    calls: int | None = None


class Cut(Told):
    """A long answer, in part."""

    rows_in_all: int
    next_skip: int | None = Field(description="`skip` of the next part; null: this is the last.")
    not_shown: NotShown | None = Field(None, description="Null: nothing was left out.")


def cut(found: Found, name: str, asked: CutAsked, *, without: tuple[str, ...] = ()) -> Found:
    """The answer with its list ``name`` in part, and what the rest comes to.

    ``without``: fields that rows are told without.
    """
    rows = found[name]
    end = asked.skip + asked.limit
    part = [leave_out(row, without) for row in rows[asked.skip : end]]
    hidden = rows[: asked.skip] + rows[end:]
    return {
        **found,
        name: part,
        "rows_in_all": len(rows),
        "next_skip": end if end < len(rows) else None,
        "not_shown": _not_shown(hidden) if hidden else None,
    }


async def watermark(api: Api) -> Found:
    """The field of Watermark, for figures that the API tells without it.

    Asked before them, it is never later than they are.
    """
    found = await api.get("performance", asked=_NOBODYS_DAY)
    return {"complete_until": found["complete_until"]}


def leave_out(row: Mapping[str, Any], names: tuple[str, ...]) -> Found:
    """A row without some of its fields."""
    return {name: value for name, value in row.items() if name not in names}


def exact_sum(amounts: list[str]) -> str:
    """The sum of decimal texts, exact."""
    with localcontext(prec=_DIGITS):
        return plain(sum((Decimal(each) for each in amounts), Decimal(0)))


def _not_shown(rows: list[Found]) -> Found:
    told: Found = {"rows": len(rows)}
    if "cost" in rows[0]:
        costs = [row["cost"] for row in rows if row["cost"] is not None]
        told["cost"] = exact_sum(costs) if costs else None
    if "calls" in rows[0]:
        told["calls"] = sum(row["calls"] for row in rows)
    return told
