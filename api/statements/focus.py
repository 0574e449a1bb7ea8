"""GET /v1/focus/{month}/{dataset}: a period as FOCUS, for tools that read bills of all kinds."""

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi import Path as InPath
from fastapi.responses import FileResponse
from pydantic import Field
from sqlalchemy.orm import Session
from starlette.background import BackgroundTask

from api.answers import FILES
from api.auth import whole_ledger
from api.dependencies import Clock, Config, Reading, Tenant
from api.grouping import wrong
from api.known import KnownAsked, known_at
from api.problems import answers
from reports.focus.focus_columns import DATASETS, NEWEST
from reports.focus.focus_export import Wanted, write_export
from reports.focus.focus_files import CSV, PARQUET
from spend.charge_sums import ChargeSum
from spend.fiscal import Calendar, FiscalPeriod
from spend.periods import Period
from store.ledger.charge_sums import charge_sums
from store.months import months
from store.months.period_books import period_books

router = APIRouter(prefix="/v1", tags=["statements"], dependencies=[Depends(whole_ledger)])

Version = Literal["1.4", "1.2"]
Dataset = Literal["cost-and-usage", "billing-period", "invoice-detail", "contract-commitment"]


def export_files(
    session: Session,
    tenant: int,
    folder: Path,
    wanted: Wanted,
    period: FiscalPeriod,
    calendar: Calendar,
    *,
    now: datetime,
    as_known_at: datetime | None = None,
    begun: Callable[[Period], None] = lambda _day: None,
    told: Callable[[str, int], None] = lambda _dataset, _rows: None,
) -> list[Path]:
    """Writes the files of a period into a folder, all from the session's one snapshot.

    ``as_known_at`` (UTC): as it was known then, for which whoever posts must have been waited for.
    ``begun`` hears of each day before it is read, ``told`` of each file and its rows.
    """

    def sums() -> Iterator[ChargeSum]:
        found = charge_sums(session, tenant, period.period, calendar.zone, as_known_at=as_known_at)
        for day, of_day in found:
            begun(day)
            yield from of_day

    books = period_books(session, tenant, period, now=now, as_known_at=as_known_at)
    return write_export(folder, wanted, books, sums(), told=told)


class FocusAsked(KnownAsked):
    """Parameters of a file."""

    version: Version = Field(NEWEST, description="Of FOCUS; 1.2 has Cost and Usage alone.")
    ascii: bool = Field(False, description="Text in ASCII, for tools that take nothing else.")


@router.get(
    "/focus/{month}/{dataset}.csv",
    summary="A period as FOCUS, in CSV",
    response_class=FileResponse,
    responses={200: {"content": {FILES[CSV]: {}}}, **answers(401, 403, 422, 503)},
)
@router.get(
    "/focus/{month}/{dataset}.parquet",
    summary="A period as FOCUS, in Parquet",
    response_class=FileResponse,
    responses={200: {"content": {FILES[PARQUET]: {}}}, **answers(401, 403, 422, 503)},
)
def focus(
    request: Request,
    session: Reading,
    tenant: Tenant,
    config: Config,
    clock: Clock,
    month: Annotated[str, InPath(description="Such as `2026-10`, or `FY2027-P02`.")],
    dataset: Annotated[Dataset, InPath(description="Of the bundle; they refer to each other.")],
    query: Annotated[FocusAsked, Query()],
) -> FileResponse:
    """What is booked in a period, as the FinOps Open Cost and Usage Specification has it.

    Its costs add up to the ledger's lines, in each currency. A key of one team gets none: a file
    has the invoices of all.
    """
    now = clock()
    moment = known_at(request, query, now)
    try:
        calendar, period = months.period_named(session, tenant, month, config.calendar)
    except ValueError as unknown:
        raise wrong("month", str(unknown)[:200]) from None
    if dataset not in DATASETS[query.version]:
        raise wrong("version", f"FOCUS {query.version} is exported as cost-and-usage alone.")
    shape = request.url.path.rpartition(".")[2]
    wanted = Wanted(query.version, (dataset,), shape, query.ascii)
    # Not in memory: it can be large. Gone when it was sent, or when it could not be made.
    folder = TemporaryDirectory(prefix="spanledger-focus-")
    try:
        (path,) = export_files(
            session,
            tenant,
            Path(folder.name),
            wanted,
            period,
            calendar,
            now=now,
            as_known_at=moment,
        )
    except BaseException:
        folder.cleanup()
        raise
    return FileResponse(
        path,
        media_type=FILES[shape],
        filename=path.name,
        headers={"Cache-Control": "private, no-cache", "Vary": "Authorization, Cookie"},
        background=BackgroundTask(folder.cleanup),
    )
