"""Calls through Strands agents: OpenAI and Anthropic models, tools, two invocations of one agent.

Needs ``strands-agents[openai,anthropic,otel]``. Say where models and recorder are in ``MODELS``
and ``OTEL_EXPORTER_OTLP_ENDPOINT``.
"""

import os
from contextlib import suppress

from strands import Agent, tool
from strands.models.anthropic import AnthropicModel
from strands.models.openai import OpenAIModel
from strands.telemetry import StrandsTelemetry

MODELS = os.environ["MODELS"]
telemetry = StrandsTelemetry()
telemetry.setup_otlp_exporter()


@tool
def weather() -> str:
    """Tell the weather."""
    return "sunny"


def gpt(name: str) -> OpenAIModel:
    return OpenAIModel(
        client_args={"base_url": f"{MODELS}/v1", "api_key": "sk-test"}, model_id=name
    )


def main() -> None:
    about = {"session.id": "s-9", "user.id": "u-7"}
    quiet = {"callback_handler": None, "trace_attributes": about}
    helper = Agent(model=gpt("gpt-4o-mini-tool"), tools=[weather], name="helper", **quiet)
    helper("weather?")
    helper("and now?")
    sonnet = AnthropicModel(
        client_args={"base_url": MODELS, "api_key": "sk-test"},
        model_id="claude-sonnet-4-5",
        max_tokens=100,
    )
    writer = Agent(model=sonnet, name="writer", **quiet)
    writer("hi")
    writer("again")
    Agent(model=gpt("flaky"), name="helper", **quiet)("hi")
    with suppress(Exception):
        Agent(model=gpt("error-429"), name="helper", retry_strategy=None, **quiet)("hi")


main()
telemetry.tracer_provider.force_flush()
