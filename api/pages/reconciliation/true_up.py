"""/reconciliation/{bill_id}/true-up: what would be booked for the ledger to say what was billed."""

from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from api.auth import Booking
from api.dependencies import Clock, Config, Reading, Tenant, Writing
from api.pages.asked import PageAsked
from api.pages.forms import Sent
from api.pages.links import elsewhere, go_to
from api.pages.shell import page
from api.pages.tables import Cell, Column, Held, Table
from api.pages.visitor import Visiting
from api.problems import Problem
from api.reconciliation.bills import BillId
from api.reconciliation.reconciliation import bill_of, comparable
from reports.charts.palette import shown_name
from reports.tables.true_up_sums import true_up_sums
from spend.reconciliation.bills import Bill
from spend.reconciliation.true_up import TrueUp
from store import true_up

router = APIRouter(include_in_schema=False)


@router.get("/reconciliation/{bill_id}/true-up")
def show(
    request: Request,
    session: Reading,
    tenant: Tenant,
    visitor: Visiting,
    bill_id: BillId,
    _query: Annotated[PageAsked, Query()],
) -> Response:
    """The lines that would be booked, and the button that books them."""
    visitor.whole_ledger()
    bill = bill_of(session, tenant, bill_id)
    done, refused = None, None
    try:
        with comparable():
            done = true_up.true_up(
                session,
                tenant,
                bill,
                calendar=visitor.settings.calendar,
                clock=lambda: visitor.now,
                dry_run=True,
                policy=visitor.settings.rate_policy,
            )
    except Problem as problem:
        refused = problem.detail
    return page(
        request,
        visitor,
        "true_up.html",
        title=f"True-up of {shown_name(bill.provider)}, {visitor.formats.month(bill.period)}",
        tables={"booked": _table(request, bill, done)},
        bill=bill,
        done=done,
        refused=refused,
    )


@router.post("/reconciliation/{bill_id}/true-up")
def book(
    request: Request,
    session: Writing,
    tenant: Tenant,
    config: Config,
    clock: Clock,
    _who: Booking,
    _fields: Sent,
    bill_id: BillId,
) -> Response:
    """Books them. Problem 409 where it cannot be."""
    bill = bill_of(session, tenant, bill_id)
    with comparable():
        true_up.true_up(
            session,
            tenant,
            bill,
            calendar=config.calendar,
            clock=clock,
            policy=config.rate_policy,
        )
    return go_to(request, f"/reconciliation/{bill_id}", done="booked")


def _table(request: Request, bill: Bill, done: TrueUp | None) -> Table:
    sums = {} if done is None else true_up_sums(done)
    rows: list[dict[str, Held | Cell]] = [
        {
            "team": Cell(
                each.team, href=elsewhere(request, f"/statements/{bill.period}", team=each.team)
            ),
            "for": each.what,
            "amount": Cell(each.coins, currency=currency),
        }
        for currency, its in sums.items()
        for each in its
    ]
    total: dict[str, Held | Cell] | None = None
    if len(sums) == 1:
        ((currency, its),) = sums.items()
        whole = sum((each.coins for each in its), Decimal(0))
        total = {"team": "Total", "for": "", "amount": Cell(whole, currency=currency)}
    return Table(
        columns=(
            Column("team", "Team"),
            Column("for", "For"),
            Column("amount", "Amount", "difference"),
        ),
        rows=rows,
        total=total,
        caption="What would be booked",
        file=f"true-up-{bill.id}",
        currency=bill.currency,
        empty="Nothing: the ledger comes to what is billed already.",
    )
