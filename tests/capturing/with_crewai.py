"""Crews: one, one with a tool (2 calls), a model alone, a stream, one that fails in 3 attempts.

    MODELS=... OTEL_EXPORTER_OTLP_ENDPOINT=... CREWAI_DISABLE_TELEMETRY=true \
        python tests/capturing/with_crewai.py INSTRUMENTOR...

Needs ``crewai``, and an instrumentation of it and of OpenAI's client, which it calls itself.
"""

import sys

from clients import MODELS, may_fail
from crewai import LLM, Agent, Crew, Task
from crewai.tools import tool
from instrumented import instrument, provide


@tool("weather")
def weather(city: str = "Paris") -> str:
    """Tell the weather."""
    return f"sunny in {city}"


def model(name: str, **more: object) -> LLM:
    return LLM(model=f"openai/{name}", base_url=f"{MODELS}/v1", api_key="none", **more)


def crew(name: str, *tools: object) -> Crew:
    agent = Agent(role="Helper", goal="Help.", backstory="-", llm=model(name), tools=list(tools))
    task = Task(description="Say hello.", expected_output="A greeting.", agent=agent)
    return Crew(agents=[agent], tasks=[task])


if __name__ == "__main__":
    flush = provide()
    for name in sys.argv[1:]:
        instrument(name)
    crew("gpt-4o-mini").kickoff()
    crew("gpt-4o-tool", weather).kickoff()
    model("gpt-4o-mini").call("hello")
    model("gpt-4o-mini", stream=True).call("hello")
    with may_fail():
        model("error-429").call("hello")
    flush()
