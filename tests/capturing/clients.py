"""Calls the clients of models, for ``instrumented.py``. Each scenario says which calls it makes."""

import asyncio
import contextlib
import json
import os
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


SCENARIOS: dict[str, Callable[[], None]] = {
    each.__name__: each for each in (openai, anthropic, bedrock, gemini, others)
}
