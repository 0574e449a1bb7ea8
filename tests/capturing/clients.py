"""Calls the clients of models under some instrumentations, for captures of what these send.

    OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4399 MODELS=http://127.0.0.1:9900 \
        python tests/capturing/clients.py SCENARIO INSTRUMENTOR...

INSTRUMENTOR is ``module:Class`` of a package in the venv at hand, such as
``openinference.instrumentation.openai:OpenAIInstrumentor``; or ``openlit``, ``traceloop``,
``langsmith``. Needs the OpenTelemetry SDK and ``opentelemetry-exporter-otlp-proto-http``, the
instrumentation, and the client of the scenario. ``WITH_LOGS=1`` sends log records, too.
The keys of the providers may hold anything. Each scenario says which calls it makes.
"""

import asyncio
import contextlib
import importlib
import json
import os
import sys
from collections.abc import Callable, Iterator

MODELS = os.environ.get("MODELS", "http://127.0.0.1:9900")
HELLO = [{"role": "user", "content": "Say hello."}]


@contextlib.contextmanager
def may_fail() -> Iterator[None]:
    """A call that is to fail, or that this version of a client cannot make."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - whatever it is, the other calls go on
        print(f"failed: {type(error).__name__}: {str(error)[:200]}")  # noqa: T201 - a command


def openai() -> None:
    """OpenAI: 5 chats (1 fails, 1 fails first), 3 streams (1 without usage), responses, vectors."""
    from openai import OpenAI

    client = OpenAI(base_url=f"{MODELS}/v1", api_key="sk-none")
    chat = client.chat.completions
    chat.create(model="gpt-4o-mini", messages=HELLO, user="alice")
    chat.create(model="flaky", messages=HELLO)
    with may_fail():
        client.with_options(max_retries=0).chat.completions.create(
            model="error-429", messages=HELLO
        )
    list(chat.create(model="gpt-4o-mini", messages=HELLO, stream=True))
    usage = {"include_usage": True}
    list(chat.create(model="gpt-4o-mini", messages=HELLO, stream=True, stream_options=usage))
    with may_fail():
        client.responses.create(model="gpt-4o-mini", input="Say hello.")
        list(client.responses.create(model="gpt-4o-mini", input="Say hello.", stream=True))
    client.embeddings.create(model="text-embedding-3-small", input="hello")

    async def later() -> None:
        from openai import AsyncOpenAI

        later = AsyncOpenAI(base_url=f"{MODELS}/v1", api_key="sk-none")
        await later.chat.completions.create(model="gpt-4o-mini", messages=HELLO)
        stream = await later.chat.completions.create(
            model="gpt-4o-mini", messages=HELLO, stream=True, stream_options=usage
        )
        async for _ in stream:
            pass

    asyncio.run(later())


def anthropic() -> None:
    """Anthropic: 2 messages (1 fails), a raw stream, one by the helper, an asynchronous one."""
    from anthropic import Anthropic, AsyncAnthropic

    client = Anthropic(base_url=MODELS, api_key="sk-none", max_retries=0)
    asked = {"model": "claude-sonnet-4-5", "max_tokens": 99, "messages": HELLO}
    client.messages.create(**asked)
    with may_fail():
        client.messages.create(**{**asked, "model": "error-429"})
    list(client.messages.create(**asked, stream=True))
    with may_fail(), client.messages.stream(**asked) as stream:
        stream.get_final_message()

    async def later() -> None:
        later = AsyncAnthropic(base_url=MODELS, api_key="sk-none")
        async for _ in await later.messages.create(**asked, stream=True):
            pass

    with may_fail():
        asyncio.run(later())


def bedrock() -> None:
    """Bedrock: 2 by Converse (1 fails), its stream, and both in Claude's own words."""
    import boto3
    from botocore.config import Config

    client = boto3.client(
        "bedrock-runtime",
        region_name="us-east-1",
        endpoint_url=MODELS,
        config=Config(retries={"max_attempts": 0}),
    )
    claude = "anthropic.claude-3-5-sonnet-20241022-v2:0"
    asked = [{"role": "user", "content": [{"text": "Say hello."}]}]
    client.converse(modelId=claude, messages=asked)
    with may_fail():
        client.converse(modelId="anthropic.error-429", messages=asked)
    with may_fail():
        list(client.converse_stream(modelId=claude, messages=asked)["stream"])
    said = {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 99, "messages": HELLO}
    with may_fail():
        client.invoke_model(modelId=claude, body=json.dumps(said))["body"].read()
    with may_fail():
        body = client.invoke_model_with_response_stream(modelId=claude, body=json.dumps(said))
        list(body["body"])


