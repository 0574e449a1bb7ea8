"""Clients of ``spanledger mcp`` as an editor has them: the official package's, over real doors."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx2
from anyio.from_thread import BlockingPortal
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult
from serving import PATIENCE, eventually

COMMAND = [sys.executable, "-P", "-m", "app", "mcp"]


class Model:
    """Somebody that asks tools, over a connection that stays open."""

    def __init__(self, portal: BlockingPortal, client: Client) -> None:
        self.portal = portal
        self.client = client

    def call(self, tool: str, **arguments: Any) -> CallToolResult:
        return self.portal.call(self.client.call_tool, tool, arguments)

    def ask(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """The structured answer."""
        result = self.call(tool, **arguments)
        assert not result.is_error, said(result)
        assert isinstance(result.structured_content, dict)
        return result.structured_content

    def refused(self, tool: str, **arguments: Any) -> str:
        """Why there is no answer."""
        result = self.call(tool, **arguments)
        assert result.is_error, result
        return said(result)


def said(result: CallToolResult) -> str:
    return "\n".join(each.text for each in result.content if each.type == "text")


@contextmanager
def over_stdio(
    portal: BlockingPortal, api: str, key: str | None, log: Path, *, mode: str = "auto"
) -> Iterator[Model]:
    """A server of one's own, as an editor starts it."""
    told = {"SPANLEDGER_API_URL": api} | ({"SPANLEDGER_READ_KEY": key} if key else {})
    with log.open("w") as errors:
        command = StdioServerParameters(
            command=COMMAND[0], args=COMMAND[1:], env=clean(told), cwd="/"
        )
        client = Client(stdio_client(command, errors), mode=mode)
        with portal.wrap_async_context_manager(client) as connected:
            yield Model(portal, connected)


@contextmanager
def over_http(
    portal: BlockingPortal, url: str, key: str | None, *, mode: str = "auto"
) -> Iterator[Model]:
    """One of many callers of a server."""
    with portal.wrap_async_context_manager(_with_key(url, key, mode)) as connected:
        yield Model(portal, connected)


@asynccontextmanager
async def _with_key(url: str, key: str | None, mode: str) -> Any:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    async with httpx2.AsyncClient(headers=headers, timeout=30) as http:
        transport: AbstractAsyncContextManager[Any] = streamable_http_client(url, http_client=http)
        async with Client(transport, mode=mode) as client:
            yield client


@contextmanager
def http_server(api: str, log: Path) -> Iterator[str]:
    """``spanledger mcp --http``; where it answers."""
    with log.open("w") as errors, subprocess.Popen(  # noqa: S603  # this very program
        [*COMMAND, "--http", "127.0.0.1:0"],
        env=clean({"SPANLEDGER_API_URL": api}),
        cwd="/",
        stderr=errors,
    ) as process:  # fmt: skip
        try:
            eventually(lambda: "answers at" in log.read_text() or process.poll(), "it answers")
            found = re.search(r"answers at (\S+)", log.read_text())
            assert found, log.read_text()
            yield found[1]
        finally:
            process.terminate()
            process.wait(PATIENCE)


def clean(told: dict[str, str]) -> dict[str, str]:
    """This process's environment, with no setting but those given."""
    return {k: v for k, v in os.environ.items() if not k.startswith("SPANLEDGER_")} | told
