"""What the first page says until there is something to show: how to send the first span."""

import re
from secrets import token_hex
from typing import Final

from fastapi import Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from api.pages.shell import page
from api.pages.visitor import Visitor
from store.intake.first_heard import heard_so_far

USUAL_DOOR: Final = "http://127.0.0.1:4318"
_PLAIN: Final = re.compile(r"[A-Za-z0-9_.-]{1,60}")


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
        # Our SDK looks there unless it is told otherwise.
        is_usual=visitor.settings.otlp_http_url in (None, USUAL_DOOR),
        is_here=visitor.settings.otlp_http_url is not None,
        takes_key=visitor.caller.key_id is not None,
        # It goes into a shell: a name that means something there is not put into anybody's hands.
        team=visitor.team if visitor.team and _PLAIN.fullmatch(visitor.team) else "search",
        trace_id=token_hex(16),
        span_id=token_hex(8),
    )
