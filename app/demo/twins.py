"""The spans that tell of a call, or of its tokens, a second time.

Real systems are full of them: a vendor's library beneath an instrumentation, the model server
beneath its client, an agent that repeats what its calls used. Adding them up would count the same
tokens twice; the demo sends them so that one can see that they are not.
"""

from opentelemetry.trace import SpanKind

from app.demo.company import Speaks
from app.demo.dialects import Attributes, Written
from app.demo.traffic import SECOND, Call, Exchange


def told_by_vendor(call: Call) -> Written:
    """The span of the ``anthropic`` library itself (2.12.0); it knows how long caches live."""
    attributes: Attributes = {
        "server.address": call.model.server,
        "server.port": call.model.port,
        "gen_ai.provider.name": "anthropic",
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": call.model.name,
        "http.request.method": "POST",
        "url.path": "/v1/messages",
    }
    fault = None
    if call.fault is None:
        attributes |= {
            "http.response.status_code": 200,
            "gen_ai.response.id": call.response_id,
            "gen_ai.response.model": call.model.answers_as,
            "gen_ai.usage.input_tokens": call.prompt,
            "gen_ai.usage.output_tokens": call.output,
            "gen_ai.usage.cache_read.input_tokens": call.cache_read,
            "gen_ai.usage.cache_write.input_tokens": call.cache_write_5m + call.cache_write_1h,
            "anthropic.usage.cache_creation.ephemeral_5m_input_tokens": call.cache_write_5m,
            "anthropic.usage.cache_creation.ephemeral_1h_input_tokens": call.cache_write_1h,
            "anthropic.response.service_tier": "standard",
        }
    else:
        status, name = call.fault.value
        fault = (name, "the request failed")
        attributes["error.type"] = name
        if status is not None:
            attributes["http.response.status_code"] = status
    return Written(
        scope="com.anthropic.sdk.python",
        version="2.12.0",
        name="anthropic.messages.create",
        kind=SpanKind.CLIENT,
        attributes=attributes,
        fault=fault,
    )


def told_by_server(call: Call) -> Written:
    """The span of vLLM (``--otlp-traces-endpoint``): no model, no provider, times in seconds."""
    return Written(
        scope="vllm.llm_engine",
        version="",
        name="llm_request",
        kind=SpanKind.SERVER,
        attributes={
            "gen_ai.request.id": call.response_id,
            "gen_ai.request.n": 1,
            "gen_ai.usage.prompt_tokens": call.prompt,
            "gen_ai.usage.completion_tokens": call.output,
            "gen_ai.latency.time_to_first_token": (
                (call.first_token_ns or call.end_ns) - call.start_ns
            )
            / SECOND,
            "gen_ai.latency.e2e": (call.end_ns - call.start_ns) / SECOND,
            "gen_ai.latency.time_in_queue": 0.01,
        },
    )


def told_by_agent(exchange: Exchange) -> Written:
    """The span of an agent's run, with the sum of what its calls used."""
    prompt = sum(call.prompt for call in exchange.calls)
    output = sum(call.output for call in exchange.calls)
    agent = exchange.workload.agent or "agent"
    if exchange.workload.speaks is Speaks.OPENINFERENCE:
        return Written(
            scope="openinference.instrumentation.langchain",
            version="0.1.80",
            name=agent,
            kind=SpanKind.INTERNAL,
            attributes={
                "openinference.span.kind": "AGENT",
                "llm.token_count.prompt": prompt,
                "llm.token_count.completion": output,
                "llm.token_count.total": prompt + output,
            },
        )
    return Written(
        scope="opentelemetry.util.genai.handler",
        version="1.3b0",
        name=f"invoke_agent {agent}",
        kind=SpanKind.INTERNAL,
        attributes={
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.provider.name": exchange.calls[0].model.provider,
            "gen_ai.agent.name": agent,
            "gen_ai.request.model": exchange.calls[0].model.name,
            "gen_ai.usage.input_tokens": prompt,
            "gen_ai.usage.output_tokens": output,
        },
    )
