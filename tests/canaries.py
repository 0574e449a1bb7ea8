"""Secrets that must be nowhere, of every kind that we know, and every position that one can be in.

A new kind is a line of KINDS, a new position a line of POSITIONS. Each secret carries a mark that
says which position and which kind it is, at its beginning and at its end.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from spans import CHAT, pairs, value

Kind = Callable[[str], str]
KINDS: Final[dict[str, Kind]] = {
    "OpenAI": lambda m: f"sk-proj-{m}AbCdEf0123{m}",
    "Anthropic": lambda m: f"sk-ant-api03-{m}_AbCdEf-{m}AA",
    "AWS id": lambda m: f"AKIA{m.upper()}{m.upper()}",
    "AWS secret": lambda m: f"AWS_SECRET_ACCESS_KEY={m}/K7MDENG+bPxRfi{m}",
    "Slack bot": lambda m: f"xoxb-123456789012-{m}-{m}",
    "Slack webhook": lambda m: f"https://hooks.slack.com/services/T000/B000/{m}{m}",
    "GitHub": lambda m: f"ghp_{m}AbCdEf{m}",
    "GitHub, fine-grained": lambda m: f"github_pat_{m}_AbCdEf{m}",
    "GitLab": lambda m: f"glpat-{m}-{m}",
    "Google": lambda m: f"AIza{m}SyAbCdEf{m}",
    "Google OAuth": lambda m: f"ya29.{m}-{m}",
    "Hugging Face": lambda m: f"hf_{m}{m}",
    "Groq": lambda m: f"gsk_{m}{m}",
    "Stripe": lambda m: f"sk_live_{m}{m}",
    "npm": lambda m: f"npm_{m}{m}AbCd",
    "JWT": lambda m: f"eyJhbGciOiJIUzI1NiJ9.{m}.{m}",
    "private key": lambda m: (
        f"-----BEGIN RSA PRIVATE KEY----- {m} {m} -----END RSA PRIVATE KEY-----"
    ),
    "Bearer": lambda m: f"Authorization: Bearer {m}.{m}",
    "basic": lambda m: f"Authorization: Basic {m}{m}==",
    "password in a URL": lambda m: f"https://app:{m}-{m}@example.com/x",
    "connection string": lambda m: f"postgresql://app:{m}/{m}@db/spend",
    "connection string, ADO": lambda m: f"Server=db;Database=x;Password={m}{m};",
    "Redis": lambda m: f"redis://:{m}{m}@cache:6379",
    "Azure": lambda m: f"AccountKey={m}{m}==",
    "query": lambda m: f"https://api.example.com/v1?api_key={m}{m}&x=1",
    "cookie": lambda m: f"Cookie: session={m}{m}",
    "header": lambda m: f"x-api-key: {m}{m}",
    "own key": lambda m: f"sl_admin_{m}{m}",
}

SAID: Final = "Zebra prompt {} of nobody's concern"
"""Content, where that is what is looked for."""


def mark(position: int, kind: int) -> str:
    return f"zq{position:03d}x{kind:02d}qw"


MARKED: Final = re.compile(
    rb"zq(\d{3})x(\d{2})qw|(?:7a71|5a51)((?:3\d){3})[75]8((?:3\d){2})(?:7177|5157)", re.IGNORECASE
)
"""Also where Postgres writes bytes as digits."""

Seeded = Callable[[Any, Any, str], None]
"""Puts a secret into a group (of spans, of records, of metrics) or its one item."""


def attribute(key: str, make: Callable[[str], object] = lambda secret: secret) -> Seeded:
    return lambda _group, item, secret: item.attributes.extend(pairs({key: make(secret)}))


def of_resource(key: str) -> Seeded:
    return lambda group, _item, secret: group.resource.attributes.extend(pairs({key: secret}))


def _set(name: str) -> Seeded:
    return lambda _group, item, secret: setattr(item, name, secret)


def _scope(name: str) -> Seeded:
    def put(group: Any, _item: Any, secret: str) -> None:
        scopes = getattr(group, "scope_spans", None) or getattr(group, "scope_logs", None)
        setattr((scopes or group.scope_metrics)[0].scope, name, secret)

    return put


def _scope_attribute(group: Any, _item: Any, secret: str) -> None:
    group.scope_spans[0].scope.attributes.extend(pairs({"public_key": secret}))


def _event(name: str, key: str) -> Seeded:
    def put(_group: Any, item: Any, secret: str) -> None:
        item.events.add(
            time_unix_nano=item.start_time_unix_nano,
            name=name or secret,
            attributes=pairs({key or secret: secret}),
        )

    return put


def _link(_group: Any, item: Any, secret: str) -> None:
    item.links.add(
        trace_id=b"l" * 16, span_id=b"l" * 8, trace_state=secret, attributes=pairs({"a": secret})
    )


def _failed(_group: Any, item: Any, secret: str) -> None:
    item.status.code = 2
    item.status.message = f"401 {secret}"


def _body(make: Callable[[str], object]) -> Seeded:
    return lambda _group, item, secret: item.body.CopyFrom(value(make(secret)))


def _label(key: str) -> Seeded:
    return lambda _group, item, secret: item.sum.data_points[0].attributes.extend(
        pairs({key: secret})
    )


SPAN_KEYS: Final = (
    *("team", "cost_center", "project", "customer", "feature", "service.name", "user.id"),
    *("gen_ai.request.model", "gen_ai.response.model", "gen_ai.provider.name", "gen_ai.system"),
    *("gen_ai.operation.name", "gen_ai.response.id", "gen_ai.conversation.id", "session.id"),
    *("error.type", "error.message", "server.address", "url.full", "cloud.region", "http.url"),
    *("gen_ai.openai.response.service_tier", "gen_ai.response.finish_reasons", "enduser.id"),
    *("request_id", "litellm.call_id", "metadata", "langfuse.observation.metadata.team"),
    *("http.request.header.authorization", "http.request.header.x-api-key", "url.query"),
    *("user_agent.original", "http.request.header.cookie", "rpc.grpc.metadata.authorization"),
    *("gen_ai.prompt", "gen_ai.completion.0.content", "gen_ai.system_instructions", "nobody.knows"),
    *("gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.tool.call.arguments"),
)

SPANS: Final[dict[str, Seeded]] = {
    **{f"span attribute {key}": attribute(key) for key in SPAN_KEYS},
    "key of a span attribute": lambda _g, item, s: item.attributes.extend(pairs({s: "x"})),
    "array": attribute("gen_ai.response.finish_reasons", lambda s: [s, "stop"]),
    "array of a team": attribute("team", lambda s: [s]),
    "map": attribute("metadata", lambda s: {"team": s}),
    "key of a map": attribute("metadata", lambda s: {s: "x"}),
    "bytes": attribute("team", lambda s: s.encode()),
    "bytes of a model": attribute("gen_ai.request.model", lambda s: s.encode()),
    "nested": attribute("nested", lambda s: [[{"a": [s]}]]),
    "JSON in a text": attribute("metadata", lambda s: json.dumps({"team": s, "user_id": s})),
    "JSON of messages": attribute(
        "gen_ai.input.messages", lambda s: json.dumps([{"role": "user", "content": s}])
    ),
    "JSON in JSON": attribute(
        "gen_ai.output.messages", lambda s: json.dumps([{"arguments": json.dumps({"a": s})}])
    ),
    **{
        f"resource attribute {key}": of_resource(key)
        for key in (
            *("service.name", "team", "deployment.environment", "host.name", "project"),
            *("service.namespace", "feature", "customer", "process.command_args"),
        )
    },
    "key of a resource attribute": lambda g, _i, s: g.resource.attributes.extend(pairs({s: "x"})),
    "schema URL": lambda group, _item, secret: setattr(group, "schema_url", secret),
    "scope name": _scope("name"),
    "scope version": _scope("version"),
    "scope attribute": _scope_attribute,
    "span name": _set("name"),
    "trace state": _set("trace_state"),
    "status message": _failed,
    "exception type": _event("exception", "exception.type"),
    "exception message": _event("exception", "exception.message"),
    "exception stacktrace": _event("exception", "exception.stacktrace"),
    "event name": _event("", "a"),
    "event attribute": _event("anything", "a"),
    "event of a prompt": _event("gen_ai.user.message", "content"),
    "link": _link,
}
LOGS: Final[dict[str, Seeded]] = {
    **{
        f"log attribute {key}": attribute(key)
        for key in ("model", "user.email", "session.id", "error.message", "prompt", "request_id")
    },
    "log body": _body(lambda secret: secret),
    "log body, map": _body(lambda secret: {"content": secret, secret: 1}),
    "log body, list": _body(lambda secret: [secret]),
    "log event name": _set("event_name"),
    "log severity": _set("severity_text"),
    "log scope": _scope("name"),
    "log resource": of_resource("service.name"),
}
METRICS: Final[dict[str, Seeded]] = {
    **{
        f"metric label {key}": _label(key)
        for key in ("gen_ai.request.model", "gen_ai.system", "team", "user", "gen_ai.token.type")
    },
    "metric name": _set("name"),
    "metric unit": _set("unit"),
    "metric description": _set("description"),
    "metric scope": _scope("name"),
    "metric resource": of_resource("service.name"),
}
PLACES: Final = ("{}", "with words before {} and behind")
"""How a secret stands in its text."""

BUDGET: Final = {
    "name": "all",
    "filter": {},
    "amount": "0.01",
    "currency": "USD",
    "period": "month",
}
RULE: Final = {"name": "errors", "kind": "error-rate", "over": 1, "by": ["team", "service"]}
CHANNEL: Final = {"name": "ops", "kind": "webhook", "secret": "http://127.0.0.1:9/x"}

ASKED: Final[dict[str, Callable[[str], tuple[str, str, dict[str, Any]]]]] = {
    "budget's name": lambda s: ("POST", "/v1/budgets", {"json": {**BUDGET, "name": s}}),
    "budget's filter": lambda s: (
        "POST",
        "/v1/budgets",
        {"json": {**BUDGET, "filter": {"team": [s]}}},
    ),
    "budget's owner": lambda s: ("POST", "/v1/budgets", {"json": {**BUDGET, "owner": s}}),
    "rule's name": lambda s: ("POST", "/v1/alert-rules", {"json": {**RULE, "name": s}}),
    "channel's name": lambda s: ("POST", "/v1/channels", {"json": {**CHANNEL, "name": s}}),
    "channel's team": lambda s: ("POST", "/v1/channels", {"json": {**CHANNEL, "teams": [s]}}),
    "channel's secret": lambda s: (
        "POST",
        "/v1/channels",
        {"json": {**CHANNEL, "name": s[-4:], "secret": f"http://127.0.0.1:9/{s}"}},
    ),
    "silence's reason": lambda s: ("POST", "/v1/silences", {"json": {"reason": s, "by": s}}),
    "note of an alert": lambda s: ("POST", "/v1/alerts/1/acknowledge", {"json": {"note": s}}),
    "re-pricing's note": lambda s: ("POST", "/v1/repricings", {"json": {"note": s}}),
    "price's reference": lambda s: ("POST", "/v1/prices", {"json": [{"reference": s}]}),
    "pool's name": lambda s: ("POST", "/v1/pools", {"json": {"name": s}}),
    "commitment's name": lambda s: ("POST", "/v1/commitments", {"json": [{"name": s}]}),
    "rule of who pays": lambda s: ("PUT", "/v1/ownership", {"json": {"rules": [{"name": s}]}}),
    "pattern of content": lambda s: (
        "PUT",
        "/v1/content?dry_run=true",
        {"json": {"on": True, "patterns": [s]}},
    ),
    "field of a body": lambda s: ("POST", "/v1/budgets", {"json": {s: 1}}),
    "broken body": lambda s: (
        "POST",
        "/v1/budgets",
        {"content": f'{{"name": "{s}', "headers": {"content-type": "application/json"}},
    ),
    "parameter": lambda s: ("GET", "/v1/spend", {"params": {"from": s, "to": s}}),
    "name of a parameter": lambda s: ("GET", "/v1/spend", {"params": {s: "x"}}),
    "path": lambda s: ("GET", f"/v1/budgets/{s.replace('/', '-')}", {}),
    "header Authorization": lambda s: ("GET", "/v1/spend", {"headers": {"Authorization": s}}),
    "key": lambda s: ("GET", "/v1/spend", {"headers": {"Authorization": f"Bearer {s}"}}),
    "user agent": lambda s: ("GET", "/v1/spend", {"headers": {"User-Agent": s, "Referer": s}}),
    "cookies": lambda s: ("GET", "/overview", {"headers": {"Cookie": f"spanledger_session={s}"}}),
}
"""Position -> a request of the API: method, address, and what else there is to say."""
HEARD: Final = (*SPANS, *LOGS, *METRICS)
POSITIONS: Final = (*HEARD, *ASKED)


def secrets_of(position: str) -> Iterator[str]:
    """A secret of each kind, for a position."""
    number = POSITIONS.index(position)
    for kind, make in enumerate(KINDS.values()):
        yield make(mark(number, kind))


def told_of(found: re.Match[bytes]) -> str:
    """Which position and kind a mark is of."""
    position, kind = found[1] or found[3][1::2], found[2] or found[4][1::2]
    return f"{tuple(KINDS)[int(kind)]} in {POSITIONS[int(position)]}"


def ids(position: str, number: int) -> tuple[bytes, bytes]:
    at = POSITIONS.index(position)
    return bytes([7, at // 256, at % 256, number]) * 4, bytes([7, at // 256, at % 256, number]) * 2


def traces(start: int, texts: Callable[[str], Sequence[str]]) -> bytes:
    """A span for each position and text."""
    body = ExportTraceServiceRequest()
    for position, put in SPANS.items():
        for number, text in enumerate(texts(position)):
            group = body.resource_spans.add()
            scope = group.scope_spans.add()
            scope.scope.name = "opentelemetry.instrumentation.genai.openai"
            trace, span = ids(position, number)
            usage = {"gen_ai.usage.input_tokens": 1000, "gen_ai.usage.output_tokens": 10}
            item = Span(
                trace_id=trace,
                span_id=span,
                name="chat",
                kind=Span.SPAN_KIND_CLIENT,
                start_time_unix_nano=start,
                end_time_unix_nano=start + 10**9,
                attributes=pairs({**CHAT, **usage}),
            )
            scope.spans.append(item)
            put(group, scope.spans[0], text)
    return body.SerializeToString()


def logs(start: int, texts: Callable[[str], Sequence[str]]) -> bytes:
    """A record for each position and text: one that tells of a call."""
    body = ExportLogsServiceRequest()
    said = {
        "event.name": "api_request",
        "model": "claude-sonnet-4-5",
        "input_tokens": 300,
        "output_tokens": 50,
    }
    for position, put in LOGS.items():
        for number, text in enumerate(texts(position)):
            group = body.resource_logs.add()
            scope = group.scope_logs.add()
            scope.scope.name = "com.anthropic.claude_code.events"
            trace, span = ids(position, number)
            kept = {key: each for key, each in said.items() if key not in position}
            scope.log_records.append(
                LogRecord(
                    time_unix_nano=start + number,
                    trace_id=trace,
                    span_id=span,
                    attributes=pairs(kept),
                )
            )
            put(group, scope.log_records[0], text)
    return body.SerializeToString()


def metrics(start: int, texts: Callable[[str], Sequence[str]]) -> bytes:
    """A counter of tokens for each position and text."""
    body = ExportMetricsServiceRequest()
    for position, put in METRICS.items():
        for text in texts(position):
            group = body.resource_metrics.add()
            scope = group.scope_metrics.add()
            scope.scope.name = "an.instrumentation"
            item = Metric(name="gen_ai.client.token.usage", unit="{token}")
            point = item.sum.data_points.add(
                time_unix_nano=start, start_time_unix_nano=start - 10**9, as_int=1000
            )
            item.sum.aggregation_temporality = 1  # type: ignore[assignment]  # its stub wants the enum
            item.sum.is_monotonic = True
            point.attributes.extend(
                pairs({"gen_ai.token.type": "input", "gen_ai.request.model": "gpt-4o"})
                if "label" not in position
                else []
            )
            scope.metrics.append(item)
            put(group, scope.metrics[0], text)
    return body.SerializeToString()
