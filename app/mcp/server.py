"""The MCP server: what it offers, and who asks when a tool is called."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.metadata import version

import httpx2
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    GetPromptRequestParams,
    GetPromptResult,
    ListPromptsResult,
    ListResourcesResult,
    ListToolsResult,
    PaginatedRequestParams,
    Prompt,
    PromptArgument,
    PromptMessage,
    ReadResourceRequestParams,
    ReadResourceResult,
    Resource,
    TextContent,
    TextResourceContents,
)
from starlette.requests import Request

from app.mcp import words
from app.mcp.asking import Api, client_of
from app.mcp.offered import TOOLS
from app.mcp.untrusted import plain_text

Context = ServerRequestContext[httpx2.AsyncClient, Request]
HeaderOf = Callable[[Context], str | None]
"""A header that the API is asked with for a request; None: without it."""


def mcp_server(
    api_url: str, authorization_of: HeaderOf, forwarded_of: HeaderOf = lambda _context: None
) -> Server[httpx2.AsyncClient]:
    """A server that asks the API at an address, each time with the key of whoever asks.

    ``forwarded_of`` gives where they come from, as X-Forwarded-For has it.
    """

    @asynccontextmanager
    async def asks(_server: Server[httpx2.AsyncClient]) -> AsyncIterator[httpx2.AsyncClient]:
        async with client_of(api_url) as client:
            yield client

    async def call_tool(context: Context, asked: CallToolRequestParams) -> CallToolResult:
        tool = TOOLS.get(asked.name)
        if tool is None:
            raise MCPError(INVALID_PARAMS, f"There is no tool {plain_text(asked.name, 100)!r}")
        client = context.lifespan_context
        api = Api(client, authorization_of(context), forwarded_of(context))
        return await tool.call(api, asked.arguments or {})

    return Server(
        "spanledger",
        version=version("spanledger"),
        title="spanledger",
        description="What calls to AI models cost, who pays, and how they went.",
        instructions=words.INSTRUCTIONS,
        lifespan=asks,
        on_list_tools=_list_tools,
        on_call_tool=call_tool,
        on_list_resources=_list_resources,
        on_read_resource=_read_resource,
        on_list_prompts=_list_prompts,
        on_get_prompt=_get_prompt,
    )


async def _list_tools(_: Context, __: PaginatedRequestParams | None) -> ListToolsResult:
    return ListToolsResult(tools=[tool.offer() for tool in TOOLS.values()])


async def _list_resources(_: Context, __: PaginatedRequestParams | None) -> ListResourcesResult:
    told = "What the words in answers mean."
    offer = Resource(
        uri=words.WORDS_URI, name="words", title="Words", description=told, mime_type="text/plain"
    )
    return ListResourcesResult(resources=[offer])


async def _read_resource(_: Context, asked: ReadResourceRequestParams) -> ReadResourceResult:
    if str(asked.uri) != words.WORDS_URI:
        raise MCPError(INVALID_PARAMS, f"There is no such resource: there is {words.WORDS_URI}")
    text = TextResourceContents(uri=asked.uri, mime_type="text/plain", text=words.WORDS)
    return ReadResourceResult(contents=[text])


async def _list_prompts(_: Context, __: PaginatedRequestParams | None) -> ListPromptsResult:
    month = PromptArgument(name="month", description="Such as 2026-10.", required=True)
    team = PromptArgument(name="team", description="Of one team; else of all.", required=False)
    offer = Prompt(
        name=words.PROMPT,
        title=words.PROMPT_TITLE,
        description="Asks for the reasons of a month's difference to the month before.",
        arguments=[month, team],
    )
    return ListPromptsResult(prompts=[offer])


async def _get_prompt(_: Context, asked: GetPromptRequestParams) -> GetPromptResult:
    if asked.name != words.PROMPT:
        raise MCPError(INVALID_PARAMS, f"There is no such prompt: there is {words.PROMPT}")
    arguments = asked.arguments or {}
    if "month" not in arguments:
        raise MCPError(INVALID_PARAMS, "month: Field required")
    said = TextContent(text=words.prompt(arguments))
    return GetPromptResult(messages=[PromptMessage(role="user", content=said)])
