"""A Strands agent on Bedrock and a LangGraph one, instrumented as AgentCore runs them.

Needs ``bedrock-agentcore``, ``aws-opentelemetry-distro``, ``strands-agents[otel]``, ``langgraph``,
``langchain``, ``langchain-anthropic``, ``langchain-aws`` and
``langchain-openai``. Say where models and recorder are in ``MODELS`` and
``OTEL_EXPORTER_OTLP_ENDPOINT``, and run it with ``opentelemetry-instrument``,
``OTEL_PYTHON_DISTRO=aws_distro``, ``OTEL_PYTHON_CONFIGURATOR=aws_configurator`` and
``AGENT_OBSERVABILITY_ENABLED=true``. Arguments choose scenes: strands, langgraph.
"""

import os
import sys
from contextlib import suppress

from bedrock_agentcore import BedrockAgentCoreApp
from langchain_anthropic import ChatAnthropic
from langchain_aws import ChatBedrockConverse
from langchain_openai import ChatOpenAI
from langgraph.prebuilt import create_react_agent
from opentelemetry import baggage, context, trace
from starlette.testclient import TestClient
from strands import Agent, tool
from strands.models import BedrockModel
from strands.models.openai import OpenAIModel

MODELS = os.environ["MODELS"]
SCENES = sys.argv[1:]
SONNET = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
app = BedrockAgentCoreApp()
AWS = {
    "endpoint_url": MODELS,
    "region_name": "us-east-1",
}


@tool
def weather() -> str:
    """Tell the weather."""
    return "sunny"


def run_strands(prompt: str) -> str:
    reach = {"base_url": f"{MODELS}/v1", "api_key": "sk-test"}
    for streaming in (False, True):
        model = BedrockModel(
            model_id=SONNET,
            streaming=streaming,
            endpoint_url=MODELS,
            region_name="us-east-1",
        )
        Agent(model=model, callback_handler=None)(prompt)
    helper = Agent(
        model=OpenAIModel(client_args=reach, model_id="gpt-4o-mini-tool"),
        tools=[weather],
        callback_handler=None,
    )
    helper(prompt)
    with suppress(Exception):
        Agent(
            model=OpenAIModel(client_args=reach, model_id="error-429"),
            callback_handler=None,
            retry_strategy=None,
        )(prompt)
    return "done"


def run_langgraph(prompt: str) -> str:
    gpt = ChatOpenAI(model="gpt-4o-mini", base_url=f"{MODELS}/v1", api_key="sk-test")
    create_react_agent(gpt, []).invoke({"messages": [("user", prompt)]})
    sonnet = ChatBedrockConverse(model=SONNET, **AWS)
    create_react_agent(sonnet, []).invoke({"messages": [("user", prompt)]})
    claude = ChatAnthropic(model="claude-sonnet-4-5", base_url=MODELS, api_key="sk-test")
    claude.invoke(prompt)
    for _ in claude.stream(prompt):
        pass
    with suppress(Exception):
        ChatOpenAI(model="error-429", base_url=f"{MODELS}/v1", api_key="sk-test").invoke(prompt)
    return "done"


@app.entrypoint
def invoke(payload: dict) -> str:
    return {"strands": run_strands, "langgraph": run_langgraph}[payload["scene"]]("hi")


for scene in SCENES:
    session = {
        "X-Amzn-Bedrock-AgentCore-Runtime-Session-Id": f"session-{scene}-0123456789-0123456789"
    }
    token = context.attach(baggage.set_baggage("session.id", f"session-{scene}"))
    TestClient(app).post("/invocations", json={"scene": scene}, headers=session)
    context.detach(token)
trace.get_tracer_provider().force_flush()
