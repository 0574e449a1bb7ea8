"""Pages of performance: the API's figures, the frontier, and the same work side by side."""

import csv
import re
from decimal import Decimal
from html import unescape
from io import StringIO

import pytest
from fastapi.testclient import TestClient
from filled_ledger import (
    CLAUDE,
    GPT,
    IDLE,
    LLAMA,
    SEARCH,
    SUPPORT,
    asking,
    put_buckets,
    put_cell,
    put_charge,
)

from reports.charts.frontier_chart import Point, frontier, frontier_chart
from reports.pictures import svg
from spend.calls import Outcome, Owner, Route
from spend.histograms import bucket_of
from store.postgres.sessions import Database
from store.tables.rollups import LATENCY, TTFT

HOSTILE = Route("<b>x</b>", "javascript:1", operation="chat", deployment="api")
NOW = "2026-10-20T12:00"


def client_of(database: Database) -> TestClient:
    """Today at ten, and yesterday at ten for comparison."""
    with database.write() as session:
        for slot, owner, route, calls, cost, ms in (
            ("2026-10-20T10:00", SEARCH, GPT, 40, "4.00", 2000),
            ("2026-10-19T10:00", SEARCH, GPT, 40, "2.00", 1000),
            ("2026-10-20T10:00", SEARCH, LLAMA, 10, "2.00", 8000),
            ("2026-10-20T10:00", SUPPORT, CLAUDE, 5, "0.25", 500),
            ("2026-10-20T10:15", Owner("a"), HOSTILE, 1, "0.01", 90_000),
        ):
            put_cell(
                session,
                slot,
                owner,
                route,
                calls=calls,
                input=750 * calls,
                output=250 * calls,
                timed=(calls, calls * ms * 1000, calls * 250, calls * ms * 1000),
            )
            put_charge(session, slot, cost, owner, route)
            put_buckets(session, slot, LATENCY, {bucket_of(ms * 1000): calls}, owner, route)
        put_buckets(session, "2026-10-20T10:00", TTFT, {bucket_of(300_000): 40})
        put_cell(session, "2026-10-20T10:15", calls=10, outcome=Outcome.RATE_LIMITED)
        put_charge(session, "2026-10-20T10:00", "6.00", IDLE, LLAMA, meter="idle", pool_id=1)
    return asking(database, now=NOW)


def rows(client: TestClient, path: str, name: str) -> list[dict[str, str]]:
    answer = client.get(f"{path}{'&' if '?' in path else '?'}csv={name}")
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(StringIO(answer.text)))


def words(text: str) -> str:
    body = re.sub(r"<(script|style).*?</\1>", " ", text, flags=re.DOTALL)
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body)))


@pytest.mark.one_server
def test_pages_of_performance_tell_what_the_api_tells(database: Database) -> None:
    client = client_of(database)
    asked = {"from": "2026-10-20", "to": "2026-10-21", "group_by": "model"}
    told = {
        each["model"]: each for each in client.get("/v1/performance", params=asked).json()["rows"]
    }
    found = {each["group"]: each for each in rows(client, "/performance", "performance")}
    gpt = found["openai gpt-4o"]
    assert gpt["calls"] == str(told["gpt-4o"]["calls"]) == "50"
    assert float(gpt["p95_ms"]) == round(told["gpt-4o"]["latency_ms"]["p95"])
    assert float(gpt["ttft_p50_ms"]) == round(told["gpt-4o"]["ttft_ms"]["p50"])
    assert float(gpt["error_rate"]) == told["gpt-4o"]["error_rate"] == 0.2
    assert Decimal(gpt["cost_per_call"]) == Decimal("0.08")
    text = client.get("/performance").text
    # Twice the latency of yesterday, at the same hours.
    assert re.search(r"\+(99|100|101|102)%", words(text))
    assert 'class="right bad"' in text
    assert "10 rate limited" in words(text)
    assert "<b>x" not in text
    by_team = rows(client, "/performance?group_by=team&last=7d", "performance")
    assert {each["group"] for each in by_team} == {"search", "support", "a"}

    # The first is the cheapest, and nothing that is faster than claude costs less.
    models = rows(client, "/performance/frontier?latency=p50", "models")
    assert {each["model"]: each["frontier"] for each in models} == {
        "openai gpt-4o": "no",
        "vllm llama-3.3-70b": "no",
        "anthropic claude-sonnet-4-5": "yes",
        "<b>x</b> javascript:1": "yes",
    }
    page = client.get("/performance/frontier").text
    assert "<title>Performance: cost against latency ·" in page
    assert "<b>x" not in page
    assert "Down and to the left is better" in words(page)

    # Search does the same on both; idle hours make its own capacity four times as dear.
    (own, api) = sorted(
        rows(client, "/performance/side-by-side", "work-1"), key=lambda each: each["model"] < "p"
    )
    assert (own["model"], api["model"]) == ("vllm llama-3.3-70b", "openai gpt-4o")
    assert (Decimal(own["cost_per_call"]), Decimal(own["whole_cost_per_call"])) == (
        Decimal("0.2"),
        Decimal("0.8"),
    )
    assert "only that may be held against" in words(client.get("/performance/side-by-side").text)
    for path in ("", "/frontier", "/side-by-side"):
        assert "30 days" in words(client.get(f"/performance{path}?team=nobody").text)
    assert client.get("/performance?last=3d").status_code == 422
    assert client.get("/performance/frontier?group=x").status_code == 422


def point(name: str, cost: float, ms: float, calls: int = 10) -> Point:
    return Point(name, "OpenAI", "#1b9e77", cost, ms, calls)


def test_the_frontier_is_what_nothing_beats_in_both() -> None:
    cheap, fast, beaten, equal = (
        point("cheap", 1, 900),
        point("fast", 9, 100),
        point("beaten", 9, 950),
        point("equal", 9, 100),
    )
    assert frontier([beaten, fast, cheap]) == [cheap, fast]
    assert len(frontier([fast, equal])) == 1
    assert frontier([]) == []


def test_labels_of_the_frontier_do_not_collide() -> None:
    crowd = [point(f"a-model-of-some-length-{n}", 1 + n / 10, 1000 + 13 * n) for n in range(12)]
    apart = [point("left", 0.01, 10), point("right", 90, 90_000, 5000)]
    spec = frontier_chart([*crowd, *apart], cost_title="Cost", latency_title="Latency")
    (names,) = (layer for layer in spec["layer"] if "align" in layer["mark"])
    named = [row["name"] for row in names["data"]["values"]]
    assert {"left", "right"} <= set(named)
    assert len(named) < len(crowd), "those that found no place are numbered in the table alone"
    assert "<svg" in svg(spec)
    assert "<svg" in svg(frontier_chart([apart[0]], cost_title="Cost", latency_title="Latency"))
