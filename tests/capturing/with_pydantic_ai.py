"""Calls through Pydantic AI: agents, tools, streams, embeddings, errors.

Needs ``pydantic-ai-slim[openai,anthropic,google]`` and ``opentelemetry-exporter-otlp-proto-http``.
Say where models and recorder are in ``MODELS`` and ``OTEL_EXPORTER_OTLP_ENDPOINT``; the first
argument is the version of the instrumentation, further ones choose scenes.
"""

import asyncio
import inspect
import os
import sys
from contextlib import suppress

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from pydantic_ai import Agent
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.instrumented import InstrumentationSettings, InstrumentedModel
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider

MODELS = os.environ["MODELS"]
VERSION = int(sys.argv[1])
SCENES = sys.argv[2:]

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
known = inspect.signature(InstrumentationSettings).parameters
options = {"version": VERSION}
if "plain-usage" in SCENES:
    options["use_aggregated_usage_attribute_names"] = False
if "no-content" in SCENES:
    options["include_content"] = False
settings = InstrumentationSettings(**{k: v for k, v in options.items() if k in known})
Agent.instrument_all(settings)

openai = OpenAIProvider(base_url=f"{MODELS}/v1", api_key="sk-test")
claude = AnthropicProvider(base_url=MODELS, api_key="sk-test")


def agent(model: object, name: str) -> Agent:
    made = Agent(model, name=name)

    @made.tool_plain
    def weather() -> str:
        """Tell the weather."""
        return "sunny"

    return made


async def stream(model: object, name: str) -> None:
    async with agent(model, name).run_stream("hi") as result:
        async for _ in result.stream_text():
            pass


async def main() -> None:
    await agent(OpenAIChatModel("gpt-4o-mini-tool", provider=openai), "helper").run("weather?")
    await agent(OpenAIResponsesModel("gpt-4o-mini", provider=openai), "answerer").run("hi")
    await agent(AnthropicModel("claude-sonnet-4-5", provider=claude), "writer").run("hi")
    if "google" in SCENES:
        from pydantic_ai.models.google import GoogleModel
        from pydantic_ai.providers.google import GoogleProvider

        gemini = GoogleProvider(api_key="k", base_url=MODELS)
        await agent(GoogleModel("gemini-2.5-flash", provider=gemini), "g").run("hi")
    await stream(OpenAIChatModel("gpt-4o-mini", provider=openai), "streamer")
    await stream(OpenAIResponsesModel("gpt-4o-mini", provider=openai), "streamer")
    await stream(AnthropicModel("claude-sonnet-4-5", provider=claude), "streamer")
    await agent(OpenAIChatModel("flaky", provider=openai), "helper").run("hi")
    with suppress(Exception):
        await agent(OpenAIChatModel("error-429", provider=openai), "helper").run("hi")
    if "embeddings" in SCENES:
        from pydantic_ai import Embedder
        from pydantic_ai.embeddings.openai import OpenAIEmbeddingModel

        model = OpenAIEmbeddingModel("text-embedding-3-small", provider=openai)
        await Embedder(model, instrument=settings).embed_query("hello")
    if "direct" in SCENES:
        from pydantic_ai.direct import model_request
        from pydantic_ai.messages import ModelRequest

        model = InstrumentedModel(OpenAIChatModel("gpt-4o", provider=openai), settings)
        await model_request(model, [ModelRequest.user_text_prompt("hi")])


asyncio.run(main())
provider.force_flush()
