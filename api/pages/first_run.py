"""What the first page says until there is something to show: how to send the first span."""

from secrets import token_hex

from fastapi import Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from api.pages.shell import page
from api.pages.visitor import Visitor
from store.first_heard import heard_so_far

USUAL_DOOR = "http://127.0.0.1:4318"


def first_run(request: Request, session: Session, tenant: int, visitor: Visitor) -> Response:
    """The snippets, what they lead to, and what was heard so far. Asks again by itself."""
    heard = heard_so_far(session, tenant)
    return page(
        request,
        visitor,
        "first_run.html",
        title="Send the first span",
        heard=heard,
        # The page looks again, and is drawn again when this has changed.
        state=f"{heard.stored}-{heard.not_a_call}-{heard.refused}",
        door=visitor.settings.otlp_http_url or USUAL_DOOR,
        is_here=visitor.settings.otlp_http_url is not None,
        takes_key=visitor.caller.key_id is not None,
        team=visitor.team or "search",
        trace_id=token_hex(16),
        span_id=token_hex(8),
    )
