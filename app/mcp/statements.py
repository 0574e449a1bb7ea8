"""Tools of a month: its statement, and why it differs from the month before."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, Literal

from pydantic import Field

from app.mcp import telling
from app.mcp.answers import Amount, Bounds, Cut, cut, leave_out
from app.mcp.asking import Api
from app.mcp.questions import OF_THE_CUT, CutAsked, Month, Text, parameters
from app.mcp.telling import money, quoted
from app.mcp.tool import Found, Told, Tool

_UNTOLD: Final = ("usage", "why", "why_amounts")
_KEPT: Final = (
    "from", "to", "timezone", "complete_until", "month", "compared_with", "currency", "team",
    "state", "as_known_at",
)  # fmt: skip


class StatementAsked(CutAsked):
    """Whose month."""

    month: Month
    team: Text | None = Field(None, description="One team's statement. Default: of all teams.")
    timezone: str | None = Field(None, description="IANA zone. Default: the server's setting.")
    currency: str | None = Field(None, description="ISO 4217.", pattern="^[A-Z]{3}$")
    rate_policy: Literal["daily", "period-end", "period-average"] | None = None
    as_known_at: str | None = Field(
        None, description="As it was known at that instant, or date (UTC)."
    )


class MonthBefore(Told):
    """The same, a month before."""

    amount: Amount | None = Field(description="Null: unknown.")


class SumTold(Told):
    """A sum of the statement."""

    amount: Amount | None = Field(
        description="In whole coins that add up from lines to teams to the total; null: unknown."
    )
    cost: Amount | None = Field(description="The same, exact.")
    calls: int
    unpriced_calls: int
    last_month: MonthBefore
    difference: Amount | None = Field(description="`amount` less last month's; null: unknown.")


class OfAMonth(Bounds, Cut):
    """What is said of a statement beside its figures."""

    month: str
    compared_with: str
    currency: str
    team: str | None = Field(description="Null: all teams.")
    state: str = Field(description="Of the books: `open`, `soft-closed` or `closed`.")


class StatementTold(OfAMonth):
    """A month."""

    total: SumTold
    teams: list[SumTold] = Field(description="With `team` and its monthly `budgets`.")
    rows: list[SumTold] = Field(description="By team, provider, model and kind.")
    unallocated: Told = Field(description="What nobody claimed.")
    idle: Told = Field(description="Capacity that nobody used, by pool.")
    unpriced: Told = Field(description="Calls whose cost is unknown, in no amount.")
    commitments: list[Told]
    corrections: list[Told] = Field(description="Of earlier months, booked in this one.")


async def _asked(api: Api, asked: StatementAsked) -> Found:
    said = parameters(asked, OF_THE_CUT | {"month"})
    found: Found = await api.get("statements", asked.month, asked=said)
    return found


async def _statement(api: Api, asked: StatementAsked) -> Found:
    found = await _asked(api, asked)
    told = {name: found[name] for name in (*_KEPT, "rows", "commitments", "elsewhere")}
    told["total"] = leave_out(found["total"], _UNTOLD)
    told["teams"] = [leave_out(each, _UNTOLD) for each in found["teams"][: asked.limit]]
    told["teams_in_all"] = len(found["teams"])
    told["unallocated"] = leave_out(found["unallocated"], _UNTOLD)
    told["idle"] = found["idle"]
    told["unpriced"] = found["unpriced"] | {"rows": found["unpriced"]["rows"][: asked.limit]}
    told["corrections"] = found["corrections"][: asked.limit]
    return cut(told, "rows", asked, without=_UNTOLD)


def _head(found: Mapping[str, Any]) -> str:
    currency, total = found["currency"], found["total"]
    whose = f" of team {quoted(found['team'])}" if found["team"] is not None else ""
    return (
        f"{found['month']}{whose} ({found['state']}, {found['timezone']}):"
        f" {money(total['amount'], currency)};"
        f" {found['compared_with']}: {money(total['last_month']['amount'], currency)};"
        f" difference: {money(total['difference'], currency)}. {telling.watermark(found)}"
    )


def _statement_text(found: Mapping[str, Any]) -> str:
    currency = found["currency"]
    teams = [
        [quoted(each["team"]), money(each["amount"], currency),
         money(each["difference"], currency), each["calls"], each["unpriced_calls"]]
        for each in found["teams"]
    ]  # fmt: skip
    lines = [
        [quoted(each["team"]), quoted(each["provider"]), quoted(each["model"]), each["kind"],
         money(each["amount"], currency), money(each["difference"], currency)]
        for each in found["rows"]
    ]  # fmt: skip
    return telling.told(
        _head(found),
        f"Idle: {money(found['idle']['amount'], currency)}. Without a known cost:"
        f" {found['unpriced']['calls']} calls.",
        telling.rows(["team", "amount", "difference", "calls", "unpriced calls"], teams),
        telling.rows(["team", "provider", "model", "kind", "amount", "difference"], lines),
        telling.more(found, currency),
    )


STATEMENT: Final = Tool(
    name="statement",
    title="A month's statement",
    does="A month as finance has it: total, teams with their budgets, lines by team, provider,"
    " model and kind, in whole coins that add up; idle capacity, what nobody claimed, what has no"
    " known cost; each beside the month before. A month that is `closed` does not move any more."
    " For the reasons of a difference take `why_it_changed`.",
    asks=StatementAsked,
    tells=StatementTold,
    answer=_statement,
    text=_statement_text,
)


class Why(Told):
    """The parts of a difference. They add up to it, nothing is left over."""

    volume: Amount = Field(description="More or fewer units, at last month's average cost.")
    mix: Amount = Field(description="Units went to dearer or cheaper models.")
    price: Amount = Field(description="A unit of a model came to more or less.")
    new: Amount = Field(description="Models used this month only.")
    gone: Amount = Field(description="Models used last month only.")
    capacity: Amount = Field(description="Idle, unused, commitments bought.")
    adjustments: Amount = Field(description="Credits, true-ups, taxes.")
    corrections: Amount = Field(description="Of earlier months.")
    fx: Amount = Field(description="Exchange rates.")
    other: Amount = Field(description="Known or counted in one of the two months only.")
    rounding: Amount = Field(description="Of whole coins.")


class ChangedSum(SumTold):
    """A sum, and why it differs."""

    why_amounts: Why = Field(description="In whole coins, adding up to `difference`.")


class ChangedLine(SumTold):
    """A line, and why it differs."""

    why: Why = Field(description="Exact.")


class ChangedTold(OfAMonth):
    """Why a month differs from the one before; the largest difference first."""

    total: ChangedSum
    teams: list[ChangedSum]
    rows: list[ChangedLine]


async def _changed(api: Api, asked: StatementAsked) -> Found:
    found = await _asked(api, asked)
    without = ("usage", "why", "budgets")
    told = {name: found[name] for name in _KEPT}
    told["total"] = leave_out(found["total"], without)
    teams = sorted(found["teams"], key=_largest_first)
    told["teams"] = [leave_out(each, without) for each in teams[: asked.limit]]
    told["teams_in_all"] = len(teams)
    told["rows"] = sorted(found["rows"], key=_largest_first)
    return cut(told, "rows", asked, without=("usage",))


def _largest_first(row: Mapping[str, Any]) -> Decimal:
    return -abs(Decimal(row["difference"] or 0))


def _parts(why: Mapping[str, str]) -> str:
    parts = [f"{name} {amount}" for name, amount in why.items() if Decimal(amount)]
    return ", ".join(parts) or "nothing"


def _changed_text(found: Mapping[str, Any]) -> str:
    currency = found["currency"]
    lines = [
        [quoted(each["team"]), quoted(each["provider"]), quoted(each["model"]), each["kind"],
         money(each["difference"], currency), _parts(each["why"])]
        for each in found["rows"]
        if Decimal(each["difference"] or 0)
    ]  # fmt: skip
    teams = [
        [quoted(each["team"]), money(each["difference"], currency), _parts(each["why_amounts"])]
        for each in found["teams"]
    ]
    return telling.told(
        _head(found),
        f"Why: {_parts(found['total']['why_amounts'])}.",
        telling.rows(["team", "difference", "why"], teams),
        telling.rows(["team", "provider", "model", "kind", "difference", "why"], lines),
        telling.more(found, currency),
    )


WHY: Final = Tool(
    name="why_it_changed",
    title="Why a month differs from the one before",
    does="Why a month cost more or less than the month before: the difference in parts (volume,"
    " mix, price, new and gone models, idle capacity, credits, corrections, exchange rates) of the"
    " whole, of each team and of each line, the largest first. A month that still runs is compared"
    " with a whole one: say so.",
    asks=StatementAsked,
    tells=ChangedTold,
    answer=_changed,
    text=_changed_text,
)
