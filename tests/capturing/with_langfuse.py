"""Calls through Langfuse's SDK: its OpenAI client, LangChain handler, manual generations.

Needs ``langfuse``, ``openai``, ``anthropic``, ``langchain``, ``langchain-openai`` and
``langchain-anthropic``. Say where models and recorder are in ``MODELS`` and ``LANGFUSE_HOST``,
with any ``LANGFUSE_PUBLIC_KEY`` and ``LANGFUSE_SECRET_KEY``; arguments choose scenes: openai,
langchain, at_once, manual, native.
"""

import asyncio
import os
import sys
from contextlib import suppress

from anthropic import Anthropic
from langchain_anthropic import ChatAnthropic
from langchain_core.prompts import ChatPromptTemplate
from langchain_openai import ChatOpenAI
from langfuse import get_client
from langfuse.langchain import CallbackHandler
from langfuse.openai import OpenAI

MODELS = os.environ["MODELS"]
SCENES = sys.argv[1:]
HI = [{"role": "user", "content": "hi"}]
langfuse = get_client()


def read(stream: object) -> None:
    for _ in stream:
        pass


def call_openai() -> None:
    client = OpenAI(base_url=f"{MODELS}/v1", api_key="sk-test")
    chat = client.chat.completions.create
    told = {"model": "gpt-4o-mini", "messages": HI}
    about = {"langfuse_user_id": "u-7", "langfuse_session_id": "s-9", "team": "search"}
    chat(**told, name="greeting", metadata=about)
    read(chat(**told, stream=True, stream_options={"include_usage": True}))
    read(chat(**told, stream=True))
    client.responses.create(model="gpt-4o-mini", input="hi")
    read(client.responses.create(model="gpt-4o-mini", input="hi", stream=True))
    client.embeddings.create(model="text-embedding-3-small", input="hello")
    chat(model="flaky", messages=HI)
    with suppress(Exception):
        chat(model="error-429", messages=HI)


def call_langchain() -> None:
    about = {"langfuse_user_id": "u-7", "langfuse_session_id": "s-9", "team": "search"}
    how = {"callbacks": [CallbackHandler()], "metadata": about}
    reach = {"base_url": f"{MODELS}/v1", "api_key": "sk-test"}
    gpt = ChatOpenAI(model="gpt-4o-mini", **reach)
    chain = ChatPromptTemplate.from_template("say {it}") | gpt
    chain.invoke({"it": "hi"}, config=how)
    read(ChatOpenAI(model="gpt-4o-mini", stream_usage=True, **reach).stream("hi", config=how))
    read(ChatOpenAI(model="gpt-4o-mini", stream_usage=False, **reach).stream("hi", config=how))
    ChatOpenAI(model="gpt-4o-mini", use_responses_api=True, **reach).invoke("hi", config=how)
    sonnet = ChatAnthropic(model="claude-sonnet-4-5", base_url=MODELS, api_key="sk-test")
    sonnet.invoke("hi", config=how)
    read(sonnet.stream("hi", config=how))
    with suppress(Exception):
        ChatOpenAI(model="error-429", **reach).invoke("hi", config=how)


def call_at_once() -> None:
    """Asynchronous calls of LangChain: the wrapper does not know the handler's span."""
    from langchain_openai import ChatOpenAI

    how = {"callbacks": [CallbackHandler()]}
    reach = {"base_url": f"{MODELS}/v1", "api_key": "sk-test", "max_retries": 0}
    gpt = ChatOpenAI(model="gpt-4o-mini", stream_usage=True, **reach)
    failing = ChatOpenAI(model="error-429", **reach)

    async def stream() -> None:
        async for _ in gpt.astream("hi", config=how):
            pass

    async def calls() -> None:
        await asyncio.gather(*(gpt.ainvoke("hi", config=how) for _ in range(4)))
        await asyncio.gather(*(stream() for _ in range(4)))
        failed = (failing.ainvoke("hi", config=how) for _ in range(2))
        await asyncio.gather(*failed, return_exceptions=True)

    asyncio.run(calls())


def call_manual() -> None:
    """As an application does it that has a client of its own."""
    begin = getattr(langfuse, "start_as_current_observation", None)
    how = {"as_type": "generation", "name": "own", "model": "claude-sonnet-4-5"}
    usage = {
        "input": 300,
        "cache_read_input_tokens": 580,
        "cache_creation_input_tokens": 120,
        "output": 50,
    }
    with begin(as_type="agent", name="planner"):
        with begin(**how) as generation:
            generation.update(output="Hello", usage_details=usage, cost_details={"total": 0.0023})
        with begin(**{**how, "model": "gpt-4o-mini"}) as generation:
            generation.update(output="Hello", usage_details={"input": 1000, "output": 50})
        with begin(as_type="embedding", name="embed", model="text-embedding-3-small") as embedding:
            embedding.update(usage_details={"input": 11})
        with suppress(ValueError), begin(**how):
            raise ValueError("no answer")


def call_native() -> None:
    """Anthropic's own spans, which the SDK's exporter forwards."""
    client = Anthropic(base_url=MODELS, api_key="sk-test")
    with langfuse.start_as_current_observation(as_type="span", name="checkout"):
        client.messages.create(model="claude-sonnet-4-5", max_tokens=99, messages=HI)
    client.messages.create(model="claude-sonnet-4-5", max_tokens=99, messages=HI)


for scene in SCENES:
    {
        "openai": call_openai,
        "langchain": call_langchain,
        "at_once": call_at_once,
        "manual": call_manual,
        "native": call_native,
    }[scene]()
langfuse.flush()
