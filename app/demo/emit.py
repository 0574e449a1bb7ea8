"""Sends exchanges as spans, through the real OpenTelemetry SDK and its OTLP exporter.

One TracerProvider for each service, as in life. Two things differ from an application: ids come
from the exchange's key, so that sending it again is a repetition and not more traffic; and spans
are handed to the exporter in full batches by the sender itself, so that a collector that is busy
slows the sender down instead of losing spans (the SDK's own queue drops what does not fit).
"""

from collections.abc import Mapping
from contextlib import suppress

from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import Status, StatusCode, set_span_in_context
from opentelemetry.util.types import AttributeValue

from app.demo.chance import chance_of
from app.demo.company import Workload
from app.demo.dialects import Written, write
from app.demo.traffic import Call, Exchange
from app.demo.twins import told_by_agent, told_by_server, told_by_vendor

BATCH = 512
"""Spans a request: what the SDK's BatchSpanProcessor sends by default."""


class NotTakenError(Exception):
    """The collector took a batch neither at once nor when it was sent again."""


class KeyedIds(IdGenerator):
    """Trace and span ids that follow from a key."""

    def __init__(self) -> None:
        self._chance = chance_of("ids")

    def begin(self, key: str) -> None:
        """From here on, the ids of this key."""
        self._chance = chance_of(f"ids/{key}")

    def generate_trace_id(self) -> int:
        """128 bits, not 0."""
        return self._chance.getrandbits(128) or 1

    def generate_span_id(self) -> int:
        """64 bits, not 0."""
        return self._chance.getrandbits(64) or 1


class Postbox(SpanProcessor):
    """Keeps ended spans until there are enough for a request."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._waiting: list[ReadableSpan] = []
        self.sent = 0
        """Spans that the collector has taken."""

    def on_end(self, span: ReadableSpan) -> None:
        """Called by the SDK."""
        self._waiting.append(span)

    def post(self, *, full_only: bool = False) -> None:
        """Send what waits, or full batches of it.

        Raises NotTakenError when the collector does not take a batch: it waits on.
        """
        while len(self._waiting) >= (BATCH if full_only else 1):
            batch = self._waiting[:BATCH]
            if self._exporter.export(batch) is not SpanExportResult.SUCCESS:
                raise NotTakenError(f"the collector did not take {len(batch)} spans")
            del self._waiting[:BATCH]
            self.sent += len(batch)

    def shutdown(self) -> None:
        """Called by the SDK; what waits was posted, or is given up."""
        self._exporter.shutdown()


class Sender:
    """Writes exchanges as spans and sends them."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._ids = KeyedIds()
        self._postbox = Postbox(exporter)
        self._providers: dict[str, TracerProvider] = {}

    @property
    def sent(self) -> int:
        """Spans that the collector has taken."""
        return self._postbox.sent

    def send(self, exchange: Exchange) -> None:
        """Write one exchange; it leaves with the next full batch. Raises NotTakenError."""
        self._ids.begin(exchange.key)
        provider = self._provider(exchange.workload.service, _resource(exchange.workload))
        tags = _tags(exchange)
        above: Context | None = Context()
        agent = None
        if exchange.workload.agent is not None:
            agent = _begin(provider, told_by_agent(exchange), exchange.start_ns, Context(), tags)
            above = set_span_in_context(agent, Context())
        for call in exchange.calls:
            self._send_call(exchange, call, provider, above, tags)
        if agent is not None:
            agent.end(exchange.end_ns)
        self._postbox.post(full_only=True)

    def post(self) -> None:
        """Send what waits for a full batch. Raises NotTakenError."""
        self._postbox.post()

    def close(self) -> None:
        """Send what waits, if anybody is there, and end."""
        with suppress(NotTakenError):
            self._postbox.post()
        self._postbox.shutdown()

    def _send_call(
        self,
        exchange: Exchange,
        call: Call,
        provider: TracerProvider,
        above: Context | None,
        tags: Mapping[str, AttributeValue],
    ) -> None:
        written = write(exchange.workload, call)
        span = _begin(provider, written, call.start_ns, above, tags)
        if written.first_token_event and call.first_token_ns:
            span.add_event(written.first_token_event, timestamp=call.first_token_ns)
        _fail(span, written, call.end_ns)
        beneath = set_span_in_context(span, Context())
        if exchange.workload.twice:
            told = told_by_vendor(call)
            twin = _begin(provider, told, call.start_ns + 2_000_000, beneath, {})
            _fail(twin, told, call.end_ns)
            twin.end(call.end_ns - 1_000_000)
        if call.model.provider == "vllm" and call.fault is None:
            server = self._provider(
                call.model.server, {"service.name": f"vllm {call.model.server}"}
            )
            told = told_by_server(call)
            _begin(server, told, call.start_ns + 3_000_000, beneath, {}).end(
                call.end_ns - 2_000_000
            )
        span.end(call.end_ns)

    def _provider(self, name: str, resource: Mapping[str, AttributeValue]) -> TracerProvider:
        if name not in self._providers:
            provider = TracerProvider(
                # Not Resource.create, and a sampler of our own: the environment's OTEL_* settings
                # are for the applications of whoever runs the demo.
                resource=Resource(resource),
                sampler=ALWAYS_ON,
                id_generator=self._ids,
                shutdown_on_exit=False,
            )
            provider.add_span_processor(self._postbox)
            self._providers[name] = provider
        return self._providers[name]


def _resource(workload: Workload) -> dict[str, AttributeValue]:
    resource: dict[str, AttributeValue] = {
        "service.name": workload.service,
        "deployment.environment.name": workload.environment,
        "project": workload.project,
    }
    if workload.team is not None:
        resource["service.namespace" if workload.team_by_namespace else "team"] = workload.team
    return resource


def _tags(exchange: Exchange) -> dict[str, AttributeValue]:
    """What the SDK's ``spanledger.attribute`` puts on every span inside."""
    tags: dict[str, AttributeValue] = {}
    if exchange.feature:
        tags["spanledger.feature"] = exchange.feature
    if exchange.customer:
        tags["spanledger.customer"] = exchange.customer
    return tags


def _begin(
    provider: TracerProvider,
    written: Written,
    start_ns: int,
    above: Context | None,
    tags: Mapping[str, AttributeValue],
) -> Span:
    tracer = provider.get_tracer(written.scope, written.version)
    span = tracer.start_span(
        written.name,
        context=above,
        kind=written.kind,
        attributes={**written.attributes, **tags},
        start_time=start_ns,
    )
    if not isinstance(span, Span):
        raise TypeError("the OpenTelemetry SDK is switched off: unset OTEL_SDK_DISABLED")
    return span


def _fail(span: Span, written: Written, at_ns: int) -> None:
    if written.fault is None:
        return
    kind, text = written.fault
    span.set_status(Status(StatusCode.ERROR, text))
    if written.tells_exception:
        span.add_event(
            "exception", {"exception.type": kind, "exception.message": text}, timestamp=at_ns
        )
