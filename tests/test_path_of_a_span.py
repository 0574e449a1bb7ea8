"""The whole way, through the public doors: from an application's span to a charge, a statement
and a warning in Slack. Read this first: it is what everything else is for.

On the oldest Postgres that there is; on the newest the tutorial (test_tutorial.py) and the canary
(test_canary.py) go the same way.
"""

import json
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter
from opentelemetry.trace import SpanKind, Status, StatusCode
from serving import Serving, serving, spanledger
from slack_stand_in import StandIn, slack_stand_in

# Yesterday's noon: in the past for every clock, and mostly in this month.
CALLED_AT = (datetime.now(UTC) - timedelta(days=1)).replace(hour=12, minute=0, second=0)
MONTH = f"{CALLED_AT:%Y-%m}"


@pytest.fixture
def slack() -> Iterator[StandIn]:
    with slack_stand_in() as stand_in:
        yield stand_in


@pytest.fixture
def running(tmp_path: Path, database_url: str, slack: StandIn) -> Iterator[Serving]:
    settings = {
        "DATABASE_URL": database_url,
        "SLACK_WEBHOOK_URL": slack.url,
        "ALLOW_PRIVATE_DESTINATIONS": "true",
    }
    with serving(tmp_path / "data", **settings) as started:
        yield started


@pytest.mark.oldest_server
def test_a_span_becomes_a_charge_a_statement_and_one_warning(
    running: Serving, slack: StandIn, tmp_path: Path, database_url: str
) -> None:
    prices = {"input": "2.50", "cache_read": "1.25", "output": "10.00"}
    post(running, "/v1/prices", [contract_price(meter, prices[meter]) for meter in prices])
    budget = {"name": "Search", "filter": {"team": ["search"]}, "amount": "0.01",
              "currency": "USD", "period": "month", "thresholds": [80, 100]}  # fmt: skip
    made = post(running, "/v1/budgets", budget)

    # Ten calls through one door, ten through the other; one of them fails.
    http = HttpExporter(endpoint=f"http://{running.address('OTLP/HTTP')}/v1/traces")
    grpc = GrpcExporter(endpoint=f"http://{running.address('OTLP/gRPC')}", insecure=True)
    call_ten_times(http, fails=True)
    call_ten_times(grpc, fails=False)
    # Answered is committed: it is in the reports after one round by hand.
    settle(tmp_path, database_url, slack)

    spend = running.get(f"/v1/spend?{period()}&group_by=team,provider,model")
    (row,) = spend["rows"]
    each = (600 * Decimal("2.50") + 400 * Decimal("1.25") + 50 * Decimal(10)) / 10**6
    assert (row["team"], row["provider"], row["model"]) == ("search", "openai", "contract-1")
    assert (row["calls"], row["errors"], row["unpriced_calls"]) == (20, 1, 0)
    assert Decimal(row["cost"]) == 19 * each == Decimal(spend["total"]["cost"])
    assert row["usage"]["input_tokens"] == 19 * 600
    assert row["usage"]["cache_read_tokens"] == 19 * 400
    assert row["usage"]["output_tokens"] == 19 * 50

    # One message for each crossing: 80 % and 100 %, whoever settles how often.
    settle(tmp_path, database_url, slack)
    assert len(slack.messages) == 2, slack.texts
    assert all("Search" in text for text in slack.texts)
    status = running.get(f"/v1/budgets/{made['id']}/status")
    if f"{datetime.now(UTC):%Y-%m}" == MONTH:
        assert status["state"] == "over"
        assert Decimal(status["spent"]) == 19 * each

    statement = running.get(f"/v1/statements/{MONTH}")
    assert Decimal(statement["total"]["cost"]) == 19 * each
    assert statement["total"]["amount"] == "0.05"

    # And a call explains itself: meter by meter, with the price line that applied.
    calls = running.get(f"/v1/calls?{period()}")["calls"]
    called = next(call for call in calls if call["outcome"] == "ok")
    explained = running.get(f"/v1/calls/{called['trace_id']}/{called['span_id']}")
    assert Decimal(explained["cost"]) == each
    assert sum(Decimal(line["amount"]) for line in explained["how"]["lines"]) == each


def period() -> str:
    first = CALLED_AT.date()
    return f"from={first}&to={first + timedelta(days=1)}"


def contract_price(meter: str, unit_price: str) -> dict[str, str]:
    return {"provider": "openai", "model": "contract-1", "meter": meter, "unit_price": unit_price,
            "currency": "USD", "valid_from": "2026-01-01T00:00:00Z"}  # fmt: skip


def call_ten_times(exporter: SpanExporter, *, fails: bool) -> None:
    """As an application does: a real SDK, and a span as the GenAI conventions say."""
    resource = Resource.create({"service.name": "search-api", "team": "search"})
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("opentelemetry.instrumentation.genai.openai")
    for number in range(10):
        start = CALLED_AT + timedelta(seconds=number)
        attributes = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "contract-1",
        }
        span = tracer.start_span(
            "chat contract-1", kind=SpanKind.CLIENT, attributes=attributes, start_time=nanos(start)
        )
        if fails and number == 9:
            span.set_attribute("error.type", "RateLimitError")
            span.set_status(Status(StatusCode.ERROR))
        else:
            span.set_attribute("gen_ai.usage.input_tokens", 1000)
            span.set_attribute("gen_ai.usage.cache_read.input_tokens", 400)
            span.set_attribute("gen_ai.usage.output_tokens", 50)
        span.end(nanos(start + timedelta(milliseconds=800)))
    provider.shutdown()


def nanos(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000


def settle(tmp_path: Path, database_url: str, slack: StandIn) -> None:
    done = spanledger(
        tmp_path / "data", "jobs", "run", "--all",
        DATABASE_URL=database_url, SLACK_WEBHOOK_URL=slack.url, ALLOW_PRIVATE_DESTINATIONS="true",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def post(running: Serving, path: str, body: object) -> Any:
    request = urllib.request.Request(  # http, to this machine
        f"http://{running.address('Pages')}{path}",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310  # as above
        assert answer.status == 201
        return json.load(answer)
