"""/reconciliation: the bills of a month beside what usage was estimated at, and all bills."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from api.dependencies import Reading, Tenant
from api.grouping import wrong
from api.pages import month_choice
from api.pages.asked import PageAsked, Text
from api.pages.links import elsewhere
from api.pages.reconciliation.bill_compared import compared
from api.pages.shell import page
from api.pages.tables import Cell, Column, Held, Table
from api.pages.visitor import Visiting, Visitor
from api.problems import Problem
from api.reconciliation.reconciliation import comparable
from reports.charts.palette import hue_of, shown_name
from reports.tables.variance_words import mostly
from spend.fiscal import FiscalPeriod
from spend.money import rounded
from spend.periods import Period
from spend.reconciliation.bills import Bill
from spend.reconciliation.reconciled import Reconciled
from store.bills import bills, reconcile
from store.months import months
from store.spending.booked import booked

router = APIRouter(include_in_schema=False)

MOST_BILLS: Final = 100
"""On a page; older ones are one link away."""
_BILLED: Final = ("api", "hosted-open")
"""Deployments that somebody sends a bill for."""

Row = dict[str, Held | Cell]


class BillsAsked(PageAsked):
    """Whose bills of which month are compared, and which are listed."""

    month: Text | None = None
    before: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None


@dataclass(frozen=True, slots=True)
class Beside:
    """A bill of an issuer and period, compared with those of the same."""

    bill: Bill
    found: Reconciled | None
    trouble: str | None = None
    """Why it cannot be compared."""


@router.get("/reconciliation")
def show(
    request: Request,
    session: Reading,
    tenant: Tenant,
    visitor: Visiting,
    query: Annotated[BillsAsked, Query()],
) -> Response:
    """What was billed, estimated and heard of, issuer by issuer."""
    visitor.whole_ledger()
    calendar = visitor.settings.calendar
    held = bills.held(session, tenant)
    period = _period(session, tenant, visitor, query.month, held)
    beside = [
        _compared(request, session, tenant, visitor, bill)
        for bill in reconcile.first_of_each(session, tenant, Period(period.start, period.end))
    ]
    listed = bills.page(session, tenant, before=query.before, at_most=MOST_BILLS + 1)
    ledgers = months.held(session, tenant)
    names = month_choice.offered(calendar, ledgers, visitor.now, period.name)
    return page(
        request,
        visitor,
        "bills_beside.html",
        title="Reconciliation",
        tables={
            "beside": _beside(request, session, tenant, visitor, period, beside),
            "bills": _listed(request, visitor, listed[:MOST_BILLS]),
        },
        month=period.name,
        months=names,
        any_bills=bool(listed),
        origin=str(request.base_url).rstrip("/"),
        older=listed[MOST_BILLS - 1].id if len(listed) > MOST_BILLS else None,
    )


def _period(
    session: Session, tenant: int, visitor: Visitor, month: str | None, held: list[Bill]
) -> FiscalPeriod:
    """The month asked for; else the last that a bill belongs to, or the one before this."""
    calendar = visitor.settings.calendar
    if month is None:
        last = max((each.starts + (each.ends - each.starts) / 2 for each in held), default=None)
        if last is not None:
            return calendar.period_at(last)
        return calendar.previous(calendar.period_at(visitor.now))
    try:
        return months.period_named(session, tenant, month, calendar)[1]
    except ValueError as error:
        raise wrong("month", str(error)[:200]) from None


def _compared(
    request: Request, session: Session, tenant: int, visitor: Visitor, bill: Bill
) -> Beside:
    try:
        with comparable():
            found = compared(request, session, tenant, visitor, bill)
    except Problem as problem:
        return Beside(bill, None, problem.detail)
    return Beside(bill, found)


def _beside(
    request: Request,
    session: Session,
    tenant: int,
    visitor: Visitor,
    period: FiscalPeriod,
    found: list[Beside],
) -> Table:
    rows = [_row(request, visitor, each) for each in found]
    billed = {each.bill.provider for each in found}
    billed |= {name for each in found if each.found is not None for name in each.found.providers}
    rows += _unbilled(request, session, tenant, period, billed)
    return Table(
        columns=(
            Column("provider", "Issuer"),
            Column("heard", "Heard", "percent", "Tokens heard by tokens billed", narrow=False),
            Column("estimated", "Estimated", "money", narrow=False),
            Column("billed", "Billed", "money"),
            Column("difference", "Difference", "difference", "Billed less estimated"),
            Column("booked", "Booked", "difference", "By true-ups", narrow=False),
            Column("open", "Open", "difference", "Not booked yet", narrow=False),
            Column("mostly", "Mostly", narrow=False),
        ),
        rows=rows,
        caption="Bills beside estimates",
        file=f"reconciliation-{period.name}",
        currency=visitor.currency,
        empty="Nothing was used of anybody who sends bills, and no bill belongs to this month.",
    )


def _row(request: Request, visitor: Visitor, each: Beside) -> Row:
    bill, found = each.bill, each.found
    name = Cell(
        bill.provider,
        show=shown_name(bill.provider),
        href=elsewhere(request, f"/reconciliation/{bill.id}"),
        colour=hue_of(bill.provider),
        note=visitor.formats.month(bill.period),
    )
    if found is None:
        return {"provider": name, "mostly": Cell(each.trouble, tone="bad")}
    variance = found.variance

    def money(amount: Decimal, tone: str = "") -> Cell:
        return Cell(amount, currency=found.currency, tone=tone)

    allowed = visitor.formats.money(found.allowed, found.currency)
    return {
        "provider": name,
        "heard": variance.coverage.share,
        "estimated": money(variance.estimated),
        "billed": money(variance.billed),
        "difference": money(variance.difference),
        "booked": money(found.booked),
        "open": money(found.open, "" if found.within else "bad"),
        "mostly": Cell(
            mostly(variance.buckets, rounded(variance.difference, found.currency)),
            note=f"within {allowed}" if found.within else f"beyond {allowed}",
        ),
    }


def _unbilled(
    request: Request, session: Session, tenant: int, period: FiscalPeriod, billed: set[str]
) -> list[Row]:
    """Providers that were used and have sent no bill for the month."""
    costs: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for each in booked(session, tenant, period.period):
        spent = each.totals.contracted_cost
        if each.deployment in _BILLED and each.provider and each.currency and spent:
            costs[each.provider, each.currency] += spent
    missing = [key for key in costs if key[0] not in billed]
    missing.sort(key=lambda key: (-costs[key], key))

    def explored(name: str) -> str:
        days = {"from_": period.first_day, "to": period.last_day + timedelta(days=1)}
        asked = {"provider": name, "measure": "contracted_cost", "group_by": "model"}
        return elsewhere(request, "/explore", **asked, **days)

    return [
        {
            "provider": Cell(
                name, show=shown_name(name), href=explored(name), colour=hue_of(name), tone="quiet"
            ),
            "estimated": Cell(costs[name, currency], currency=currency),
            "mostly": Cell("no bill", tone="quiet"),
        }
        for name, currency in missing
    ]


def _listed(request: Request, visitor: Visitor, listed: list[Bill]) -> Table:
    told = visitor.formats

    def row(bill: Bill) -> Row:
        superseded: Any = bill.superseded_at
        address = elsewhere(request, f"/reconciliation/{bill.id}")
        return {
            "provider": Cell(
                bill.provider,
                show=shown_name(bill.provider),
                href=None if superseded else address,
                colour=hue_of(bill.provider),
            ),
            "id": bill.id,
            "period": Cell(bill.period, show=told.month(bill.period)),
            "account": bill.account,
            "invoice": bill.invoice,
            "total": Cell(bill.total, currency=bill.currency),
            "lines": bill.lines,
            "imported_at": Cell(bill.imported_at, note=bill.imported_by),
            "state": Cell(
                "superseded" if superseded else "held",
                show=f"version {bill.version}",
                note="superseded" if superseded else None,
                tone="quiet" if superseded else "",
            ),
        }

    return Table(
        columns=(
            Column("provider", "Issuer"),
            Column("id", "Bill", "number"),
            Column("period", "Period"),
            Column("account", "Account", narrow=False),
            Column("invoice", "Invoice", narrow=False),
            Column("total", "Total", "money"),
            Column("lines", "Lines", "number", narrow=False),
            Column("imported_at", "Imported", "when", narrow=False),
            Column("state", "State", narrow=False),
        ),
        rows=[row(bill) for bill in listed],
        caption="All bills",
        file="bills",
        currency=visitor.currency,
        empty="None was imported yet.",
    )
