"""How instrumentations write a call: span names, kinds and attributes, as captured from them.

Shapes follow the packages named beside each function; counts mean what they mean there (all of
them: the prompt includes what came from the cache, the output includes reasoning). No prompts and
no answers: the demo has none.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from opentelemetry.trace import SpanKind
from opentelemetry.util.types import AttributeValue

from app.demo.company import Speaks, Workload
from app.demo.models import Model
from app.demo.traffic import SECOND, Call

FIRST_TOKEN_EVENT: Final = "First Token Stream Event"  # noqa: S105 - the name of an event
HTTPS: Final = 443

Attributes = dict[str, AttributeValue]


@dataclass(frozen=True, slots=True)
class Written:
    """A span as an instrumentation writes it, but for its ids and times."""

    scope: str
    version: str
    name: str
    kind: SpanKind
    attributes: Mapping[str, AttributeValue]
    first_token_event: str | None = None
    """Name of the event that marks the first token, where there is one."""
    fault: tuple[str, str] | None = None
    """Type and text of the exception that ended the call."""
    tells_exception: bool = False
    """Whether the exception is written as an event too."""


def write(workload: Workload, call: Call) -> Written:
    """The span of a call, as the service's instrumentation writes it."""
    return _WRITERS[workload.speaks](workload, call)


def _fault(call: Call, library: str | None = None) -> tuple[str, str] | None:
    if call.fault is None:
        return None
    status, name = call.fault.value
    text = "Request timed out." if status is None else f"Error code: {status} - try again later"
    return (f"{library}.{name}" if library else name), text


def _present(attributes: Mapping[str, AttributeValue | None]) -> Attributes:
    """Without what is not set, or zero: the instrumentations write ``value or None``."""
    return {key: value for key, value in attributes.items() if value is not None and value != 0}


_SEMCONV_NAMES: Final = {"google": "gcp.gemini", "mistral": "mistral_ai"}


def _semconv_provider(model: Model) -> str:
    """Cerebras and our own servers speak OpenAI's protocol, so its library reports them as it."""
    if model.provider in {"vllm", "cerebras"}:
        return "openai"
    return _SEMCONV_NAMES.get(model.provider, model.provider)


def _otel_genai(workload: Workload, call: Call) -> Written:
    """opentelemetry-instrumentation-genai-openai and -genai-anthropic 1.3b0."""
    model, provider = call.model, _semconv_provider(call.model)
    operation = "embeddings" if workload.embeds else "chat"
    attributes: dict[str, AttributeValue | None] = {
        "gen_ai.operation.name": operation,
        "gen_ai.provider.name": provider,
        "gen_ai.request.model": model.name,
        "server.address": model.server,
        "server.port": model.port,
    }
    fault = _fault(call, provider)
    if fault:
        attributes["error.type"] = fault[0]
    else:
        attributes |= {
            "gen_ai.response.model": model.answers_as,
            "gen_ai.response.id": None if workload.embeds else call.response_id,
            "gen_ai.response.finish_reasons": None if workload.embeds else ("stop",),
            "gen_ai.usage.input_tokens": call.prompt,
            "gen_ai.usage.output_tokens": call.output,
            "gen_ai.usage.cache_read.input_tokens": call.cache_read,
            "gen_ai.usage.cache_write.input_tokens": call.cache_write_5m + call.cache_write_1h,
            "gen_ai.usage.reasoning.output_tokens": call.reasoning,
        }
    if call.streams and call.first_token_ns:
        attributes["gen_ai.request.stream"] = True
        attributes["gen_ai.response.time_to_first_chunk"] = (
            call.first_token_ns - call.start_ns
        ) / SECOND
    return Written(
        scope=f"opentelemetry.instrumentation.genai.{provider}",
        version="1.3b0",
        name=f"{operation} {model.name}",
        kind=SpanKind.CLIENT,
        attributes=_present(attributes),
        fault=fault,
    )


def _otel_openai_v2(workload: Workload, call: Call) -> Written:
    """opentelemetry-instrumentation-openai-v2 2.4b0, by default: no caches, no reasoning."""
    operation = "embeddings" if workload.embeds else "chat"
    attributes: dict[str, AttributeValue | None] = {
        "gen_ai.operation.name": operation,
        "gen_ai.system": "openai",
        "gen_ai.request.model": call.model.name,
        "server.address": call.model.server,
    }
    fault = _fault(call)
    if fault:
        attributes["error.type"] = fault[0]
    else:
        attributes |= {
            "gen_ai.response.model": call.model.answers_as,
            "gen_ai.response.id": call.response_id,
            "gen_ai.response.finish_reasons": ("stop",),
            "gen_ai.openai.response.service_tier": "default",
            "gen_ai.usage.input_tokens": call.prompt,
            "gen_ai.usage.output_tokens": call.output,
        }
    return Written(
        scope="opentelemetry.instrumentation.openai_v2",
        version="2.4b0",
        name=f"{operation} {call.model.name}",
        kind=SpanKind.CLIENT,
        attributes=_present(attributes),
        fault=fault,
    )


