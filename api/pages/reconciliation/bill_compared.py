"""A bill beside its estimate, kept as long as no line of its time is posted.

The estimate tells meters apart, which no sum of days does: it reads the lines of a month, which for
ten million calls takes a second or two. A bill comes when most of its lines are there.
"""

from fastapi import Request
from sqlalchemy.orm import Session

from api.pages.overview.answer_cache import kept_of
from api.pages.visitor import Visitor
from spend.periods import Period
from spend.reconciliation.bills import Bill
from spend.reconciliation.reconciled import Reconciled
from spend.reconciliation.variance import LAG
from spend.slots import slot_of
from store.bills import bills, reconcile
from store.spending.line_counts import lines_of_use


def compared(
    request: Request, session: Session, tenant: int, visitor: Visitor, bill: Bill
) -> Reconciled:
    """``reconcile.of_bill``, and raises what it does.

    What no line tells of, such as an exchange rate, is as it was at the last quarter of an hour.
    """
    policy = visitor.settings.rate_policy
    issued = [each for each in bills.held(session, tenant) if each.provider == bill.provider]
    start, end = bill.starts - LAG, bill.ends + LAG
    near = [each for each in issued if each.starts <= end and each.ends >= start]
    whole = Period(
        min([start, *(each.starts for each in near)]), max([end, *(each.ends for each in near)])
    )
    version = (
        lines_of_use(session, tenant, whole),
        tuple(sorted(each.id for each in bills.held(session, tenant))),
        slot_of(visitor.now),
    )
    return kept_of(request).get(
        ("bill", tenant, bill.id, policy),
        version,
        lambda: reconcile.of_bill(session, tenant, bill, now=visitor.now, policy=policy),
    )
