"""A model call as an application makes it, but that no model is asked: no key, no network."""

from time import time_ns

import spanledger
from opentelemetry import trace
from opentelemetry.trace import SpanKind

# Once, when the application starts: who is calling. Where to is said by the environment.
spanledger.instrument(service="search-api", team="search")

tracer = trace.get_tracer("tutorial")

# Around the work: what it is for. All calls inside have these names.
with (
    spanledger.attribute(feature="rerank", customer="acme"),
    tracer.start_as_current_span(
        "chat gpt-4o",
        kind=SpanKind.CLIENT,
        start_time=time_ns() - 25_000_000_000,  # it took 25 seconds; you need not
    ) as span,
):
    # An instrumentation of the client's library writes these down by itself.
    span.set_attributes(
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "gpt-4o",
            "gen_ai.usage.input_tokens": 10_000,
            "gen_ai.usage.output_tokens": 2_500,
        }
    )

ids = span.get_span_context()
print(f"http://127.0.0.1:8321/calls/{ids.trace_id:032x}/{ids.span_id:016x}")