def gemini() -> None:
    """Gemini: 1 whole, 1 that fails, 1 stream."""
    from google.genai import Client
    from google.genai.types import HttpOptions

    client = Client(api_key="none", http_options=HttpOptions(base_url=MODELS))
    client.models.generate_content(model="gemini-2.5-flash", contents="Say hello.")
    with may_fail():
        client.models.generate_content(model="error-429", contents="Say hello.")
    list(client.models.generate_content_stream(model="gemini-2.5-flash", contents="Say hello."))


def langchain() -> None:
    """LangChain: a chain over OpenAI, Anthropic, one that fails, a stream, and vectors."""
    from langchain_anthropic import ChatAnthropic
    from langchain_core.prompts import ChatPromptTemplate
    from langchain_openai import ChatOpenAI, OpenAIEmbeddings

    os.environ.setdefault("OPENAI_API_KEY", "sk-none")
    at = {"base_url": f"{MODELS}/v1", "max_retries": 0}
    chat = ChatOpenAI(model="gpt-4o-mini", **at)
    chain = ChatPromptTemplate.from_messages([("user", "Say {word}.")]) | chat
    chain.invoke({"word": "hello"})
    list(chain.stream({"word": "hello"}))
    chat.invoke("Say hello.")
    with may_fail():
        ChatOpenAI(model="error-429", **at).invoke("Say hello.")
    claude = ChatAnthropic(
        model="claude-sonnet-4-5", base_url=MODELS, api_key="none", max_retries=0
    )
    claude.invoke("Say hello.")
    list(claude.stream("Say hello."))
    asyncio.run(claude.ainvoke("Say hello."))
    vectors = OpenAIEmbeddings(
        model="text-embedding-3-small", **at, check_embedding_ctx_length=False
    )
    vectors.embed_query("hello")


def langgraph() -> None:
    """LangGraph: an agent that asks for a tool, and answers: 2 chats."""
    from langchain_openai import ChatOpenAI

    def weather(city: str = "Paris") -> str:
        """The weather."""
        return f"Sun in {city}"

    chat = ChatOpenAI(model="gpt-4o-tool", base_url=f"{MODELS}/v1", api_key="sk-none")
    try:
        from langchain.agents import create_agent

        agent = create_agent(chat, [weather])
    except ImportError:
        from langgraph.prebuilt import create_react_agent

        agent = create_react_agent(chat, [weather])
    agent.invoke({"messages": [("user", "How is the weather?")]})


def openai_agents() -> None:
    """OpenAI's agents: a tool by responses and by chats (2 calls each), a stream, a failure."""
    from agents import (
        Agent,
        OpenAIChatCompletionsModel,
        OpenAIResponsesModel,
        Runner,
        function_tool,
    )
    from openai import AsyncOpenAI

    @function_tool
    def weather() -> str:
        """The weather."""
        return "Sun"

    async def run() -> None:
        client = AsyncOpenAI(base_url=f"{MODELS}/v1", api_key="sk-none", max_retries=0)
        for kind in (OpenAIResponsesModel, OpenAIChatCompletionsModel):
            model = kind("gpt-4o-tool", client)
            agent = Agent(name="forecaster", model=model, tools=[weather])
            await Runner.run(agent, "How is the weather?")
        plain = Agent(name="greeter", model=OpenAIResponsesModel("gpt-4o-mini", client))
        streamed = Runner.run_streamed(plain, "Say hello.")
        async for _ in streamed.stream_events():
            pass
        failing = Agent(name="failing", model=OpenAIResponsesModel("error-429", client))
        with may_fail():
            await Runner.run(failing, "Say hello.")

    asyncio.run(run())


