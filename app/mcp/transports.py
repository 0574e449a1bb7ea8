"""How clients reach the server: over stdin and stdout, or over HTTP."""

import socket
from collections.abc import Callable, Sequence
from typing import Any, Final

import uvicorn
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.server.transport_security import TransportSecuritySettings
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from app.addresses import Address
from app.mcp.server import Context, mcp_server
from spend.access.forwarded import is_forwarded

PATH: Final = "/mcp"
MOST_BODY: Final = 64 * 1024
"""Bytes of a request: a question and its arguments."""
_MOST_FORWARDED: Final = 1_000
"""Characters; the nearest stand last."""
_LOCAL: Final = ("127.0.0.1", "localhost", "[::1]")


async def over_stdio(api_url: str, key: str | None) -> None:
    """Serves the one client that started this process, with the key that it was given."""
    authorization = f"Bearer {key}" if key else None
    server = mcp_server(api_url, lambda _context: authorization)
    async with stdio_server() as (reading, writing):
        await server.run(reading, writing, server.create_initialization_options())


async def over_http(
    api_url: str, address: Address, names: Sequence[str], ready: Callable[[str], None]
) -> None:
    """Serves any number of clients, each with the key that it brings; none is kept.

    ``names``: what it is called beside its own address. ``ready`` gets its address. Raises OSError.
    """
    server = mcp_server(api_url, _brought, forwarded)
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    with socket.create_server((address.host, address.port), family=family) as listener:
        bound = Address(address.host, listener.getsockname()[1])
        app = application(server, bound, names)
        serving = uvicorn.Server(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                # Whom to believe is the API's to say.
                proxy_headers=False,
                timeout_graceful_shutdown=5,
            )
        )
        ready(f"http://{bound}{PATH}")
        await serving.serve(sockets=[listener])


def _brought(context: Context) -> str | None:
    said = context.request.headers.get("authorization") if context.request else None
    # A header with a blank at its end is not sent.
    return said and said.strip()


def forwarded(context: Context) -> str | None:
    """Where a caller comes from, who brings a key: without one the API answers no proxy."""
    request = context.request
    if request is None or request.client is None or "authorization" not in request.headers:
        return None
    said = [each for each in request.headers.getlist("x-forwarded-for") if each.isascii()]
    hops = ", ".join([*said, request.client.host])
    if len(hops) <= _MOST_FORWARDED:
        return hops
    # The first of these is perhaps cut, and a header that begins with a space is not sent.
    return hops[-_MOST_FORWARDED:].partition(",")[2].strip()


def application(server: Server[Any], bound: Address, names: Sequence[str]) -> ASGIApp:
    """Sessions are not kept, so that nobody can go on with somebody else's."""
    hosts = [str(bound), *(f"{name}:*" for name in _LOCAL)]
    origins = [f"http://{name}:*" for name in _LOCAL]
    for name in names:
        hosts += [name, f"{name}:*"]
        origins += [f"https://{name}", f"https://{name}:*"]
    inner = server.streamable_http_app(
        streamable_http_path=PATH,
        stateless_http=True,
        max_request_body_size=MOST_BODY,
        transport_security=TransportSecuritySettings(allowed_hosts=hosts, allowed_origins=origins),
    )
    return _WithKeys(inner, always=not bound.is_loopback)


class _WithKeys:
    """Keeps away who brings no key, where others than this machine may come.

    On this machine whether a key is needed is the API's to say: it takes this process for the
    caller, so what came through a proxy must bring one. A header that nobody can send on is no key.
    """

    def __init__(self, app: ASGIApp, *, always: bool) -> None:
        self._app = app
        self._always = always

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = {name.decode("latin-1"): value for name, value in scope["headers"]}
            said = headers.get("authorization", b"").decode("latin-1").strip().lower()
            needed = self._always or is_forwarded(headers)
            readable = said.isascii() and said.isprintable()
            if not readable or (needed and not said.startswith("bearer sl_")):
                refusal = JSONResponse(
                    {"error": "Send a read key: Authorization: Bearer sl_read_…"},
                    status_code=401,
                    headers={"WWW-Authenticate": 'Bearer realm="spanledger"'},
                )
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)
