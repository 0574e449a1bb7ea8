"""Tools of the books: months, what was committed to, and whether bills match."""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import Field

from app.mcp import telling
from app.mcp.answers import Amount, Cut, Watermark, cut, leave_out, watermark
from app.mcp.asking import Api
from app.mcp.questions import CutAsked, Month, Text, parameters
from app.mcp.telling import money, number, quoted
from app.mcp.tool import Asked, Found, Told, Tool


class MonthsAsked(CutAsked):
    """Which part of them."""


class MonthsTold(Cut):
    """Months that are not open, and the open one."""

    months: list[Told] = Field(description="`name`, `state`, `from`, `to`, `hash`; oldest first.")
    next: Told | None = Field(description="The open month; null: none was ever closed.")


async def _months(api: Api, asked: MonthsAsked) -> Found:
    return cut(await api.get("months"), "months", asked)


def _months_text(found: Mapping[str, Any]) -> str:
    months = [*found["months"], *([found["next"]] if found["next"] else [])]
    lines = [[each["name"], each["state"], each["from"], each["to"]] for each in months]
    if not lines:
        return "No month was ever closed: all books are open."
    return telling.told(telling.rows(["month", "state", "from", "to"], lines), telling.more(found))


MONTHS: Final = Tool(
    name="months",
    title="Which months are closed",
    does="The months whose books are closed, and do not move any more, or soft-closed; and which"
    " one is open. For a key that sees all teams.",
    asks=MonthsAsked,
    tells=MonthsTold,
    answer=_months,
    text=_months_text,
)


class CommitmentsAsked(CutAsked):
    """Which part of them."""


class CommitmentTold(Told):
    """Spend that was agreed in advance."""

    id: int
    name: str
    kind: str = Field(description="`prepaid` credits, or a `minimum`.")
    amount: Amount
    paid: Amount
    currency: str
    latest: Told | None = Field(
        description="The period that runs, or the last: `used`, `left`, `unused`, `forecast`, …"
    )


class CommitmentsTold(Watermark, Cut):
    """Commitments."""

    commitments: list[CommitmentTold]


async def _commitments(api: Api, asked: CommitmentsAsked) -> Found:
    until = await watermark(api)
    return cut({**until, **await api.get("commitments")}, "commitments", asked)


def _commitments_text(found: Mapping[str, Any]) -> str:
    lines = []
    for each in found["commitments"]:
        now, currency = each["latest"] or {}, each["currency"]
        lines.append([
            each["id"], quoted(each["name"]), each["kind"], money(each["amount"], currency),
            money(now.get("used"), currency), money(now.get("left"), currency),
            number(now.get("to") or "no end"),
        ])  # fmt: skip
    return telling.told(
        telling.watermark(found),
        telling.rows(["id", "commitment", "kind", "amount", "used", "left", "until"], lines),
        telling.more(found),
    )


COMMITMENTS: Final = Tool(
    name="commitments",
    title="Credits and minimums of spend",
    does="Spend that was agreed in advance, credits or minimums: how much of it is used and left,"
    " what would be wasted. For a key that sees all teams.",
    asks=CommitmentsAsked,
    tells=CommitmentsTold,
    answer=_commitments,
    text=_commitments_text,
)


class ReconciliationAsked(Asked):
    """Bills of which month."""

    month: Month
    provider: Text | None = Field(None, description="Only this issuer's.")
    limit: int = Field(20, ge=1, le=100, description="At most so many lines of each bill.")


class VarianceTold(Told):
    """A bill beside the ledger."""

    provider: str
    from_: str = Field(alias="from")
    to: str
    currency: str
    billed: Amount
    estimated: Amount = Field(description="By the ledger.")
    difference: Amount = Field(description="Billed less estimated.")
    by_reason: Told = Field(description="Parts that add up to `difference`; nothing is left over.")
    open: Amount = Field(description="The difference less what true-ups have booked.")
    within: bool = Field(description="Whether what is open is within the tolerance.")
    lines: list[Told] = Field(description="The largest difference first.")
    lines_in_all: int


class ReconciliationTold(Watermark):
    """Whether bills match the ledger."""

    month: str
    bills: list[VarianceTold]


_MOST_BILLS: Final = 20


async def _reconciliation(api: Api, asked: ReconciliationAsked) -> Found:
    until = await watermark(api)
    found = await api.get("reconciliation", asked=parameters(asked, frozenset({"limit"})))
    bills = found["bills"]
    told = [
        leave_out(each, ("days", "rates"))
        | {"lines": each["lines"][: asked.limit], "lines_in_all": len(each["lines"])}
        | {"models": each["models"][: asked.limit]}
        for each in bills[:_MOST_BILLS]
    ]
    return {**until, **found, "bills": told, "bills_in_all": len(bills)}


def _reconciliation_text(found: Mapping[str, Any]) -> str:
    lines = [
        [quoted(each["provider"]), each["from"], each["to"], money(each["billed"], currency),
         money(each["estimated"], currency), money(each["difference"], currency),
         "yes" if each["within"] else "no",
         ", ".join(f"{why} {part}" for why, part in each["by_reason"].items()
                   if part.strip("0.-")) or "-"]
        for each in found["bills"]
        for currency in [each["currency"]]
    ]  # fmt: skip
    if not lines:
        return f"No bill of {found['month']} was imported: nothing is known of whether it matches."
    header = ["issuer", "from", "to", "billed", "by the ledger", "difference", "within", "why"]
    head = f"Bills of {found['month']}. {telling.watermark(found)}"
    return telling.told(head, telling.rows(header, lines))


RECONCILIATION: Final = Tool(
    name="reconciliation",
    title="Whether bills match the ledger",
    does="What providers billed for a month beside what the ledger says, and why they differ:"
    " price, quantity, what was never heard of, timing, credits, exchange rate, taxes. For a key"
    " that sees all teams.",
    asks=ReconciliationAsked,
    tells=ReconciliationTold,
    answer=_reconciliation,
    text=_reconciliation_text,
)