def litellm() -> None:
    """LiteLLM: OpenAI, Anthropic, one that fails, and a stream of each."""
    import litellm as lite

    at = {"messages": HELLO, "api_key": "none"}
    chat = {"api_base": f"{MODELS}/v1", **at}
    lite.completion(model="openai/gpt-4o-mini", **chat)
    lite.completion(model="anthropic/claude-sonnet-4-5", api_base=MODELS, **at)
    with may_fail():
        lite.completion(model="openai/error-429", num_retries=0, max_retries=0, **chat)
    list(lite.completion(model="openai/gpt-4o-mini", stream=True, **chat))
    usage = {"stream_options": {"include_usage": True}}
    list(lite.completion(model="openai/gpt-4o-mini", stream=True, **usage, **chat))
    list(lite.completion(model="anthropic/claude-sonnet-4-5", api_base=MODELS, stream=True, **at))
    lite.embedding(
        model="openai/text-embedding-3-small",
        input="hello",
        api_base=f"{MODELS}/v1",
        api_key="none",
    )


def smolagents() -> None:
    """smolagents: a tool-calling agent over OpenAI's protocol: 2 chats."""
    from smolagents import OpenAIServerModel, ToolCallingAgent, tool

    @tool
    def weather() -> str:
        """The weather."""
        return "Sun"

    model = OpenAIServerModel(model_id="gpt-4o-tool", api_base=f"{MODELS}/v1", api_key="none")
    with may_fail():
        ToolCallingAgent(tools=[weather], model=model, max_steps=2).run("How is the weather?")


def llama_index() -> None:
    """LlamaIndex: a chat, a stream, a completion asked as chat, one that fails."""
    from llama_index.core.llms import ChatMessage
    from llama_index.llms.openai import OpenAI

    at = {"api_base": f"{MODELS}/v1", "api_key": "none", "max_retries": 0}
    chat = OpenAI(model="gpt-4o-mini", **at)
    asked = [ChatMessage(role="user", content="Say hello.")]
    chat.chat(asked)
    list(chat.stream_chat(asked))
    chat.complete("Say hello.")
    with may_fail():
        OpenAI(model="gpt-4", additional_kwargs={"model": "error-429"}, **at).chat(asked)


def others() -> None:
    """Cohere, Mistral, Groq, Ollama and Together: a chat each, streams where they have them."""
    with may_fail():
        import cohere

        client = cohere.ClientV2(api_key="none", base_url=MODELS)
        client.chat(model="command-r", messages=HELLO)
        list(client.chat_stream(model="command-r", messages=HELLO))
    with may_fail():
        from groq import Groq

        fast = Groq(api_key="none", base_url=MODELS)
        fast.chat.completions.create(model="llama-3.3-70b-versatile", messages=HELLO)
        list(
            fast.chat.completions.create(
                model="llama-3.3-70b-versatile", messages=HELLO, stream=True
            )
        )
    with may_fail():
        try:
            from mistralai import Mistral
        except ImportError:
            from mistralai.client import Mistral
        wind = Mistral(api_key="none", server_url=MODELS)
        wind.chat.complete(model="mistral-small-latest", messages=HELLO)
        list(wind.chat.stream(model="mistral-small-latest", messages=HELLO))
        wind.embeddings.create(model="mistral-embed", inputs=["hello"])
    with may_fail():
        import ollama

        local = ollama.Client(host=MODELS)
        local.chat(model="llama3.2", messages=HELLO)
        list(local.chat(model="llama3.2", messages=HELLO, stream=True))
    with may_fail():
        from together import Together

        shared = Together(api_key="none", base_url=f"{MODELS}/v1")
        shared.chat.completions.create(model="meta-llama/Llama-3.3-70B", messages=HELLO)


