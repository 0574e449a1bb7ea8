"""/months/{name}: what was done with a month; soft-closing it, closing it, opening it again.

The rules are those of ``/v1/months``: the same functions of the store decide.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from api.auth import Booking
from api.dependencies import Clock, Config, Reading, Tenant, Writing, actor_of, database_of
from api.pages.asked import PageAsked
from api.pages.forms import Sent, one
from api.pages.links import go_to, segment
from api.pages.month_choice import TONES
from api.pages.months.month_list import DONE, next_to_close
from api.pages.shell import page
from api.pages.tables import Cell, Column, Held, Table
from api.pages.visitor import Visiting, Visitor
from api.problems import Problem
from spend.months.month_records import Closing
from spend.months.months import (
    CLOSED,
    OPEN,
    SOFT_CLOSED,
    LedgerMonth,
    MonthAct,
    MonthRefusedError,
    MonthUnknownError,
    WarningUnknownError,
    month_named,
)
from store.months import month_closing, month_waits, month_warnings, months

router = APIRouter(include_in_schema=False)

LONGEST_NOTE: Final = 1000
SETTLED_AT: Final[Mapping[str, str]] = {
    month_warnings.UNPRICED: "/prices/unpriced",
    month_warnings.DEAD_LETTERS: "/alerts/deliveries",
    month_warnings.BILLS: "/reconciliation",
    month_warnings.DIFFERENCES: "/reconciliation",
    month_warnings.RATES: "/prices/rates",
}
"""Warning -> the page where something can be done about it."""
_CONFLICT: Final = 409
_WRONG: Final = 422

Name = Annotated[str, Path(max_length=20)]
Row = dict[str, Held | Cell]


@dataclass(frozen=True, slots=True)
class Filled:
    """What was typed into a form, and why it was not taken."""

    note: str = ""
    accept: tuple[str, ...] = ()
    problem: str | None = None
    """Of the month."""
    problems: dict[str, str] = field(default_factory=dict)
    """By field."""

    @property
    def status(self) -> int:
        """Of the page that shows it again."""
        if self.problems:
            return _WRONG
        return _CONFLICT if self.problem else 200


@router.get("/months/{name}")
def show(
    request: Request,
    session: Reading,
    tenant: Tenant,
    visitor: Visiting,
    name: Name,
    _query: Annotated[PageAsked, Query()],
) -> Response:
    """A month, its history and what can be done with it."""
    return _month_page(request, session, tenant, visitor, name, Filled())


@router.post("/months/{name}/soft-close")
def soft_close(
    request: Request,
    session: Writing,
    tenant: Tenant,
    config: Config,
    clock: Clock,
    who: Booking,
    visitor: Visiting,
    name: Name,
    fields: Sent,
) -> Response:
    """Stops its usage, prices and rules."""
    note, problems = _note(one(fields, "note"))
    if not problems:
        try:
            months.soft_close(
                session,
                tenant,
                name,
                calendar=config.calendar,
                clock=clock,
                by=who.name,
                note=note or None,
            )
        except MonthRefusedError as refused:
            filled = Filled(note, problem=str(refused))
            return _month_page(request, session, tenant, visitor, name, filled)
        except MonthUnknownError as unknown:
            raise _unknown(unknown) from None
        return _done(request, name, "soft-closed")
    return _month_page(request, session, tenant, visitor, name, Filled(note, problems=problems))


@router.post("/months/{name}/reopen")
def reopen(
    request: Request,
    session: Writing,
    tenant: Tenant,
    config: Config,
    clock: Clock,
    who: Booking,
    visitor: Visiting,
    name: Name,
    fields: Sent,
) -> Response:
    """Opens the last soft-closed month again, for a reason."""
    reason, problems = _note(one(fields, "reason"), field="reason")
    if not reason:
        problems["reason"] = "Say why: it stays in the month's history."
    if not problems:
        try:
            months.reopen(
                session,
                tenant,
                name,
                calendar=config.calendar,
                clock=clock,
                by=who.name,
                note=reason,
            )
        except MonthRefusedError as refused:
            filled = Filled(reason, problem=str(refused))
            return _month_page(request, session, tenant, visitor, name, filled)
        except MonthUnknownError as unknown:
            raise _unknown(unknown) from None
        return _done(request, name, "reopened")
    return _month_page(request, session, tenant, visitor, name, Filled(reason, problems=problems))


@router.get("/months/{name}/close")
def preview(
    request: Request,
    session: Reading,
    tenant: Tenant,
    visitor: Visiting,
    name: Name,
    _query: Annotated[PageAsked, Query()],
) -> Response:
    """What it would be closed with, and what has to be accepted for it. Reads all of its lines."""
    return _close_page(request, session, tenant, visitor, name, Filled())


@router.post("/months/{name}/close")
def close(
    request: Request,
    tenant: Tenant,
    config: Config,
    clock: Clock,
    who: Booking,
    visitor: Visiting,
    name: Name,
    fields: Sent,
) -> Response:
    """Closes it for good."""
    note, problems = _note(one(fields, "note"))
    accepted = tuple(fields.get("accept", ()))
    filled = Filled(note, accepted, problems=problems)
    database = database_of(request)
    if not problems:
        try:
            month_closing.close(
                database,
                tenant,
                name,
                calendar=config.calendar,
                telling=config.telling,
                clock=clock,
                by=who.name,
                actor=partial(actor_of, request),
                note=note or None,
                accepted=accepted,
            )
        except MonthRefusedError as refused:
            lacking = {"accept": str(refused)} if refused.to_accept else {}
            filled = Filled(note, accepted, None if lacking else str(refused), lacking)
        except WarningUnknownError as unknown:
            filled = Filled(note, problems={"accept": str(unknown)})
        except MonthUnknownError as unknown:
            raise _unknown(unknown) from None
        else:
            return _done(request, name, "closed")
    with database.read() as session:
        return _close_page(request, session, tenant, visitor, name, filled)


def _month_page(
    request: Request, session: Session, tenant: int, visitor: Visitor, name: str, filled: Filled
) -> Response:
    visitor.whole_ledger()
    held = months.held(session, tenant)
    month = _named(held, visitor, name)
    acts = months.acts(session, tenant).get(month.name, [])
    turn = next_to_close(held, visitor)
    over = month.period.end <= visitor.now
    waits = (
        month_waits.waits(session, tenant, month.period, now=visitor.now)
        if month.state == OPEN and over
        else []
    )
    return page(
        request,
        visitor,
        "month.html",
        title=visitor.formats.month(month.name),
        status=filled.status,
        tables={"acts": _acts(month, acts)},
        month=month,
        tone=TONES[month.state],
        over=over,
        waits=waits,
        is_turn=turn is not None and (not _any_shut(held) or turn.name == month.name),
        turn=turn,
        filled=filled,
        is_open=month.state == OPEN,
        is_soft=month.state == SOFT_CLOSED,
        is_closed=month.state == CLOSED,
        segment=segment(month.name),
    )


def _close_page(
    request: Request, session: Session, tenant: int, visitor: Visitor, name: str, filled: Filled
) -> Response:
    visitor.whole_ledger()
    month = _named(months.held(session, tenant), visitor, name)
    config = visitor.settings
    checked = found = None
    try:
        checked = month_closing.check(
            session,
            tenant,
            month.name,
            calendar=config.calendar,
            currency=config.currency,
            now=visitor.now,
        )
    except MonthRefusedError as refused:
        filled = Filled(filled.note, filled.accept, str(refused), filled.problems)
    else:
        found = month_closing.preview(
            session,
            tenant,
            checked,
            telling=config.telling,
            now=visitor.now,
            by=visitor.caller.name,
        )
    return page(
        request,
        visitor,
        "month_close.html",
        title=f"Close {visitor.formats.month(month.name)}",
        status=filled.status if request.method == "POST" else 200,
        tables={"sums": _sums(found)},
        month=month,
        checked=checked,
        found=found,
        filled=filled,
        settle=SETTLED_AT,
        segment=segment(month.name),
    )


def _acts(month: LedgerMonth, acts: Sequence[MonthAct]) -> Table:
    def row(act: MonthAct) -> Row:
        accepted = "; ".join(f"{each.name}: {each.said}" for each in act.accepted)
        return {
            "at": act.at,
            "act": DONE[act.act],
            "by": act.by,
            "note": Cell(act.note, show=act.note or ""),
            "accepted": Cell(accepted or None, show=accepted),
        }

    return Table(
        columns=(
            Column("at", "When", "when"),
            Column("act", "Was"),
            Column("by", "By"),
            Column("note", "Note"),
            Column("accepted", "Accepted", narrow=False),
        ),
        rows=[row(each) for each in acts],
        caption="What was done with it",
        file=f"month-{month.name}",
        empty="Nothing yet: it was never closed.",
    )


def _sums(found: Closing | None) -> Table:
    sums: dict[str, Any] = {} if found is None else dict(found.sums)
    bases = ("list", "contracted", "effective", "billed")
    rows: list[Row] = [
        {
            "currency": currency,
            **{name: Cell(getattr(each, name), currency=currency) for name in bases},
        }
        for currency, each in sorted(sums.items())
    ]
    return Table(
        columns=(
            Column("currency", "Currency"),
            *(Column(name, name.capitalize(), "money") for name in bases),
        ),
        rows=rows,
        caption="What it comes to",
        file="month-sums",
        empty="Nothing is booked in it.",
    )


def _note(text: str, field: str = "note") -> tuple[str, dict[str, str]]:
    if len(text) > LONGEST_NOTE:
        return text, {field: f"At most {LONGEST_NOTE:,} signs."}
    if "\x00" in text:
        return text.replace("\x00", ""), {field: "A sign in it cannot be kept."}
    return text, {}


def _named(held: Sequence[LedgerMonth], visitor: Visitor, name: str) -> LedgerMonth:
    try:
        return month_named(name, held, visitor.settings.calendar)
    except MonthUnknownError as unknown:
        raise _unknown(unknown) from None


def _any_shut(held: Sequence[LedgerMonth]) -> bool:
    return any(each.state != OPEN for each in held)


def _unknown(error: MonthUnknownError) -> Problem:
    return Problem(404, "There is no such month", str(error)[:200])


def _done(request: Request, name: str, said: str) -> Response:
    return go_to(request, f"/months/{segment(name)}", done=said)
