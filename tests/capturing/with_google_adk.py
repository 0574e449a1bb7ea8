"""Agents of Google's kit: a call, a stream, a tool (2 calls), a failure, and two over LiteLLM.

    MODELS=... OTEL_EXPORTER_OTLP_ENDPOINT=... GOOGLE_API_KEY=none \
        python tests/capturing/with_google_adk.py [INSTRUMENTOR...]

Needs ``google-adk``, ``litellm`` and the OTLP exporter; ``ADK_TELEMETRY_SCHEMA_VERSION_OPT_IN=1``
makes the schema that was before 2.3.
"""

import asyncio
import os
import sys

from clients import MODELS, may_fail
from instrumented import instrument, provide

os.environ["GOOGLE_GEMINI_BASE_URL"] = MODELS


def weather(city: str = "Paris") -> dict[str, str]:
    """Tell the weather."""
    return {city: "sunny"}


async def run(*, streams: bool = False, **agent: object) -> None:
    from google.adk.agents import LlmAgent
    from google.adk.agents.run_config import RunConfig, StreamingMode
    from google.adk.runners import InMemoryRunner
    from google.genai.types import Content, Part

    runner = InMemoryRunner(agent=LlmAgent(**agent), app_name="shop_app")
    session = await runner.session_service.create_session(app_name="shop_app", user_id="u-9")
    said = Content(role="user", parts=[Part(text="Say hello.")])
    mode = StreamingMode.SSE if streams else StreamingMode.NONE
    async for _ in runner.run_async(
        user_id="u-9",
        session_id=session.id,
        new_message=said,
        run_config=RunConfig(streaming_mode=mode),
    ):
        pass


async def main() -> None:
    await run(name="hello", model="gemini-2.5-flash")
    await run(name="hello", model="gemini-2.5-flash", streams=True)
    await run(name="weather", model="gemini-tool-flash", tools=[weather])
    with may_fail():
        await run(name="limited", model="gemini-error-429")
    with may_fail():
        from google.adk.models.lite_llm import LiteLlm

        there = {"api_base": f"{MODELS}/v1", "api_key": "none"}
        await run(name="gpt", model=LiteLlm(model="openai/gpt-4o-mini", **there))
        there["api_base"] = MODELS
        await run(name="claude", model=LiteLlm(model="anthropic/claude-sonnet-4-5", **there))


if __name__ == "__main__":
    flush = provide()
    for name in sys.argv[1:]:
        instrument(name)
    asyncio.run(main())
    flush()
