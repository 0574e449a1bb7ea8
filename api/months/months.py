"""/v1/months: the books of months, how far they are closed, and by whom."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from sqlalchemy.orm import Session

from api.auth import Who, whole_ledger
from api.dependencies import Clock, Config, Reading, Tenant, Writing, actor_of, database_of
from api.months.month_shapes import (
    Close,
    MonthAnswer,
    MonthsAnswer,
    MonthWithHistory,
    Reopen,
    SoftClose,
    month_fields,
    with_history,
)
from api.problems import Problem, answers
from api.settings import ApiSettings
from spend.months.month_records import record_of
from spend.months.months import (
    OPEN,
    LedgerMonth,
    MonthRefusedError,
    MonthUnknownError,
    WarningUnknownError,
    month_named,
    next_open,
)
from store.months import month_closing, month_waits, month_warnings, months

router = APIRouter(prefix="/v1/months", tags=["months"])

Name = Annotated[str, Path(description="Such as `2026-10`, or `FY2027-P02`.", max_length=20)]


@router.get(
    "",
    summary="How far the books are closed",
    responses=answers(401, 403, 503),
    dependencies=[Depends(whole_ledger)],
)
def list_months(session: Reading, tenant: Tenant, config: Config) -> MonthsAnswer:
    """Every month that is not open, and the hash of the last record."""
    held = months.held(session, tenant)
    following = next_open(held, config.calendar)
    return MonthsAnswer(
        months=[_answer(each) for each in held if each.state != OPEN],
        next=None if following is None else _answer(following),
        hash=month_closing.last_closed(session, tenant),
    )


@router.get(
    "/{name}",
    summary="A month and its history",
    responses=answers(401, 403, 422, 503),
    dependencies=[Depends(whole_ledger)],
)
def show(
    session: Reading, tenant: Tenant, config: Config, clock: Clock, name: Name
) -> MonthWithHistory:
    """What was done with it, what it was closed with; of one that is not, what it waits for."""
    with _refusals():
        month = month_named(name, months.held(session, tenant), config.calendar)
    return _shown(session, tenant, month, config, clock())


@router.post(
    "/{name}/soft-close",
    summary="Soft-close a month",
    responses=answers(401, 403, 409, 422, 503),
)
def soft_close(
    session: Writing,
    tenant: Tenant,
    config: Config,
    clock: Clock,
    who: Who,
    name: Name,
    body: SoftClose,
) -> MonthWithHistory:
    """Its usage, prices and rules stop: what comes late is booked in the next month.

    True-ups, credits and taxes of bills may still be booked into it, and it may be opened again.
    """
    with _refusals():
        month = months.soft_close(
            session,
            tenant,
            name,
            calendar=config.calendar,
            clock=clock,
            by=who.name,
            note=body.note,
        )
    return _shown(session, tenant, month, config, clock())


@router.post(
    "/{name}/reopen",
    summary="Open a soft-closed month again",
    responses=answers(401, 403, 409, 422, 503),
)
def reopen(
    session: Writing,
    tenant: Tenant,
    config: Config,
    clock: Clock,
    who: Who,
    name: Name,
    body: Reopen,
) -> MonthWithHistory:
    """The last one that is soft-closed. What was booked after it meanwhile stays there."""
    with _refusals():
        month = months.reopen(
            session,
            tenant,
            name,
            calendar=config.calendar,
            clock=clock,
            by=who.name,
            note=body.reason,
        )
    return _shown(session, tenant, month, config, clock())


@router.post(
    "/{name}/close",
    summary="Close a month for good",
    responses=answers(401, 403, 409, 422, 503),
)
def close(
    request: Request,
    tenant: Tenant,
    config: Config,
    clock: Clock,
    who: Who,
    name: Name,
    body: Close,
) -> MonthWithHistory:
    """Nothing of it moves any more, and what it says is recorded, hashed and chained.

    409 names what it waits for; 422 the warnings that `accept` has to name. It reads all lines of
    the month: some seconds for a million.
    """
    database = database_of(request)
    with _refusals():
        if not body.dry_run:
            month_closing.close(
                database,
                tenant,
                name,
                calendar=config.calendar,
                telling=config.telling,
                clock=clock,
                by=who.name,
                actor=partial(actor_of, request),
                note=body.note,
                accepted=body.accept,
            )
        now = clock()
        with database.read() as session:
            if not body.dry_run:
                month = month_named(name, months.held(session, tenant), config.calendar)
                return _shown(session, tenant, month, config, now)
            checked = month_closing.check(
                session,
                tenant,
                name,
                calendar=config.calendar,
                currency=config.currency,
                now=now,
            )
            found = month_closing.preview(
                session,
                tenant,
                checked,
                telling=config.telling,
                now=now,
                by=who.name,
                note=body.note,
            )
            return with_history(
                checked.month,
                months.acts(session, tenant).get(name, []),
                waits=checked.waits,
                warnings=checked.warnings,
                record=record_of(found),
            )


def _answer(month: LedgerMonth) -> MonthAnswer:
    return MonthAnswer.model_validate(month_fields(month))


def _shown(
    session: Session, tenant: int, month: LedgerMonth, config: ApiSettings, now: datetime
) -> MonthWithHistory:
    closed = month.record is not None
    return with_history(
        month,
        months.acts(session, tenant).get(month.name, []),
        waits=month_waits.waits(session, tenant, month.period, now=now)
        if month.state == OPEN
        else [],
        warnings=[]
        if closed
        else month_warnings.warnings(session, tenant, month, currency=config.currency, now=now),
    )


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except MonthUnknownError as unknown:
        raise Problem(422, "There is no such month", str(unknown), field="name") from None
    except WarningUnknownError as unknown:
        raise Problem(422, "There is no such warning", str(unknown), field="accept") from None
    except MonthRefusedError as refused:
        if refused.to_accept:
            title = "Something has to be accepted"
            raise Problem(422, title, str(refused), field="accept") from None
        raise Problem(409, "The month stays as it is", str(refused)) from None
