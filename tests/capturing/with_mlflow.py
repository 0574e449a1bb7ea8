"""Calls under MLflow's autologging of OpenAI, Anthropic and LangChain, sent by OTLP.

Needs ``mlflow-skinny``, ``numpy``, ``pandas``, ``openai``, ``anthropic``, ``langchain-openai`` and
the OTLP exporter. Say ``OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`` (with ``/v1/traces``) and
``OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf``.
"""

import asyncio
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


if __name__ == "__main__":
    for flavour in ("openai", "anthropic", "langchain"):
        with may_fail():
            getattr(mlflow, flavour).autolog()
    clients.openai()
    clients.anthropic()
    asyncio.run(later())
    with may_fail():
        chain()
    agent()
    time.sleep(8)  # its batches leave after 5 s
