"""The shape of a statement in the API."""

from typing import Literal

from pydantic import BaseModel, Field

from api.prices.rate_shapes import ExchangedAnswer
from api.shapes import BoundsAnswer, TotalsAnswer


class LastMonth(BaseModel):
    """The month before."""

    cost: str | None = Field(description="Exact; null where it is unknown or there was none.")
    amount: str | None = Field(description="In whole coins; null where it is unknown.")


class WhyAnswer(BaseModel):
    """Why it is not what it was last month: parts that add up to the difference."""

    volume: str = Field(description="The team's units changed, at last month's average cost.")
    mix: str = Field(description="Its units went to dearer or cheaper models.")
    price: str = Field(description="A unit of a model came to more or less.")
    new: str = Field(description="Models used this month only.")
    gone: str = Field(description="Models used last month only.")
    capacity: str = Field(description="Idle, unused, commitments bought.")
    adjustments: str = Field(description="Credits, true-ups, taxes.")
    corrections: str = Field(description="Of earlier months, less those of the month before.")
    fx: str = Field(description="Exchange rates.")
    other: str = Field(description="Known or counted in one of the two months only.")
    rounding: str = Field(description="Of whole coins, what the others lack; else 0.")


class FiguresAnswer(TotalsAnswer):
    """What a line says."""

    amount: str | None = Field(
        description="`cost` in whole coins, rounded so that the lines add up to the total, to the"
        " coin; null where the cost is unknown."
    )
    list_amount: str | None = Field(description="`list_cost` likewise.")
    contracted_amount: str | None = Field(description="`contracted_cost` likewise.")
    billed_amount: str | None = Field(description="`billed_cost` likewise.")
    corrections: str = Field(description="The part of `cost` that is of earlier months. Exact.")
    last_month: LastMonth
    difference: str | None = Field(description="`amount` less last month's.")
    why: WhyAnswer = Field(description="The difference of the costs in parts, exact.")


class LineAnswer(FiguresAnswer):
    """What a team spent on a provider's model."""

    team: str
    provider: str | None
    model: str | None
    kind: Literal["usage", "credit", "true-up", "tax"]


class StatementBudget(BaseModel):
    """A monthly budget of one team."""

    id: int
    name: str
    amount: str
    difference: str = Field(description="The budget less what was spent: negative when over.")


class SumAnswer(FiguresAnswer):
    """A sum of lines."""

    why_amounts: WhyAnswer = Field(
        description="`why` in whole coins: the parts add up to `difference`, the teams' to the"
        " total's."
    )


class TeamAnswer(SumAnswer):
    """The sum of a team's lines."""

    team: str
    budgets: list[StatementBudget]


class PoolAnswer(BaseModel):
    """Self-hosted capacity."""

    pool: str
    cost: str = Field(description="All of its hours in the month, exact.")
    idle: str = Field(description="The part that nobody used, exact.")


class CommitmentPart(BaseModel):
    """A commitment in the month. Exact."""

    id: int
    name: str
    currency: str
    paid: str = Field(description="Billed for it.")
    covered: str = Field(description="What it took off bills of usage.")
    used: str = Field(description="What was paid for that.")
    wasted: str = Field(description="What was paid and covered nothing.")


class PartAnswer(BaseModel):
    """A part of the total."""

    cost: str | None
    amount: str | None


class IdleAnswer(PartAnswer):
    """Capacity that was paid for and not used."""

    pools: list[PoolAnswer]


class UnpricedRow(BaseModel):
    """Calls whose cost is unknown."""

    team: str
    provider: str | None
    model: str | None
    calls: int
    tokens: int


class StatementUnpriced(BaseModel):
    """What is not in the amounts, because nobody knows its price."""

    calls: int
    tokens: int
    rows: list[UnpricedRow]


class CorrectionRow(BaseModel):
    """What mends a team's books of an earlier month; in the amounts."""

    month: str
    team: str
    cost: str | None
    amount: str | None = Field(description="In whole coins.")
    calls: int
    tokens: int


class PlaceFigures(BaseModel):
    """What was done at a place."""

    cost: str | None
    amount: str | None = Field(description="In whole coins that add up to the total.")
    calls: int
    tokens: int


class DeploymentRow(PlaceFigures):
    """By a kind of deployment."""

    deployment: str | None = Field(
        description="`api`, `hosted-open` or `self-hosted`; null: nobody said."
    )


class RegionRow(PlaceFigures):
    """In a region."""

    region: str | None = Field(description="Null: nobody said.")


class PlaceRow(DeploymentRow, RegionRow):
    """By a kind of deployment in a region."""


class WhereAnswer(BaseModel):
    """Where the work was done."""

    rows: list[PlaceRow]
    by_deployment: list[DeploymentRow]
    by_region: list[RegionRow]


class ElsewhereAnswer(BaseModel):
    """Money that no rate was for: in no other figure."""

    currency: str
    cost: str
    billed_cost: str


class StatementAnswer(BoundsAnswer):
    """A month, of all teams or of one."""

    month: str = Field(examples=["2026-10"])
    compared_with: str = Field(description="The month before.", examples=["2026-09"])
    currency: str
    team: str | None = Field(description="Null: all teams.")
    state: str = Field(description="Of the books: `open`, `soft-closed` or `closed`.")
    hash: str | None = Field(description="Of the record that the month was closed with.")
    as_known_at: str | None = Field(description="Whose knowledge it shows; null: today's.")
    rows: list[LineAnswer] = Field(description="By team, provider, model and kind.")
    teams: list[TeamAnswer] = Field(description="Subtotals, with budgets.")
    unallocated: PartAnswer = Field(description="What nobody claimed.")
    idle: IdleAnswer
    commitments: list[CommitmentPart]
    unpriced: StatementUnpriced
    corrections: list[CorrectionRow]
    where: WhereAnswer
    rates: list[ExchangedAnswer]
    elsewhere: list[ElsewhereAnswer]
    total: SumAnswer
