"""Refuses bodies that are too large, before they are read where their size is told."""

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import Problem, Shows, problem_response

_TITLE = "Content Too Large"


class BodyLimit:
    """ASGI middleware: a body of more than ``most`` bytes is answered with a problem, 413.

    Starlette's own answers it in plain text. ``shows`` tells it to readers, as every problem.
    """

    def __init__(self, app: ASGIApp, most: int, shows: Shows) -> None:
        self._app = app
        self._most = most
        self._shows = shows

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on, with its body counted."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        detail = f"A body may have {self._most:,} bytes."
        told = Headers(scope=scope).get("content-length", "")
        # More digits than any limit: Python itself would refuse to read thousands of them.
        if told.isdecimal() and (len(told) > 18 or int(told) > self._most):  # noqa: PLR2004 - digits
            problem = Problem(413, _TITLE, detail)
            answer = self._shows(Request(scope), problem) or problem_response(problem)
            await answer(scope, receive, send)
            return
        read = 0

        async def limited() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > self._most:
                # FastAPI makes 400 of any other error while it reads a body.
                raise HTTPException(413, detail)
            return message

        await self._app(scope, limited, send)
