"""/reconciliation/{bill_id}: why a bill is not what was estimated, in parts that add up."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from api.dependencies import Reading, Tenant
from api.pages.asked import PageAsked
from api.pages.charts import Chart
from api.pages.formats import Formats
from api.pages.links import elsewhere
from api.pages.reconciliation.bill_compared import compared
from api.pages.shell import page
from api.pages.tables import Cell, Column, Held, Table
from api.pages.visitor import Visiting
from api.reconciliation.bills import BillId
from api.reconciliation.reconciliation import bill_of, comparable
from reports.charts.palette import shown_name
from reports.charts.waterfall_chart import Step, waterfall
from reports.tables.variance_rows import VarianceRow, by_name
from reports.tables.variance_words import SAID, SHORT, mostly, notes
from spend.money import rounded, rounded_lines
from spend.reconciliation.reconciled import Reconciled
from spend.reconciliation.variance import BUCKETS, Buckets, Compared

router = APIRouter(include_in_schema=False)

MOST_MODELS: Final = 40
MOST_LINES: Final = 300
"""Over all models; the others are in the CSV."""

Row = dict[str, Held | Cell]


@router.get("/reconciliation/{bill_id}")
def show(
    request: Request,
    session: Reading,
    tenant: Tenant,
    visitor: Visiting,
    bill_id: BillId,
    _query: Annotated[PageAsked, Query()],
) -> Response:
    """The bill, with those of its issuer and period, beside the estimate."""
    visitor.whole_ledger()
    bill = bill_of(session, tenant, bill_id)
    with comparable():
        found = compared(request, session, tenant, visitor, bill)
    told, variance = visitor.formats, found.variance
    rows = by_name(variance.lines, most=MOST_MODELS)
    coins = _coins(rows, found)
    under = _under(rows, coins, found)
    return page(
        request,
        visitor,
        "bill_variance.html",
        title=f"{shown_name(found.provider)}, {told.month(bill.period)}",
        tables={
            "reasons": _reasons(found, told),
            "by_model": _models(request, rows, coins, found),
            "days": _days(found, told),
            "lines": lines_table(variance.lines, found, "Lines of all models", "lines"),
            **{f"lines-{place}": table for place, (*_said, table) in enumerate(under)},
        },
        found=found,
        bill=bill,
        chart=_chart(found, told),
        under=[(f"lines-{place}", *said) for place, (*said, _table) in enumerate(under)],
        explore=_explored(request, found, measure="billed_cost", group_by="model"),
        notes=list(notes(found)),
        mostly=mostly(variance.buckets, rounded(variance.difference, found.currency)),
    )


def _chart(found: Reconciled, told: Formats) -> Chart:
    variance, currency = found.variance, found.currency
    moved = [name for name in BUCKETS if rounded(getattr(variance.buckets, name), currency)]
    steps = [
        Step(
            "Estimated", variance.estimated, told.rounded(variance.estimated, currency), whole=True
        ),
        *(
            Step(
                SHORT[name].capitalize(),
                getattr(variance.buckets, name),
                told.moved(rounded(getattr(variance.buckets, name), currency), currency),
            )
            for name in moved
        ),
        Step("Billed", variance.billed, told.rounded(variance.billed, currency), whole=True),
    ]
    difference = told.difference(rounded(variance.difference, currency), currency)
    return Chart(
        waterfall(steps, currency=currency), f"From the estimate to the bill: {difference}"
    )


def _reasons(found: Reconciled, told: Formats) -> Table:
    """Exact, shown in whole coins that add up to the difference."""
    variance, currency = found.variance, found.currency
    whole = rounded(variance.difference, currency)
    amounts = [getattr(variance.buckets, name) for name in BUCKETS]
    coins = rounded_lines(amounts, currency, shown=whole)
    rows: list[Row] = []
    for name, amount, coin in zip(BUCKETS, amounts, coins, strict=True):
        tone = "" if coin else "quiet"
        rows.append(
            {
                "reason": Cell(SAID[name], tone=tone),
                "amount": Cell(amount, show=told.difference(coin, currency), tone=tone),
            }
        )
    rows.append(
        {"reason": Cell("Left over", tone="quiet"), "amount": Cell(Decimal(0), tone="quiet")}
    )
    return Table(
        columns=(Column("reason", "Reason"), Column("amount", currency, "difference")),
        rows=rows,
        total={
            "reason": "Billed less estimated",
            "amount": Cell(variance.difference, show=told.difference(whole, currency)),
        },
        caption="Why they differ",
        file=f"variance-{found.bills[0].id}",
        currency=currency,
    )


def _coins(rows: Sequence[VarianceRow], found: Reconciled) -> list[tuple[Decimal, Decimal]]:
    """What each was estimated and billed at, in whole coins that add up to rounded totals."""
    estimated = rounded_lines([row.estimated for row in rows], found.currency)
    billed = rounded_lines([row.billed for row in rows], found.currency)
    return list(zip(estimated, billed, strict=True))


def _explored(request: Request, found: Reconciled, **asked: str) -> str:
    """What of the ledger is estimated, in days of UTC as bills are."""
    bill = found.bills[0]
    days = {"from_": bill.starts.date(), "to": bill.ends.date(), "timezone": "UTC"}
    return elsewhere(request, "/explore", provider=found.providers, **asked, **days)


def _models(
    request: Request,
    rows: Sequence[VarianceRow],
    coins: Sequence[tuple[Decimal, Decimal]],
    found: Reconciled,
) -> Table:
    """By model in whole coins; each column adds up to its rounded total."""
    variance = found.variance

    def row(it: VarianceRow, ours: Decimal, theirs: Decimal) -> Row:
        coverage = variance.models.get(it.name or "")
        leads = it.name if coverage is not None and it.estimated else None
        to = leads and _explored(
            request, found, model=leads, measure="contracted_cost", group_by="team"
        )
        return {
            "model": Cell(it.name, href=to),
            "heard": Cell(None, show="") if coverage is None else coverage.share,
            "estimated": ours,
            "billed": theirs,
            "difference": theirs - ours,
            "mostly": mostly(it.buckets, theirs - ours),
        }

    ours = sum((each for each, _ in coins), Decimal(0))
    theirs = sum((each for _, each in coins), Decimal(0))
    return Table(
        columns=(
            Column("model", "Model"),
            Column("heard", "Heard", "percent", "Tokens heard by tokens billed", narrow=False),
            Column("estimated", "Estimated", "money", narrow=False),
            Column("billed", "Billed", "money", narrow=False),
            Column("difference", "Difference", "difference"),
            Column("mostly", "Mostly"),
        ),
        rows=[row(it, *each) for it, each in zip(rows, coins, strict=True)],
        total={
            "model": "Total",
            "heard": variance.coverage.share,
            "estimated": ours,
            "billed": theirs,
            "difference": theirs - ours,
            "mostly": mostly(variance.buckets, theirs - ours),
        },
        caption="By model",
        file=f"variance-models-{found.bills[0].id}",
        currency=found.currency,
    )


def _under(
    rows: Sequence[VarianceRow], coins: Sequence[tuple[Decimal, Decimal]], found: Reconciled
) -> list[tuple[str | None, Decimal, str, Table]]:
    """The lines of each model that differ, by how much and why, as many as a page can show."""
    left = MOST_LINES
    shown = []
    for row, (ours, theirs) in zip(rows, coins, strict=True):
        lines = row.lines[:left]
        reason = mostly(row.buckets, theirs - ours)
        if not lines or not reason:
            continue
        left -= len(lines)
        table = lines_table(lines, found, row.name or "Lines", "lines")
        shown.append((row.name, theirs - ours, reason, table))
    return shown


def lines_table(lines: Sequence[Compared], found: Reconciled, caption: str, file: str) -> Table:
    """What is billed or was heard, meter by meter. Exact."""

    def row(line: Compared) -> Row:
        where = ", ".join(each for each in (line.region, line.service_tier) if each)
        return {
            "model": line.model or line.description,
            "kind": line.kind,
            "meter": Cell(
                line.meter,
                show=(line.meter or line.description or "all together").replace("_", " "),
                note="; ".join(each for each in (where, *line.notes) if each) or None,
            ),
            "heard_quantity": line.heard_quantity,
            "billed_quantity": line.billed_quantity,
            "estimated": line.estimated,
            "billed": line.billed,
            "difference": line.buckets.total,
            "mostly": mostly(line.buckets, rounded(line.buckets.total, found.currency)),
            **{name: getattr(line.buckets, name) for name in BUCKETS},
        }

    return Table(
        columns=(
            Column("model", "Model", shown=False),
            Column("kind", "Kind", shown=False),
            Column("meter", "Meter"),
            Column("heard_quantity", "Heard", "number", narrow=False),
            Column("billed_quantity", "Billed units", "number", narrow=False),
            Column("estimated", "Estimated", "money", narrow=False),
            Column("billed", "Billed", "money", narrow=False),
            Column("difference", "Difference", "difference"),
            Column("mostly", "Mostly"),
            *(Column(name, SHORT[name], "difference", shown=False) for name in BUCKETS),
        ),
        rows=[row(line) for line in lines],
        caption=caption,
        file=f"variance-{file}-{found.bills[0].id}",
        currency=found.currency,
    )


def _days(found: Reconciled, told: Formats) -> Table:
    """By the day that it is billed or estimated on; only reasons that there are."""
    whole: Buckets = found.variance.buckets
    seen = [
        name
        for name in BUCKETS
        if getattr(whole, name) or any(getattr(each, name) for each in found.variance.days.values())
    ]
    rows: list[Row] = [
        {
            "day": Cell(period.start, show=told.day(period.start.date())),
            **{name: getattr(buckets, name) or Cell(Decimal(0), show="") for name in seen},
            "difference": buckets.total,
        }
        for period, buckets in found.variance.days.items()
        if not buckets.is_nothing
    ]
    return Table(
        columns=(
            Column("day", "Day (UTC)"),
            *(Column(name, SHORT[name].capitalize(), "difference") for name in seen),
            Column("difference", "Difference", "difference"),
        ),
        rows=rows,
        caption="By day",
        file=f"variance-days-{found.bills[0].id}",
        currency=found.currency,
    )
