"""Tools of budgets and of what was warned of."""

from collections.abc import Mapping
from typing import Any, Final, Literal

import anyio
from pydantic import Field

from app.mcp import telling
from app.mcp.answers import Amount, Cut, Watermark, cut, watermark
from app.mcp.asking import Api, Refused
from app.mcp.questions import CutAsked, Number, Text, parameters
from app.mcp.telling import money, number, quoted
from app.mcp.tool import Asked, Found, Told, Tool

_AT_A_TIME: Final = 4
"""Budgets that are asked for at a time."""


class BudgetsAsked(CutAsked):
    """Which budgets."""

    limit: int = Field(20, ge=1, le=50, description="At most so many budgets.")
    team: Text | None = Field(None, description="Only budgets on this team.")


class StandingTold(Watermark):
    """How a budget stands in the period that runs."""

    budget: Told = Field(description="Its `id`, `name`, `filter` (whose spend), `period`, …")
    state: str = Field(
        description="`over` from 100 % on, `warning` from the lowest threshold on or while a"
        " forecast or a pace is above one, `recovered`, else `ok`."
    )
    spent: Amount | None = Field(description="Null: there is no period now, or `trouble`.")
    limit: Amount | None = Field(description="The amount, and what was rolled in.")
    left: Amount | None = Field(description="Negative when over.")
    percent: Amount | None = Field(description="Spent of the limit.")
    currency: str
    period: str | None
    period_end: str | None
    pace: int | None = Field(description="Per cent of the even rate, of late; null: not measured.")
    trouble: str | None = Field(description="Why it cannot be compared; null: it can.")


class BudgetsTold(Cut):
    """Budgets, and how each stands."""

    budgets: list[StandingTold]


async def _budgets(api: Api, asked: BudgetsAsked) -> Found:
    found = await api.get("budgets")
    if asked.team is not None:
        chosen = [each for each in found["budgets"] if asked.team in each["filter"].get("team", ())]
        found = {**found, "budgets": chosen}
    found = cut(found, "budgets", asked)
    told: list[Found | None] = [None] * len(found["budgets"])
    turn = anyio.CapacityLimiter(_AT_A_TIME)
    refused: list[Refused] = []

    async def ask(place: int, budget_id: int) -> None:
        async with turn:
            try:
                told[place] = await api.get("budgets", budget_id, "status")
            except Refused as error:
                refused.append(error)

    async with anyio.create_task_group() as asking:
        for place, each in enumerate(found["budgets"]):
            asking.start_soon(ask, place, each["id"])
    if refused:
        raise refused[0]
    return {**found, "budgets": told}


def _budget_line(each: Mapping[str, Any]) -> list[object]:
    currency, forecast = each["currency"], each.get("forecast")
    return [
        each["budget"]["id"], quoted(each["budget"]["name"]), each["state"],
        money(each["spent"], currency), money(each["limit"], currency),
        number(each["percent"], " %"), number(each["period"]),
        money(forecast["expected"], currency) if forecast else "none",
    ]  # fmt: skip


_HEADER: Final = (
    "id",
    "budget",
    "state",
    "spent",
    "limit",
    "used",
    "period",
    "expected by its end",
)


def _until(each: Mapping[str, Any]) -> str:
    return telling.watermark(each)


def _budgets_text(found: Mapping[str, Any]) -> str:
    budgets = found["budgets"]
    return telling.told(
        f"Budgets: {found['rows_in_all']}. " + (_until(budgets[0]) if budgets else ""),
        telling.rows(_HEADER, [_budget_line(each) for each in budgets]),
        telling.more(found),
    )


BUDGETS: Final = Tool(
    name="budgets",
    title="Budgets and how they stand",
    does="Budgets with what is spent of each in the period that runs, its limit, state, pace and"
    " forecast. For the days of one's forecast take `budget_forecast`; for whether a call still"
    " fits take `budget_check`.",
    asks=BudgetsAsked,
    tells=BudgetsTold,
    answer=_budgets,
    text=_budgets_text,
)


class BudgetAsked(Asked):
    """Which budget."""

    budget_id: Number = Field(description="`id` of `budgets`.")


class ForecastTold(Watermark):
    """What a budget's period is expected to come to."""

    currency: str
    period: str | None
    expected: Amount | None = Field(description="Null: there is no forecast; see `reason`.")
    low: Amount | None = Field(description="Of the band that 8 of 10 such periods end in.")
    high: Amount | None
    through: str | None = Field(description="What was spent before is in it as it was.")
    method: str | None
    points: list[Told] = Field(description="Each day of the period, cumulative.")
    reason: str | None = Field(description="Why there is no forecast.")


async def _forecast(api: Api, asked: BudgetAsked) -> Found:
    until = await watermark(api)
    found: Found = await api.get("budgets", asked.budget_id, "forecast")
    return {**found, **until}


def _forecast_text(found: Mapping[str, Any]) -> str:
    currency = found["currency"]
    if found["expected"] is None:
        return f"There is no forecast: {quoted(found['reason'])} {telling.watermark(found)}"
    return (
        f"{found['period']} is expected to come to {money(found['expected'], currency)}, between"
        f" {money(found['low'], currency)} and {money(found['high'], currency)} in 8 of 10 cases"
        f" (method {found['method']}, with what was spent until {found['through']})."
        f" {telling.watermark(found)}"
    )


