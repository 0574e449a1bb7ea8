"""Messages as pages list them: what each tells, where it goes, and what became of it."""

from collections.abc import Sequence
from typing import Final

from fastapi import Request
from markupsafe import Markup

from api.pages.alerts.alert_rows import NOTICES, delivery_badge
from api.pages.links import elsewhere
from api.pages.tables import Cell, Column, Held, Table
from api.pages.visitor import Visitor
from spend.access.roles import Permission
from store.alerts.deliveries import Delivery
from store.channels.outbox import NO_DESTINATION

DEAD: Final = "dead"
PENDING: Final = "pending"
ANOTHER_PLACE: Final = "its own, or the default one"

_FIRST: Final = (Column("message", "Message"),)
_COLUMNS: Final = (
    Column("to", "To", narrow=False),
    Column("status", "Status"),
    Column("error", "Why", narrow=False),
    Column("attempts", "Attempts", "number", narrow=False),
    Column("written", "Written", "when", narrow=False),
)
_IN_FILES: Final = (
    Column("id", "No.", "number"),
    Column("next", "Next try", "when"),
    Column("sent", "Sent", "when"),
)
_BUTTON: Final = (Column("resend", "", hint="Resend", csv=False),)


def deliveries_table(
    request: Request,
    visitor: Visitor,
    sent: Sequence[Delivery],
    *,
    caption: str,
    of_one: bool = False,
) -> Table:
    """Messages; of ``of_one`` alert, to which none leads then. With a button where one is dead."""
    rows = [_row(request, visitor, each, of_one=of_one) for each in sent]
    buttons = visitor.may(Permission.SETTINGS) and any(each.status == DEAD for each in sent)
    more = _IN_FILES if request.query_params.get("csv") else _BUTTON if buttons else ()
    return Table(
        (*_FIRST, *_COLUMNS, *more),
        rows,
        caption,
        file="deliveries",
        empty="Nobody was told." if of_one else "No message fits what is asked for.",
    )


def _row(
    request: Request, visitor: Visitor, message: Delivery, *, of_one: bool
) -> dict[str, Held | Cell]:
    leads = message.alert_id is not None and not of_one
    button = _button(request, visitor, message, message.alert_id if of_one else None)
    return {
        "message": Cell(
            message.title or message.kind,
            href=elsewhere(request, f"/alerts/{message.alert_id}") if leads else None,
            note=NOTICES.get(message.kind, message.kind),
        ),
        "to": message.channel or Cell("webhook", note=ANOTHER_PLACE),
        "status": Cell(
            message.status, show=delivery_badge(message.status), note=_when(visitor, message)
        ),
        "id": message.id,
        "attempts": message.attempts,
        "written": Cell(
            message.written_at, note=visitor.formats.ago(message.written_at, visitor.now)
        ),
        "next": message.next_at if message.status == PENDING else None,
        "sent": message.sent_at,
        "error": _why(request, visitor, message),
        "resend": Cell(message.id, show=button),
    }


def _why(request: Request, visitor: Visitor, message: Delivery) -> Cell:
    """Why it did not arrive; where there is no place for it, with the way to make one."""
    nowhere = message.last_error == NO_DESTINATION and visitor.may(Permission.SETTINGS)
    return Cell(
        message.last_error,
        show=message.last_error or "",
        href=elsewhere(request, "/settings/channels/new") if nowhere else None,
        note="a default channel gets what waits" if nowhere else None,
    )


def _when(visitor: Visitor, message: Delivery) -> str | None:
    """When it was sent, or is tried next."""
    told = visitor.formats
    if message.sent_at is not None:
        return told.when(message.sent_at)
    if message.status != PENDING:
        return None
    if message.next_at <= visitor.now:
        # With a reason it waits for what that says.
        return None if message.last_error else "next try within 10 seconds"
    return f"next try {told.when(message.next_at)}"


def _button(request: Request, visitor: Visitor, message: Delivery, back: int | None) -> Markup:
    """Of the form ``resend`` of the page, which has the token; ``back``: the alert shown there."""
    if message.status != DEAD or not visitor.may(Permission.SETTINGS):
        return Markup()
    button = Markup(
        '<button class="plain" form="resend" formaction="{}"'
        ' name="alert" value="{}" aria-label="Resend {}">Resend</button>'
    )
    name = message.title[:100] or message.kind
    place = elsewhere(request, f"/alerts/deliveries/{message.id}/resend")
    return button.format(place, "" if back is None else back, name)
