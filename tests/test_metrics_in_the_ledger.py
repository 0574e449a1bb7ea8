"""Token metrics, through Postgres: they count where nothing else told, and nowhere else."""

import random

import pytest
from captured_ledger import amount, hear, settle
from deliveries import item_by_item, sent
from filled_ledger import empty_ledger

from collector.signals import Signal
from store.postgres.sessions import Database
from store.tables.ledger import charges, usage_lines
from store.tables.months import month_acts
from store.tables.rollups import cells

# What counts does not depend on Postgres' version: test_metrics_priced.py runs the SQL on both.
pytestmark = pytest.mark.one_server

Sums = tuple[int, ...]

TOLD_BY_METRICS: dict[str, Sums] = {
    # Calls, errors, input, cache read, cache write, output, reasoning. What a metric cannot tell
    # is in docs/dialects.md: failed calls, mostly; how much came from the cache; a counter's calls.
    "claude-code/default": (0, 0, 2000, 1160, 240, 100, 0),
    "claude-code/old": (0, 0, 4000, 2320, 480, 200, 0),
    "claude-code/subagent": (0, 0, 5000, 2900, 600, 250, 0),
    "claude-code/traces": (0, 0, 2000, 1160, 240, 100, 0),
    "codex/exec": (0, 0, 2000, 800, 0, 100, 40),
    "codex/attempts": (0, 0, 1000, 400, 0, 50, 20),
    "codex/tool": (0, 0, 2000, 800, 0, 100, 40),
    # It tells of each call in two families, of which one knows the cache.
    "gemini-cli/auto": (0, 0, 2000, 800, 0, 100, 40),
    "gemini-cli/flaky": (0, 0, 1000, 400, 0, 50, 20),
    "gemini-cli/grpc": (0, 0, 1000, 400, 0, 50, 20),
    "gemini-cli/old": (0, 0, 2000, 800, 0, 100, 40),
    "google-adk/v2": (1, 0, 1000, 0, 0, 50, 0),
    "litellm/default": (2, 0, 1011, 0, 0, 50, 0),
    "openlit/openai": (9, 0, 7015, 0, 0, 356, 0),
    "otel-genai/anthropic": (4, 0, 4000, 0, 0, 200, 0),
    "otel-genai/openai": (8, 0, 7011, 0, 0, 350, 0),
    "otel-openai-v2/latest": (5, 0, 4011, 0, 0, 200, 0),
    "pydantic-ai/default": (5, 0, 5000, 0, 0, 250, 0),
    "traceloop/anthropic": (4, 0, 4000, 0, 0, 202, 0),
    "traceloop/openai": (5, 0, 4011, 0, 0, 200, 0),
    "traceloop/sdk-langchain": (3, 0, 3000, 0, 0, 150, 0),
}


@pytest.mark.parametrize("scenario", sorted(TOLD_BY_METRICS))
def test_metrics_alone_are_what_a_source_used(database: Database, scenario: str) -> None:
    for request in sent(scenario, ["metrics"]):
        hear(database, request)
        settle(database)
    assert amount(database) == TOLD_BY_METRICS[scenario]


SHUFFLED = ["claude-code/old", "gemini-cli/auto", "litellm/default", "otel-genai/openai"]


@pytest.mark.parametrize("scenario", SHUFFLED)
def test_the_order_of_exports_changes_nothing(database: Database, scenario: str) -> None:
    requests = item_by_item(sent(scenario, ["metrics"]))
    requests += requests[::3]
    random.Random(scenario).shuffle(requests)
    for number, request in enumerate(requests):
        hear(database, request)
        if number % 5 == 0:
            settle(database)
    settle(database)
    assert amount(database) == TOLD_BY_METRICS[scenario]


BESIDE = [
    (name, signal)
    for name in sorted(TOLD_BY_METRICS)
    for signal in ("traces", "logs")
    if sent(name, [signal])
]


@pytest.mark.parametrize(("scenario", "calls"), BESIDE)
def test_what_calls_tell_metrics_do_not_tell_again(
    database: Database, scenario: str, calls: str
) -> None:
    # Metrics first: they count, until the calls are told with their usage; and then no more.
    hear(database, *sent(scenario, [calls]))
    settle(database)
    alone = amount(database)
    with database.write() as session:
        empty_ledger(session)
        for table in reversed(cells.metadata.sorted_tables):
            if table not in {charges, usage_lines, month_acts}:
                session.execute(table.delete())
    for signal in ("metrics", calls, "metrics"):
        hear(database, *sent(scenario, [signal]))
        settle(database)
    measured = TOLD_BY_METRICS[scenario]
    # Gemini CLI's spans are closed before its usage is known.
    both = (*alone[:2], *measured[2:])
    assert amount(database) == (alone if any(alone[2:]) else both if alone[0] else measured)


def test_every_point_is_accounted_for(database: Database) -> None:
    (request,) = sent("claude-code/default", ["metrics"])
    (once,) = hear(database, request)
    (again,) = hear(database, request)
    assert (once.heard, once.stored, once.duplicate, once.not_a_call) == (7, 4, 0, 3)
    assert (again.heard, again.stored, again.duplicate, again.not_a_call) == (7, 0, 4, 3)
    assert request[0] is Signal.METRICS
