"""Re-pricings as they are asked for, and as the API shows them with the difference they make."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictStr

from api.instants import Instant
from api.shapes import instant
from spend.money import plain
from spend.prices.repricings import NO_DIFFERENCE, Difference, Repricing, booked_from
from store.prices.repricings import Named


class NewRepricing(BaseModel):
    """A time that is to be priced by what is known of the price book now."""

    model_config = ConfigDict(extra="forbid")

    from_: Instant = Field(
        alias="from",
        description="A date, or an instant on a quarter hour of UTC. Inclusive.",
        examples=["2026-10-01"],
    )
    to: Instant | None = Field(
        None, description="Likewise; exclusive. Default: the end of the present quarter hour."
    )
    dry_run: StrictBool = Field(
        default=False, description="Only find out the difference, and book nothing."
    )
    note: StrictStr | None = Field(None, max_length=1000, description="Why: kept with it.")


class Listed(BaseModel):
    """Re-pricings that are asked for."""

    model_config = ConfigDict(extra="forbid")

    before: int | None = Field(None, ge=1, description="Older than this id: `next` of a page.")
    limit: int = Field(100, ge=1, le=1000, description="At most so many.")


class DifferenceAnswer(BaseModel):
    """Effective amounts by the price book, before and after. Pools are no part of it."""

    before: str = Field(examples=["1200.00"])
    after: str
    difference: str
    unpriced_calls_before: int = Field(description="Calls whose cost is unknown.")
    unpriced_calls_after: int
    lines: int = Field(description="Of the ledger that it takes.")


class TeamDifference(DifferenceAnswer):
    """Of one team's calls."""

    team: str


class ModelDifference(DifferenceAnswer):
    """Of one model's calls."""

    provider: str | None
    model: str | None


class DifferencesAnswer(BaseModel):
    """What is different so far; of all once `finished_at` is set."""

    total: DifferenceAnswer
    by_team: list[TeamDifference] = Field(description="Teams that pay, by name.")
    by_model: list[ModelDifference]


class RepricingAnswer(BaseModel):
    """A re-pricing, and how far it has come."""

    id: int
    from_: str = Field(alias="from")
    to: str
    known_at: str = Field(description="It goes by what was known of the price book then.")
    dry_run: bool
    note: str | None
    requested_at: str
    requested_by: str | None
    done_until: str = Field(description="It is through what is before; from there it goes on.")
    finished_at: str | None = Field(description="null: it is waited for, or going on.")
    cells: int = Field(description="Looked at so far.")
    changed_cells: int = Field(description="Of them with another cost.")
    lines: int = Field(description="Corrections booked so far; of a dry run: to be booked.")


class RepricingWithDifference(RepricingAnswer):
    """A re-pricing, and what it makes different."""

    difference: DifferencesAnswer
    booked_from: str | None = Field(
        description="The books are closed before this moment, and so is some of this time: what is"
        " different there is booked here, in the open month. null: all of it is open."
    )


class RepricingsAnswer(BaseModel):
    """The last one asked for first."""

    repricings: list[RepricingAnswer]
    next: int | None = Field(description="Ask again with it as `before`; null: that was all.")


def repricing_answer(repricing: Repricing) -> RepricingAnswer:
    """A re-pricing as it is shown in a list."""
    return RepricingAnswer(**_told(repricing))


def with_difference(
    repricing: Repricing, different: Mapping[Named, Difference], *, open_from: datetime | None
) -> RepricingWithDifference:
    """A re-pricing as it is shown by itself; ``open_from``: how far the books are closed (UTC)."""
    total = NO_DIFFERENCE
    for each in different.values():
        total = total.plus(each)
    by_team = _summed(different, lambda name: name[:1])
    by_model = _summed(different, lambda name: name[1:])
    return RepricingWithDifference(
        **_told(repricing),
        booked_from=instant(booked_from(repricing, open_from)),
        difference=DifferencesAnswer(
            total=DifferenceAnswer(**_figures(total)),
            by_team=[TeamDifference(team=str(name[0]), **_figures(each)) for name, each in by_team],
            by_model=[
                ModelDifference(provider=name[0], model=name[1], **_figures(each))
                for name, each in by_model
            ],
        ),
    )


def _summed(
    different: Mapping[Named, Difference], part: Callable[[Named], tuple[str | None, ...]]
) -> list[tuple[tuple[str | None, ...], Difference]]:
    found: dict[tuple[str | None, ...], Difference] = {}
    for name, each in different.items():
        found[part(name)] = found.get(part(name), NO_DIFFERENCE).plus(each)
    return sorted(found.items(), key=lambda each: [word or "" for word in each[0]])


def _figures(each: Difference) -> dict[str, Any]:
    return {
        "before": plain(each.before),
        "after": plain(each.after),
        "difference": plain(each.amount),
        "unpriced_calls_before": each.unpriced_before,
        "unpriced_calls_after": each.unpriced_after,
        "lines": each.lines,
    }


def _told(repricing: Repricing) -> dict[str, Any]:
    moments = ("known_at", "requested_at", "done_until", "finished_at")
    facts = ("id", "dry_run", "note", "requested_by", "cells", "changed_cells", "lines")
    return {
        "from": instant(repricing.starts),
        "to": instant(repricing.ends),
        **{name: instant(getattr(repricing, name)) for name in moments},
        **{name: getattr(repricing, name) for name in facts},
    }