def langsmith() -> None:
    """LangSmith's wrappers and a traced function around them: 2 chats, 2 streams, 2 messages."""
    from anthropic import Anthropic
    from langsmith import traceable
    from langsmith.wrappers import wrap_openai
    from openai import OpenAI

    chat = wrap_openai(OpenAI(base_url=f"{MODELS}/v1", api_key="sk-none", max_retries=0))

    @traceable(run_type="chain", metadata={"team": "search", "user_id": "alice"})
    def answer(word: str) -> str:
        create = chat.chat.completions.create
        create(model="gpt-4o-mini", messages=HELLO)
        asked = {"model": "gpt-4o-mini", "messages": HELLO, "stream": True}
        list(create(**asked))
        list(create(**asked, stream_options={"include_usage": True}))
        with may_fail():
            create(model="error-429", messages=HELLO)
        with may_fail():
            chat.responses.create(model="gpt-4o-mini", input="Say hello.")
        return word

    answer("hello")
    with may_fail():
        from langsmith.wrappers import wrap_anthropic

        claude = wrap_anthropic(Anthropic(base_url=MODELS, api_key="none", max_retries=0))
        asked = {"model": "claude-sonnet-4-5", "max_tokens": 99, "messages": HELLO}
        claude.messages.create(**asked)
        list(claude.messages.create(**asked, stream=True))


def workflow() -> None:
    """Traceloop's decorators around an agent of LangGraph and a chat: 3 chats of a team's."""
    from openai import OpenAI
    from traceloop.sdk import Traceloop
    from traceloop.sdk.decorators import task
    from traceloop.sdk.decorators import workflow as traced

    @task(name="ask")
    def ask() -> None:
        client = OpenAI(base_url=f"{MODELS}/v1", api_key="sk-none")
        client.chat.completions.create(model="gpt-4o-mini", messages=HELLO)

    @traced(name="answer")
    def answer() -> None:
        told = {"user_id": "alice", "session_id": "s-1", "team": "search"}
        Traceloop.set_association_properties(told)
        ask()
        langgraph()

    answer()


SCENARIOS: dict[str, Callable[[], None]] = {
    each.__name__: each
    for each in (
        openai, anthropic, bedrock, gemini, langchain, langgraph, openai_agents, litellm,
        smolagents, llama_index, others, langsmith, workflow,
    )
}  # fmt: skip


def instrument(name: str) -> None:
    """Switches one instrumentation on."""
    if name == "openlit":
        import openlit

        openlit.init(otlp_endpoint=os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"])
        return
    if name == "traceloop":
        from traceloop.sdk import Traceloop

        Traceloop.init(
            app_name="checkout-svc", api_endpoint=os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"]
        )
        return
    if name == "langsmith":
        told = {"TRACING": "true", "OTEL_ENABLED": "true", "API_KEY": "none", "ENDPOINT": MODELS}
        os.environ.update({f"LANGSMITH_{key}": value for key, value in told.items()})
        if not os.environ.get("HYBRID"):
            os.environ["LANGSMITH_OTEL_ONLY"] = "true"
        return
    module, _, instrumentor = name.partition(":")
    getattr(importlib.import_module(module), instrumentor)().instrument()


def provide() -> Callable[[], None]:
    """Sets up traces and logs; answers what sends the rest of them."""
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    ends = [provider.force_flush]
    if os.environ.get("WITH_LOGS"):
        from opentelemetry._logs import set_logger_provider
        from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
        from opentelemetry.sdk._logs import LoggerProvider
        from opentelemetry.sdk._logs.export import BatchLogRecordProcessor

        logs = LoggerProvider()
        logs.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter()))
        set_logger_provider(logs)
        ends.append(logs.force_flush)
    return lambda: [end() for end in ends] and None


if __name__ == "__main__":
    scenario, *instrumentors = sys.argv[1:]
    own = {"openlit", "traceloop"}.intersection(instrumentors)
    flush = (lambda: None) if own else provide()
    for each in instrumentors:
        instrument(each)
    SCENARIOS[scenario]()
    if "langsmith" in instrumentors:
        from langsmith.run_trees import get_cached_client

        get_cached_client().flush()
    flush()
    if own:
        from opentelemetry import trace

        trace.get_tracer_provider().force_flush()
