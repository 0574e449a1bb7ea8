"""Calls through OpenAI's and Anthropic's clients and Pydantic AI, instrumented by Logfire.

Needs ``logfire``, ``openai``, ``anthropic``, ``pydantic-ai-slim[openai,anthropic]`` and
``opentelemetry-exporter-otlp-proto-http``. Say where models and recorder are in ``MODELS`` and
``OTEL_EXPORTER_OTLP_ENDPOINT``; arguments choose scenes: openai, anthropic, agents, and "outer"
for a span around all.
"""

import asyncio
import os
import sys
from contextlib import nullcontext, suppress

import logfire
from anthropic import Anthropic, AsyncAnthropic
from openai import AsyncOpenAI, OpenAI
from pydantic_ai import Agent
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider

MODELS = os.environ["MODELS"]
SCENES = sys.argv[1:]
HI = [{"role": "user", "content": "hi"}]

logfire.configure(send_to_logfire=False, console=False, service_name="checkout-svc")
openai = OpenAI(base_url=f"{MODELS}/v1", api_key="sk-test")
claude = Anthropic(base_url=MODELS, api_key="sk-test")
if "agents" in SCENES:
    logfire.instrument_pydantic_ai()
    logfire.instrument_openai()
    logfire.instrument_anthropic()
else:
    logfire.instrument_openai(openai)
    logfire.instrument_anthropic(claude)


def read(stream: object) -> None:
    for _ in stream:
        pass


def call_openai() -> None:
    chat = openai.chat.completions.create
    chat(model="gpt-4o-mini", messages=HI)
    read(
        chat(model="gpt-4o-mini", messages=HI, stream=True, stream_options={"include_usage": True})
    )
    read(
        chat(model="gpt-4o-mini", messages=HI, stream=True, stream_options={"include_usage": True})
    )
    read(chat(model="gpt-4o-mini", messages=HI, stream=True))
    openai.responses.create(model="gpt-4o-mini", input="hi")
    read(openai.responses.create(model="gpt-4o-mini", input="hi", stream=True))
    openai.embeddings.create(model="text-embedding-3-small", input="hello")
    chat(model="flaky", messages=HI)
    with suppress(Exception):
        chat(model="error-429", messages=HI)
    with suppress(Exception):
        chat(model="error-429", messages=HI, stream=True)


def call_anthropic() -> None:
    told = {"model": "claude-sonnet-4-5", "max_tokens": 100, "messages": HI}
    claude.messages.create(**told)
    read(claude.messages.create(**told, stream=True))
    with claude.messages.stream(**told) as stream:
        read(stream.text_stream)
    with suppress(Exception):
        claude.messages.create(**{**told, "model": "error-429"})


async def call_at_once() -> None:
    """Streams of one model at the same time."""
    client = AsyncOpenAI(base_url=f"{MODELS}/v1", api_key="sk-test")
    logfire.instrument_openai(client)

    async def one() -> None:
        stream = await client.chat.completions.create(
            model="gpt-4o", messages=HI, stream=True, stream_options={"include_usage": True}
        )
        async for _ in stream:
            pass

    await asyncio.gather(one(), one(), one())
    native = AsyncAnthropic(base_url=MODELS, api_key="sk-test")
    logfire.instrument_anthropic(native)
    await native.messages.create(model="claude-opus-4-5", max_tokens=100, messages=HI)


async def call_agents() -> None:
    gpt = OpenAIChatModel(
        "gpt-4o-mini", provider=OpenAIProvider(base_url=f"{MODELS}/v1", api_key="sk-test")
    )
    sonnet = AnthropicModel(
        "claude-sonnet-4-5", provider=AnthropicProvider(base_url=MODELS, api_key="sk-test")
    )
    for model in (gpt, sonnet):
        await Agent(model, name="helper").run("hi")
        async with Agent(model, name="streamer").run_stream("hi") as result:
            async for _ in result.stream_text():
                pass


with logfire.span("checkout") if "outer" in SCENES else nullcontext():
    if "openai" in SCENES:
        call_openai()
    if "anthropic" in SCENES:
        call_anthropic()
    if "async" in SCENES:
        asyncio.run(call_at_once())
    if "agents" in SCENES:
        asyncio.run(call_agents())
logfire.force_flush()
