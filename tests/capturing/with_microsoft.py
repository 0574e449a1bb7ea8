"""Calls through Semantic Kernel, the Agent Framework, Azure AI Inference, or Azure's OpenAI client.

    MODELS=... OTEL_EXPORTER_OTLP_ENDPOINT=... SEMANTICKERNEL_EXPERIMENTAL_GENAI_ENABLE_OTEL_DIAGNOSTICS=true \
        python tests/capturing/with_microsoft.py semantic_kernel|agent_framework|inference|openai [INSTRUMENTOR...]

Needs ``semantic-kernel``; or ``agent-framework-core`` and ``agent-framework-openai``; or
``azure-ai-inference``, ``azure-core-tracing-opentelemetry`` and ``aiohttp``; or ``openai``. The last
two take Azure's hosts to be this machine, so that they name the host that they would call.
"""  # noqa: E501 - a command

import asyncio
import os
import socket
import sys
from typing import Any
from urllib.parse import urlsplit

from clients import HELLO, MODELS, may_fail
from instrumented import instrument, provide

REAL = socket.getaddrinfo
PORT = urlsplit(MODELS).port


def here(host: Any, *where: Any, **how: Any) -> Any:
    name = host.decode() if isinstance(host, bytes) else host or ""
    return REAL("127.0.0.1" if name.endswith(".azure.com") else host, *where, **how)


async def semantic_kernel() -> None:
    """10 calls: vectors, 1 fails, 1 fails first, a stream, a function (2), a prompt, an agent."""
    from openai import AsyncOpenAI
    from semantic_kernel import Kernel
    from semantic_kernel.agents import ChatCompletionAgent
    from semantic_kernel.connectors.ai.function_choice_behavior import FunctionChoiceBehavior
    from semantic_kernel.connectors.ai.open_ai import (
        OpenAIChatCompletion,
        OpenAIChatPromptExecutionSettings,
        OpenAITextEmbedding,
    )
    from semantic_kernel.contents import ChatHistory
    from semantic_kernel.functions import kernel_function

    class Weather:
        @kernel_function(name="weather", description="Tell the weather.")
        def weather(self) -> str:
            return "sunny"

    client = AsyncOpenAI(base_url=f"{MODELS}/v1", api_key="none", max_retries=1)
    plain = OpenAIChatPromptExecutionSettings()
    said = ChatHistory()
    said.add_user_message("Say hello.")

    def model(name: str) -> OpenAIChatCompletion:
        return OpenAIChatCompletion(ai_model_id=name, async_client=client, service_id=name)

    for name in ("gpt-4o-mini", "error-429", "flaky"):
        with may_fail():
            await model(name).get_chat_message_contents(said, plain)
    async for _ in model("gpt-4o-mini").get_streaming_chat_message_contents(said, plain):
        pass
    kernel = Kernel()
    kernel.add_plugin(Weather(), "weather")
    kernel.add_service(model("gpt-4o-tool"))
    calls = OpenAIChatPromptExecutionSettings(
        function_choice_behavior=FunctionChoiceBehavior.Auto()
    )
    await model("gpt-4o-tool").get_chat_message_contents(said, calls, kernel=kernel)
    await kernel.invoke_prompt("Say hello.", service_id="gpt-4o-tool")
    agent = ChatCompletionAgent(service=model("gpt-4o-mini"), name="helper", instructions="Help.")
    await agent.get_response(messages="hello")
    vectors = OpenAITextEmbedding(ai_model_id="text-embedding-3-small", async_client=client)
    await vectors.generate_embeddings(["hello"])


async def agent_framework() -> None:
    """8 calls: an agent, a tool (2), a response, 1 fails, 1 fails first, a stream, one alone."""
    from agent_framework import Agent, Message, observability
    from agent_framework.openai import OpenAIChatClient, OpenAIChatCompletionClient
    from openai import AsyncOpenAI

    observability.enable_instrumentation()
    client = AsyncOpenAI(base_url=f"{MODELS}/v1", api_key="none", max_retries=1)

    def weather(city: str = "Paris") -> str:
        """Tell the weather."""
        return f"sunny in {city}"

    def agent(name: str, model: str, kind: Any = OpenAIChatCompletionClient, **more: Any) -> Agent:
        asks = kind(model=model, async_client=client)
        return Agent(client=asks, name=name, instructions="Help.", **more)

    helper = agent("helper", "gpt-4o-mini")
    await helper.run("hello")
    await agent("tooler", "gpt-4o-tool", tools=[weather]).run("hello")
    await agent("responder", "gpt-4o-mini", OpenAIChatClient).run("hello")
    with may_fail():
        await agent("limited", "error-429").run("hello")
    await agent("flaky", "flaky").run("hello")
    async for _ in helper.run("hello", stream=True):
        pass
    alone = OpenAIChatCompletionClient(model="gpt-4o-mini", async_client=client)
    await alone.get_response([Message("user", ["hello"])])


async def inference() -> None:
    """8 calls: 1 fails, 1 fails first, 2 streams (1 without usage), vectors (not told), 1 later."""
    from azure.ai.inference import ChatCompletionsClient, EmbeddingsClient
    from azure.ai.inference.aio import ChatCompletionsClient as Later
    from azure.ai.inference.models import UserMessage
    from azure.ai.inference.tracing import AIInferenceInstrumentor
    from azure.core.credentials import AzureKeyCredential
    from azure.core.settings import settings

    settings.tracing_implementation = "opentelemetry"
    AIInferenceInstrumentor().instrument()
    there = f"http://shop-eu.services.ai.azure.com:{PORT}/models", AzureKeyCredential("none")
    client, said = ChatCompletionsClient(*there), [UserMessage("Say hello.")]
    for name in ("gpt-4o-mini", "Phi-4", "error-429", "flaky"):
        with may_fail():
            client.complete(messages=said, model=name)
    list(client.complete(messages=said, model="gpt-4o-mini", stream=True))
    told = {"stream_options": {"include_usage": True}}
    list(client.complete(messages=said, model="gpt-4o-mini", stream=True, model_extras=told))
    EmbeddingsClient(*there).embed(input=["hello"], model="text-embedding-3-small")
    async with Later(*there) as later:
        await later.complete(messages=said, model="gpt-4o")


async def openai() -> None:
    """4 calls: a chat, a stream, vectors, 1 fails."""
    from openai import AzureOpenAI

    endpoint = f"http://shop-eu.openai.azure.com:{PORT}"
    client = AzureOpenAI(
        azure_endpoint=endpoint, api_key="none", api_version="2024-10-21", max_retries=0
    )
    chat, told = client.chat.completions.create, {"include_usage": True}
    chat(model="gpt-4o-mini", messages=HELLO)
    list(chat(model="gpt-4o-mini", messages=HELLO, stream=True, stream_options=told))
    client.embeddings.create(model="text-embedding-3-small", input="hello")
    with may_fail():
        chat(model="error-429", messages=HELLO)


SCENARIOS = {
    scenario.__name__: scenario
    for scenario in (semantic_kernel, agent_framework, inference, openai)
}

if __name__ == "__main__":
    socket.getaddrinfo = here
    os.environ.setdefault("ENABLE_INSTRUMENTATION", "true")
    flush = provide()
    for name in sys.argv[2:]:
        instrument(name)
    asyncio.run(SCENARIOS[sys.argv[1]]())
    flush()