FORECAST: Final = Tool(
    name="budget_forecast",
    title="What a budget's period will come to",
    does="What a budget's period is expected to come to, with its band, its error in the past, and"
    " each day.",
    asks=BudgetAsked,
    tells=ForecastTold,
    answer=_forecast,
    text=_forecast_text,
)


class CheckAsked(Asked):
    """A call that is to be made."""

    team: Text | None = None
    project: Text | None = None
    service: Text | None = None
    environment: Text | None = None
    feature: Text | None = None
    customer: Text | None = None
    provider: Text | None = None
    model: Text | None = None
    request_model: Text | None = None
    operation: Text | None = None
    deployment: Text | None = None
    region: Text | None = None


class CheckedTold(Told):
    """A budget that the call counts towards."""

    id: int
    name: str
    spent: Amount | None = Field(description="Null: not compared yet.")
    limit: Amount | None = Field(description="Null: unknown, or not this key's to see.")
    left: Amount | None
    over: bool


class CheckTold(Told):
    """Whether a call fits its budgets."""

    over: bool = Field(description="Some budget that it counts towards has nothing left.")
    budgets: list[CheckedTold]
    undecided: list[Told] = Field(description="Budgets that may count: `needs` tells what decides.")
    as_of: str | None = Field(description="Everything heard before is in `spent`; null: unknown.")


async def _check(api: Api, asked: CheckAsked) -> Found:
    found: Found = await api.get("budgets", "check", asked=parameters(asked))
    return found


def _check_text(found: Mapping[str, Any]) -> str:
    lines = [
        [each["id"], quoted(each["name"]), "over" if each["over"] else "has some left",
         money(each["left"], each["currency"])]
        for each in found["budgets"]
    ]  # fmt: skip
    undecided = ", ".join(quoted(each["name"]) for each in found["undecided"])
    return telling.told(
        ("A budget has nothing left." if found["over"] else "No budget is used up.")
        + f" Complete until {number(found['as_of'])}.",
        telling.rows(["id", "budget", "state", "left"], lines),
        f"May count, too: {undecided}." if undecided else "",
    )


CHECK: Final = Tool(
    name="budget_check",
    title="Whether a call fits its budgets",
    does="Whether a call with these properties (team, model, …) would meet a budget that has"
    " nothing left, and which budgets it counts towards.",
    asks=CheckAsked,
    tells=CheckTold,
    answer=_check,
    text=_check_text,
)


class AlertsAsked(Asked):
    """Which alerts."""

    state: Literal["open", "acknowledged", "snoozed", "muted", "recovered", "ended"] | None = None
    team: Text | None = Field(None, description="Only alerts about this team.")
    kind: Text | None = Field(
        None, description="Of a budget `actual`, `forecast` or `pace`; of a rule its kind."
    )
    budget_id: Number | None = None
    crossed_since: str | None = Field(None, description="Only those found since: an instant.")
    limit: int = Field(20, ge=1, le=100, description="At most so many alerts.")
    before: Number | None = Field(None, description="`next` of the page before.")


class AlertTold(Told):
    """Something that people were warned of."""

    id: int
    kind: str
    level: str = Field(description="`warning` or `over`.")
    state: str
    name: str = Field(description="Of the budget or the alert rule.")
    subject: str = Field(description="Of a rule: such as `team=search`.")
    crossed_at: str
    as_of: str | None = Field(description="Everything heard before was in it.")
    spent: Amount | None = Field(description="At that time.")
    amount: Amount | None
    currency: str | None


class AlertsTold(Watermark):
    """Alerts, the latest first."""

    alerts: list[AlertTold]
    next: int | None = Field(description="`before` of the next page; null: this is the last.")


async def _alerts(api: Api, asked: AlertsAsked) -> Found:
    until = await watermark(api)
    found = await api.get("alerts", asked=parameters(asked))
    # To whom it was sent, and what became of that, is another question.
    untold = {"messages", "delivery"}
    alerts = [{k: v for k, v in each.items() if k not in untold} for each in found["alerts"]]
    return {"alerts": alerts, "next": found["next"], **until}


def _alerts_text(found: Mapping[str, Any]) -> str:
    lines = [
        [each["id"], each["crossed_at"], each["level"], each["state"], each["kind"],
         quoted(each["name"]), quoted(each["subject"]),
         money(each["spent"], each["currency"]) if each["currency"] else "-"]
        for each in found["alerts"]
    ]  # fmt: skip
    return telling.told(
        telling.rows(["id", "at", "level", "state", "kind", "of", "subject", "spent then"], lines),
        telling.watermark(found),
        f"More: before={found['next']}" if found["next"] else "",
    )


ALERTS: Final = Tool(
    name="alerts",
    title="What was warned of",
    does="Alerts of budgets and alert rules, the latest first: what was crossed, when, and whether"
    " it is still open, or somebody knows of it.",
    asks=AlertsAsked,
    tells=AlertsTold,
    answer=_alerts,
    text=_alerts_text,
)
