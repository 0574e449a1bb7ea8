"""Bills beside the estimate, and what is posted where they differ."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from sqlalchemy.orm import Session

from api.auth import whole_ledger
from api.dependencies import Clock, Config, Reading, Tenant, Writing
from api.grouping import too_many_rows, wrong
from api.problems import Problem, answers
from api.reconciliation.bills import BillId
from api.reconciliation.reconciliation_shapes import (
    ReconciliationAnswer,
    ReconciliationAsked,
    TrueUpAnswer,
    TrueUpAsked,
    VarianceAnswer,
    true_up_answer,
    variance_answer,
    variances,
)
from api.shapes import instant
from spend.periods import Period
from spend.reconciliation.bills import Bill
from spend.reconciliation.reconcile import NoRateError
from spend.reconciliation.true_up import TrueUpRefusedError
from store import true_up
from store.bills import bills, reconcile
from store.breakdowns.grouping import TooManyRowsError
from store.months import months

router = APIRouter(prefix="/v1", tags=["bills"])


@router.get(
    "/bills/{bill_id}/variance",
    summary="A bill beside the estimate",
    responses=answers(401, 403, 404, 409, 422, 503),
    dependencies=[Depends(whole_ledger)],
)
def variance(
    session: Reading, tenant: Tenant, config: Config, clock: Clock, bill_id: BillId
) -> VarianceAnswer:
    """Why they differ: parts that add up to the whole difference, with nothing left over.

    Calls do not tell their account, so all bills of the issuer and period are taken together.
    """
    bill = bill_of(session, tenant, bill_id)
    with comparable():
        found = reconcile.of_bill(session, tenant, bill, now=clock(), policy=config.rate_policy)
    return variance_answer(found)


@router.get(
    "/reconciliation",
    summary="The bills of a month beside the estimate",
    responses=answers(401, 403, 409, 422, 503),
    dependencies=[Depends(whole_ledger)],
)
def reconciliation(
    session: Reading,
    tenant: Tenant,
    config: Config,
    clock: Clock,
    query: Annotated[ReconciliationAsked, Query()],
) -> ReconciliationAnswer:
    """Every issuer's bills that belong to a month of the ledger's calendar."""
    try:
        _calendar, month = months.period_named(session, tenant, query.month, config.calendar)
    except ValueError as error:
        raise wrong("month", str(error)[:200]) from None
    period = Period(month.start, month.end)
    with comparable():
        found = reconcile.of_time(
            session,
            tenant,
            period,
            now=clock(),
            provider=query.provider,
            policy=config.rate_policy,
        )
    return ReconciliationAnswer.model_validate(
        {
            "month": month.name,
            "from": instant(month.start),
            "to": instant(month.end),
            "bills": variances(found),
        }
    )


@router.post(
    "/bills/{bill_id}/true-up",
    summary="Post what the ledger lacks of a bill",
    responses=answers(401, 403, 404, 409, 422, 503),
)
def post(
    session: Writing,
    tenant: Tenant,
    config: Config,
    clock: Clock,
    bill_id: BillId,
    query: Annotated[TrueUpAsked, Query()],
) -> TrueUpAnswer:
    """So that what is billed for the issuer's period comes to its bills, to the last digit.

    Each team pays, or gets back, its share of the difference; what was never heard is
    `unallocated`. Doing it again posts only what has changed since.
    """
    bill = bill_of(session, tenant, bill_id)
    with comparable():
        done = true_up.true_up(
            session,
            tenant,
            bill,
            calendar=config.calendar,
            clock=clock,
            dry_run=query.dry_run,
            policy=config.rate_policy,
        )
    return true_up_answer(done, posted=not query.dry_run)


def bill_of(session: Session, tenant: int, bill_id: int) -> Bill:
    """The bill of an id; Problem 404."""
    bill = bills.one(session, tenant, bill_id)
    if bill is None:
        raise Problem(404, "There is no such bill", f"No bill has id {bill_id}.")
    return bill


@contextmanager
def comparable() -> Iterator[None]:
    """Problem 409 where bills cannot be compared, 422 where there is too much to compare."""
    try:
        yield
    except TooManyRowsError:
        raise too_many_rows() from None
    except NoRateError as error:
        said = f"{error}: enter one with POST /v1/rates"
        raise Problem(409, "An exchange rate is missing", said) from None
    except (reconcile.SupersededError, reconcile.CurrenciesError) as error:
        raise Problem(409, "The bill cannot be compared", str(error)) from None
    except TrueUpRefusedError as error:
        raise Problem(409, "The bill cannot be trued up", str(error)) from None