def _openinference(workload: Workload, call: Call) -> Written:
    """openinference-instrumentation-anthropic 3.1.0 and -google-genai; outputs hidden."""
    anthropic = call.model.provider == "anthropic"
    library = "anthropic" if anthropic else "google_genai"
    attributes: dict[str, AttributeValue | None] = {
        "openinference.span.kind": "EMBEDDING" if workload.embeds else "LLM",
        "llm.provider": call.model.provider,
        "llm.system": "anthropic" if anthropic else "vertexai",
        "llm.invocation_parameters": '{"max_tokens": 8000}',
    }
    fault = _fault(call, library)
    if not fault:
        attributes |= {
            "llm.model_name": call.model.answers_as,
            "llm.finish_reason": "end_turn" if anthropic else "STOP",
            "llm.token_count.prompt": call.prompt,
            "llm.token_count.completion": call.output,
            "llm.token_count.total": call.prompt + call.output,
            "llm.token_count.prompt_details.cache_read": call.cache_read,
            "llm.token_count.prompt_details.cache_write": call.cache_write_5m + call.cache_write_1h,
            "llm.token_count.completion_details.reasoning": call.reasoning,
        }
    else:
        attributes["llm.model_name"] = call.model.name
    return Written(
        scope=f"openinference.instrumentation.{library}",
        version="3.1.0" if anthropic else "1.0.6",
        name="messages.create" if anthropic else "GenerateContent",
        kind=SpanKind.INTERNAL,
        attributes=_present(attributes),
        first_token_event=FIRST_TOKEN_EVENT if call.streams else None,
        fault=fault,
        tells_exception=True,
    )


def _openllmetry(workload: Workload, call: Call) -> Written:
    """opentelemetry-instrumentation-openai 0.62.4, from Traceloop."""
    attributes: dict[str, AttributeValue | None] = {
        "gen_ai.operation.name": "embeddings" if workload.embeds else "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": call.model.name,
        "gen_ai.is_streaming": call.streams,
        "gen_ai.openai.api_base": _base_url(call.model),
    }
    fault = _fault(call)
    if fault:
        attributes["error.type"] = fault[0]
    else:
        attributes |= {
            "gen_ai.response.model": call.model.answers_as,
            "gen_ai.response.id": call.response_id,
            "gen_ai.response.finish_reasons": ("stop",),
            "gen_ai.usage.input_tokens": call.prompt,
            "gen_ai.usage.output_tokens": call.output,
            "gen_ai.usage.total_tokens": call.prompt + call.output,
            "gen_ai.usage.cache_read.input_tokens": call.cache_read,
            "gen_ai.usage.reasoning_tokens": call.reasoning,
        }
    return Written(
        scope="opentelemetry.instrumentation.openai.v1",
        version="0.62.4",
        name="openai.chat",
        kind=SpanKind.CLIENT,
        attributes=_present(attributes),
        fault=fault,
        tells_exception=True,
    )


# Its instrumentations for other vendors: package (and scope), the provider as they write it, the
# span's name.
_OLD_PACKAGES: Final = {
    "mistral": ("mistralai", "MistralAI", "mistralai.chat"),
    "google": ("google_generativeai", "Google", "gemini.generate_content"),
    "groq": ("groq", "Groq", "groq.chat"),
}


def _openllmetry_old(_workload: Workload, call: Call) -> Written:
    """OpenLLMetry 0.40.14, before it took up the conventions' names."""
    package, system, name = _OLD_PACKAGES.get(
        call.model.provider, ("openai.v1", "OpenAI", "openai.chat")
    )
    attributes: dict[str, AttributeValue | None] = {
        "llm.request.type": "chat",
        "gen_ai.system": system,
        "gen_ai.request.model": call.model.name,
        "llm.is_streaming": call.streams,
    }
    if package == "openai.v1":
        attributes["gen_ai.openai.api_base"] = _base_url(call.model)
    fault = _fault(call)
    if not fault:
        attributes |= {
            "gen_ai.response.model": call.model.answers_as,
            "gen_ai.response.id": call.response_id,
            "gen_ai.usage.prompt_tokens": call.prompt,
            "gen_ai.usage.completion_tokens": call.output,
            "llm.usage.total_tokens": call.prompt + call.output,
            "gen_ai.usage.cache_read_input_tokens": call.cache_read,
            "llm.usage.reasoning_tokens": call.reasoning,
        }
    return Written(
        scope=f"opentelemetry.instrumentation.{package}",
        version="0.40.14",
        name=name,
        kind=SpanKind.CLIENT,
        attributes=_present(attributes),
        fault=fault,
        tells_exception=True,
    )


def _base_url(model: Model) -> str:
    host = model.server if model.port == HTTPS else f"{model.server}:{model.port}"
    return f"{'https' if model.port == HTTPS else 'http'}://{host}/v1/"


_WRITERS: Final[Mapping[Speaks, Callable[[Workload, Call], Written]]] = {
    Speaks.OTEL_GENAI: _otel_genai,
    Speaks.OTEL_OPENAI_V2: _otel_openai_v2,
    Speaks.OPENINFERENCE: _openinference,
    Speaks.OPENLLMETRY: _openllmetry,
    Speaks.OPENLLMETRY_OLD: _openllmetry_old,
}
