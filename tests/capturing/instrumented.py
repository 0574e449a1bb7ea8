"""Calls the clients of models under some instrumentations, for captures of what these send.

    OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4399 MODELS=http://127.0.0.1:9900 \
        python tests/capturing/instrumented.py SCENARIO INSTRUMENTOR...

INSTRUMENTOR is ``module:Class`` of a package in the venv at hand, such as
``openinference.instrumentation.openai:OpenAIInstrumentor``; or ``openlit``, ``traceloop``,
``langsmith``. Needs the OpenTelemetry SDK and ``opentelemetry-exporter-otlp-proto-http``, the
instrumentation, and the client of the scenario. ``WITH_LOGS=1`` sends log records, too.
The scenarios are in ``clients.py`` and ``frameworks.py``.
"""

import importlib
import os
import sys
from collections.abc import Callable

import clients
import frameworks


def instrument(name: str) -> None:
    """Switches one instrumentation on."""
    if name == "openlit":
        import openlit

        openlit.init(otlp_endpoint=os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"])
        return
    if name == "traceloop":
        from traceloop.sdk import Traceloop

        Traceloop.init(
            app_name="checkout-svc", api_endpoint=os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"]
        )
        return
    if name == "langsmith":
        told = {
            "TRACING": "true",
            "OTEL_ENABLED": "true",
            "API_KEY": "none",
            "ENDPOINT": clients.MODELS,
        }
        os.environ.update({f"LANGSMITH_{key}": value for key, value in told.items()})
        if not os.environ.get("HYBRID"):
            os.environ["LANGSMITH_OTEL_ONLY"] = "true"
        return
    module, _, instrumentor = name.partition(":")
    getattr(importlib.import_module(module), instrumentor)().instrument()


def provide() -> Callable[[], None]:
    """Sets up traces and logs; answers what sends the rest of them."""
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    ends = [provider.force_flush]
    if os.environ.get("WITH_LOGS"):
        from opentelemetry._logs import set_logger_provider
        from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
        from opentelemetry.sdk._logs import LoggerProvider
        from opentelemetry.sdk._logs.export import BatchLogRecordProcessor

        logs = LoggerProvider()
        logs.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter()))
        set_logger_provider(logs)
        ends.append(logs.force_flush)
    return lambda: [end() for end in ends] and None


if __name__ == "__main__":
    scenario, *instrumentors = sys.argv[1:]
    own = {"openlit", "traceloop"}.intersection(instrumentors)
    flush = (lambda: None) if own else provide()
    for each in instrumentors:
        instrument(each)
    {**clients.SCENARIOS, **frameworks.SCENARIOS}[scenario]()
    if "langsmith" in instrumentors:
        from langsmith.run_trees import get_cached_client

        get_cached_client().flush()
    flush()
    if own:
        from opentelemetry import trace

        trace.get_tracer_provider().force_flush()
