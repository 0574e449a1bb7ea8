"""/months: how far the books of months are closed, by whom, and what the next one waits for."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from api.dependencies import Reading, Tenant
from api.pages.asked import PageAsked
from api.pages.links import elsewhere
from api.pages.month_choice import TONES
from api.pages.shell import page
from api.pages.tables import Cell, Column, Held, Table
from api.pages.visitor import Visiting, Visitor
from spend.months.months import (
    CLOSE,
    OPEN,
    REOPEN,
    SOFT_CLOSE,
    LedgerMonth,
    MonthAct,
    month_named,
    next_open,
)
from store.months import month_closing, month_waits, months

router = APIRouter(include_in_schema=False)

DONE: Final[Mapping[str, str]] = {
    SOFT_CLOSE: "soft-closed",
    CLOSE: "closed",
    REOPEN: "opened again",
}
"""What was done, in the past."""
_MEANS: Final[Mapping[str, str]] = {
    OPEN: "everything is booked into it",
    "soft-closed": "adjusting entries alone are booked into it",
    "closed": "nothing is booked into it any more",
}
_OFFERED: Final = 3
"""Months that are over and may be the first to be closed, where none ever was."""

Row = dict[str, Held | Cell]


@router.get("/months")
def show(
    request: Request,
    session: Reading,
    tenant: Tenant,
    visitor: Visiting,
    _query: Annotated[PageAsked, Query()],
) -> Response:
    """Months, the last one first; and what stands in the way of the next to be closed."""
    visitor.whole_ledger()
    held = months.held(session, tenant)
    acts = months.acts(session, tenant)
    turn = next_to_close(held, visitor)
    waits = (
        month_waits.waits(session, tenant, turn.period, now=visitor.now)
        if turn is not None and turn.state == OPEN
        else []
    )
    shown = _months(held, visitor)
    return page(
        request,
        visitor,
        "month_list.html",
        title="Months",
        tables={
            "months": Table(
                columns=(
                    Column("month", "Month"),
                    Column("state", "State"),
                    Column("by", "Last done by"),
                    Column("at", "When", "when", narrow=False),
                    Column("note", "Note", narrow=False),
                    Column("hash", "Hash", hint="SHA-256 of its record", narrow=False),
                ),
                rows=[_row(request, visitor, each, acts.get(each.name, [])) for each in shown],
                caption="Months",
                file="months",
            )
        },
        turn=turn,
        waits=waits,
        last=month_closing.last_closed(session, tenant),
        any_closed=any(each.state != OPEN for each in held),
    )


def next_to_close(held: Sequence[LedgerMonth], visitor: Visitor) -> LedgerMonth | None:
    """The month whose turn it is, and that is over: soft-closed, or the first that is open."""
    soft = [each for each in held if each.state == "soft-closed"]
    if soft:
        return min(soft, key=lambda each: each.period.start)
    calendar = visitor.settings.calendar
    following = next_open(held, calendar)
    if following is None:
        last = calendar.previous(calendar.period_at(visitor.now))
        following = LedgerMonth(last.name, last.period, calendar)
    return following if following.period.end <= visitor.now else None


def _months(held: Sequence[LedgerMonth], visitor: Visitor) -> list[LedgerMonth]:
    """All that were closed, and those after them up to the present one; the last first."""
    calendar = visitor.settings.calendar
    present = calendar.period_at(visitor.now)
    names = {each.name for each in held if each.state != OPEN}
    following = next_open(held, calendar)
    since = following.period.start if following is not None else None
    found = []
    period = present
    while since is None or period.start >= since:
        if period.name not in names:
            found.append(month_named(period.name, held, calendar))
        if since is None and len(found) > _OFFERED:
            break
        period = calendar.previous(period)
    shut = [each for each in held if each.state != OPEN]
    return [*found, *sorted(shut, key=lambda each: each.period.start, reverse=True)]


def _row(request: Request, visitor: Visitor, month: LedgerMonth, acts: Sequence[MonthAct]) -> Row:
    done = acts[-1] if acts else None
    running = month.period.end > visitor.now
    return {
        "month": Cell(
            month.name,
            show=visitor.formats.month(month.name),
            href=elsewhere(request, f"/months/{month.name}"),
        ),
        "state": Cell(
            month.state,
            note="it is not over" if running else _MEANS[month.state],
            tone=TONES[month.state] or ("quiet" if running else ""),
        ),
        "by": None if done is None else Cell(done.by, note=DONE[done.act]),
        "at": None if done is None else done.at,
        "note": Cell(
            done.note if done is not None else None, show=None if done and done.note else ""
        ),
        "hash": Cell(month.hash, show=month.hash[:12] if month.hash else ""),
    }
