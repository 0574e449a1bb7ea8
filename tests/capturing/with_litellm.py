"""Calls through LiteLLM's SDK or its proxy, with its ``otel`` callback.

    MODELS=http://127.0.0.1:9900 OTEL_EXPORTER=otlp_http OTEL_EXPORTER_OTLP_ENDPOINT=... \
        python tests/capturing/with_litellm.py [proxy [client] [httpx] [cache]]

Needs ``litellm[proxy]``, ``openai``, the OTLP exporters (HTTP and gRPC); for the words behind
``proxy`` also the instrumentations of OpenAI (genai) and of httpx. Switches of LiteLLM's:
``OTEL_SEMCONV_STABILITY_OPT_IN=gen_ai_latest_experimental``, ``LITELLM_OTEL_V2=true``,
``USE_OTEL_LITELLM_REQUEST_SPAN=true``, ``LITELLM_OTEL_INTEGRATION_ENABLE_EVENTS=true``.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

from clients import HELLO, MODELS, may_fail

KEY = "sk-stand-in-for-a-master-key-of-a-proxy"
PORT = os.environ.get("PROXY_PORT", "4000")
PROXY = f"http://127.0.0.1:{PORT}"


def sdk() -> None:
    """11 calls: 1 fails, 2 streams without usage, 2 messages, vectors, a response."""
    import litellm

    litellm.callbacks = ["otel"]
    at = {"messages": HELLO, "api_key": "none", "api_base": f"{MODELS}/v1"}
    claude = {**at, "model": "anthropic/claude-sonnet-4-5", "api_base": MODELS}
    call = litellm.completion
    call(model="openai/gpt-4o-mini", user="u-1", **at)
    with may_fail():
        call(model="openai/error-429", max_retries=0, **at)
    call(model="openai/flaky", max_retries=2, **at)
    told = {"include_usage": True}
    list(call(model="openai/gpt-4o-mini", stream=True, stream_options=told, **at))
    list(call(model="openai/gpt-4o-mini", stream=True, **at))
    call(**claude)
    list(call(stream=True, **claude))
    there = {"api_base": f"{MODELS}/v1", "api_key": "none", "input": "hello"}
    litellm.embedding(model="openai/text-embedding-3-small", **there)
    with may_fail():
        litellm.responses(model="openai/gpt-4o-mini", **there)

    async def later() -> None:
        await litellm.acompletion(model="openai/gpt-4o-mini", **at)
        async for _ in await litellm.acompletion(model="openai/gpt-4o-mini", stream=True, **at):
            pass
        await asyncio.sleep(2)

    asyncio.run(later())
    time.sleep(8)  # its batches leave after 5 s, and nobody flushes them


def config() -> str:
    """A file that tells the proxy of its models, of which one has another name outside."""
    names = {
        "gpt-4o-mini": "openai/gpt-4o-mini",
        "claude": "anthropic/claude-sonnet-4-5",
        "text-embedding-3-small": "openai/text-embedding-3-small",
        "error-429": "openai/error-429",
        "flaky": "openai/flaky",
    }
    models = []
    for name, model in names.items():
        base = MODELS if model.startswith("anthropic") else f"{MODELS}/v1"
        where = {"model": model, "api_base": base, "api_key": "none", "max_retries": 0}
        models.append({"model_name": name, "litellm_params": where})
    told = {
        "model_list": models,
        "litellm_settings": {
            "callbacks": ["otel"],
            "cache": True,
            "cache_params": {"type": "local"},
        },
        "router_settings": {"num_retries": 0, "disable_cooldowns": True},
        "general_settings": {"master_key": KEY},
    }
    file = Path(tempfile.mkdtemp()) / "config.yaml"
    file.write_text(json.dumps(told))  # YAML, too
    return str(file)


def proxy() -> None:
    """10 requests, of which 2 fail; with ``cache`` 4 more, of which the gateway answers 1."""
    command = [str(Path(sys.executable).with_name("litellm")), "--config", config()]
    gateway = {"OTEL_SERVICE_NAME": "ai-gateway", "OTEL_RESOURCE_ATTRIBUTES": "team=platform"}
    served = subprocess.Popen(  # noqa: S603 - our own command
        [*command, "--host", "127.0.0.1", "--port", PORT], env={**os.environ, **gateway}
    )
    try:
        for _ in range(240):
            with may_fail():
                urllib.request.urlopen(f"{PROXY}/health/liveliness", timeout=1)  # noqa: S310 - http
                break
            time.sleep(0.5)  # until the proxy listens
        flush = client_side()
        ask()
        flush()
        time.sleep(8)  # as above
    finally:
        served.terminate()
        served.wait(20)


def client_side() -> Callable[[], object]:
    """Instruments the proxy's client as the command says; answers what flushes it."""
    if "client" not in sys.argv:
        return lambda: None
    from instrumented import instrument, provide

    flush = provide()
    instrument("opentelemetry.instrumentation.genai.openai:OpenAIInstrumentor")
    if "httpx" in sys.argv:
        instrument("opentelemetry.instrumentation.httpx:HTTPXClientInstrumentor")
    return flush


def ask() -> None:
    """The requests, none from the cache but where it is asked for."""
    from openai import OpenAI

    client = OpenAI(base_url=f"{PROXY}/v1", api_key=KEY, max_retries=0)
    chat, told = client.chat.completions.create, {"include_usage": True}
    fresh = {"messages": HELLO, "extra_body": {"cache": {"no-cache": True}}}
    chat(model="gpt-4o-mini", user="u-7", **fresh)
    for model in ("error-429", "flaky", "flaky"):
        with may_fail():
            chat(model=model, **fresh)
    list(chat(model="gpt-4o-mini", stream=True, stream_options=told, **fresh))
    list(chat(model="gpt-4o-mini", stream=True, **fresh))
    chat(model="claude", **fresh)
    list(chat(model="claude", stream=True, stream_options=told, **fresh))
    client.embeddings.create(model="text-embedding-3-small", input="hello")
    client.responses.create(model="gpt-4o-mini", input="hello")
    if "cache" not in sys.argv:
        return
    again = [{"role": "user", "content": "Say it again."}]
    for _ in range(2):
        chat(model="gpt-4o-mini", messages=again)
        time.sleep(1)  # it keeps an answer only after it gave it
    list(chat(model="gpt-4o-mini", messages=again, stream=True, stream_options=told))
    from anthropic import Anthropic

    Anthropic(base_url=PROXY, api_key=KEY).messages.create(
        model="claude", max_tokens=99, messages=HELLO
    )


if __name__ == "__main__":
    proxy() if "proxy" in sys.argv else sdk()
