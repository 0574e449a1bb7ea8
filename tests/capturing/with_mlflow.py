"""Calls under MLflow's autologging of OpenAI, Anthropic and LangChain, sent by OTLP.

Needs ``mlflow-skinny``, ``numpy``, ``pandas``, ``openai``, ``anthropic``, ``langchain-openai`` and
the OTLP exporter. Say ``OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`` (with ``/v1/traces``) and
``OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf``. With ``at_once`` as argument: LangChain's
asynchronous calls alone.
"""

import asyncio
import sys
import time

import clients
import mlflow
from clients import HELLO, MODELS, may_fail


@mlflow.trace(span_type="AGENT")
def agent() -> None:
    """A span of one's own around a call."""
    from openai import OpenAI

    client = OpenAI(base_url=f"{MODELS}/v1", api_key="none")
    client.chat.completions.create(model="gpt-4o", messages=HELLO)


async def later() -> None:
    from openai import AsyncOpenAI

    client = AsyncOpenAI(base_url=f"{MODELS}/v1", api_key="none")
    await client.chat.completions.create(model="gpt-4o-mini", messages=HELLO)


def chain() -> None:
    """LangChain over OpenAI: a chain, a stream, and one that fails."""
    from langchain_core.prompts import ChatPromptTemplate
    from langchain_openai import ChatOpenAI

    at = {"base_url": f"{MODELS}/v1", "api_key": "none"}
    model = ChatOpenAI(model="gpt-4o-mini", **at)
    (ChatPromptTemplate.from_messages([("user", "{word}")]) | model).invoke({"word": "hello"})
    list(model.stream("hello"))
    with may_fail():
        ChatOpenAI(model="error-429", max_retries=0, **at).invoke("hello")


async def at_once() -> None:
    """Asynchronous calls of LangChain over OpenAI: the two log into traces of their own."""
    from langchain_openai import ChatOpenAI

    at = {"base_url": f"{MODELS}/v1", "api_key": "none", "max_retries": 0}
    model = ChatOpenAI(model="gpt-4o-mini", stream_usage=True, **at)
    failing = ChatOpenAI(model="error-429", **at)

    async def stream() -> None:
        async for _ in model.astream("hi"):
            pass

    await asyncio.gather(*(model.ainvoke("hi") for _ in range(4)))
    await asyncio.gather(*(stream() for _ in range(4)))
    await asyncio.gather(*(failing.ainvoke("hi") for _ in range(2)), return_exceptions=True)


if __name__ == "__main__":
    for flavour in ("openai", "anthropic", "langchain"):
        with may_fail():
            getattr(mlflow, flavour).autolog()
    if "at_once" in sys.argv:
        asyncio.run(at_once())
    else:
        clients.openai()
        clients.anthropic()
        asyncio.run(later())
        with may_fail():
            chain()
        agent()
    time.sleep(8)  # its batches leave after 5 s
