"""Calls models through frameworks, for ``instrumented.py``; each scenario says which calls."""

import asyncio
import os
from collections.abc import Callable

from clients import HELLO, MODELS, may_fail


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
        langchain,
        langgraph,
        openai_agents,
        litellm,
        smolagents,
        llama_index,
        langsmith,
        workflow,
    )
}
