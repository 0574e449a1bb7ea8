"""/v1/bills: what providers invoiced, beside what calls were charged."""

import hashlib
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Query, Request
from sqlalchemy.orm import Session

from api.auth import Who, whole_ledger
from api.dependencies import Clock, Now, Reading, Tenant, Writing
from api.grouping import wrong
from api.problems import Problem, answers
from api.reconciliation.bill_shapes import (
    BillLinesAnswer,
    BillsAnswer,
    BillWithSums,
    Imported,
    LinesAsked,
    Listed,
    TakenAnswer,
    bill_answer,
    line_answer,
    with_sums,
)
from spend.periods import Month, parse_month
from spend.reconciliation.bill_assembly import Assembled, Expected, FileRefusedError, assembled
from spend.reconciliation.bill_formats import AUTO, FORMATS, read_file
from spend.reconciliation.bills import Bill
from spend.reconciliation.bills_focus import provider_of
from spend.written_rows import RowsRefusedError
from store.bills import bills
from store.bills.bill_bytes import unpacked

router = APIRouter(prefix="/v1/bills", tags=["bills"])

LARGEST_FILE: Final = 32 * 1024 * 1024
"""Bytes, unpacked; the body itself is bounded as all are."""
MOST_TOLD: Final = 20

BillId = Annotated[int, Path(ge=1, le=2**63 - 1)]

_FILE: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string"}}},
        "description": "The file: CSV, JSON or Parquet, also gzipped.",
    }
}


async def _body(request: Request) -> bytes:
    return await request.body()


@router.post(
    "",
    status_code=201,
    summary="Import a bill",
    responses=answers(401, 403, 409, 413, 422, 503),
    openapi_extra=_FILE,
)
def take(
    session: Writing,
    tenant: Tenant,
    clock: Clock,
    who: Who,
    query: Annotated[Imported, Query()],
    body: Annotated[bytes, Depends(_body)],
) -> TakenAnswer:
    """Takes the bills that a file is, all of it or nothing: one of each issuer and account.

    A bill that is there already is 409, and names it; with `replace` this one is its next version.
    """
    expected = _expected(query)
    try:
        read = read_file(
            unpacked(body, most=LARGEST_FILE),
            name=query.file_name,
            sha256=hashlib.sha256(body).hexdigest(),
            expected=query.format,
            provider=expected.provider,
        )
        said = assembled([read], expected, now=clock(), by=who.name)
    except RowsRefusedError as refused:
        raise _refused(refused) from None
    except FileRefusedError as error:
        raise _refused(error.refused) from None
    kept = _kept(session, tenant, said, query, clock)
    return TakenAnswer(bills=[bill_answer(each) for each in kept])


def _kept(
    session: Session, tenant: int, said: list[Assembled], query: Imported, clock: Now
) -> list[Bill]:
    try:
        if not query.dry_run:
            return bills.add(session, tenant, said, replaces=query.replace, clock=clock)
        if not query.replace:
            bills.check(session, tenant, said)
        return [each.bill for each in said]
    except bills.BillHeldError as held:
        raise Problem(409, "The bill is there already", str(held)) from None


@router.get(
    "",
    summary="Bills",
    responses=answers(401, 403, 422, 503),
    dependencies=[Depends(whole_ledger)],
)
def list_bills(session: Reading, tenant: Tenant, query: Annotated[Listed, Query()]) -> BillsAnswer:
    """What was imported, without lines."""
    found = bills.page(session, tenant, before=query.before, at_most=query.limit + 1)
    shown = found[: query.limit]
    return BillsAnswer(
        bills=[bill_answer(each) for each in shown],
        next=shown[-1].id if len(found) > len(shown) else None,
    )


@router.get(
    "/{bill_id}",
    summary="A bill, and what it is made of",
    responses=answers(401, 403, 404, 422, 503),
    dependencies=[Depends(whole_ledger)],
)
def show(session: Reading, tenant: Tenant, bill_id: BillId) -> BillWithSums:
    """Also one that was superseded."""
    bill = _found(session, tenant, bill_id)
    return with_sums(bill, bills.sums(session, tenant, bill.id))


@router.get(
    "/{bill_id}/lines",
    summary="Lines of a bill",
    responses=answers(401, 403, 404, 422, 503),
    dependencies=[Depends(whole_ledger)],
)
def list_lines(
    session: Reading, tenant: Tenant, bill_id: BillId, query: Annotated[LinesAsked, Query()]
) -> BillLinesAnswer:
    """As they were read, each with its row."""
    bill = _found(session, tenant, bill_id)
    found = bills.line_page(session, tenant, bill.id, after=query.after, at_most=query.limit + 1)
    shown = found[: query.limit]
    return BillLinesAnswer(
        lines=[line_answer(each) for each in shown],
        next=shown[-1].line if len(found) > len(shown) else None,
    )


def _found(session: Session, tenant: int, bill_id: int) -> Bill:
    found = bills.one(session, tenant, bill_id)
    if found is None:
        detail = f"there is no bill {bill_id}"
        raise Problem(404, "No such bill", detail, field="bill_id")
    return found


def _expected(query: Imported) -> Expected:
    if query.format not in {AUTO, *FORMATS}:
        raise wrong("format", f"unknown format; there are {', '.join((AUTO, *FORMATS))}")
    return Expected(
        provider=provider_of(query.provider),
        account=query.account or None,
        invoice=query.invoice or None,
        month=_month(query.month),
        total=_total(query.total),
    )


def _month(text: str | None) -> Month | None:
    try:
        return parse_month(text) if text else None
    except ValueError as error:
        raise wrong("month", str(error)) from None


def _total(text: str | None) -> Decimal | None:
    try:
        found = Decimal(text) if text else None
    except InvalidOperation:
        found = Decimal("NaN")
    if found is not None and not found.is_finite():
        raise wrong("total", "must be a number such as 1234.56")
    return found


def _refused(refused: RowsRefusedError) -> Problem:
    told = [str(each) for each in refused.refusals]
    more = [f"and {len(told) - MOST_TOLD:,} more"] if len(told) > MOST_TOLD else []
    field = refused.refusals[0].field
    detail = "; ".join(told[:MOST_TOLD] + more)
    return Problem(422, "Nothing of the file is taken", detail, field=field)
