"""GET /v1/performance: how calls went, over any period and grouping."""

import math
import random
from collections import Counter
from typing import Any

import pytest
from filled_ledger import CLAUDE, GPT, SEARCH, SUPPORT, asking, put_buckets, put_cell

from spend.calls import Outcome
from spend.histograms import bucket_of
from store.postgres.sessions import Database
from store.tables.rollups import LATENCY, TTFT

pytestmark = pytest.mark.one_server


def ask(database: Database, **params: Any) -> dict[str, Any]:
    asked = {"from": "2026-10-01", "to": "2026-11-01"} | params
    answer = asking(database).get("/v1/performance", params=asked)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def test_performance_is_told_in_the_words_of_the_contract(database: Database) -> None:
    with database.write() as session:
        put_cell(
            session,
            "2026-10-05",
            calls=6,
            timed=(6, 9_000_000, 120, 4_000_000),
            input=600,
            cache_read=300,
            cache_write=100,
            output=120,
        )
        put_cell(session, "2026-10-05", calls=1, outcome=Outcome.TIMEOUT)
        put_cell(session, "2026-10-06", calls=3, outcome=Outcome.RATE_LIMITED)
        put_buckets(session, "2026-10-05", LATENCY, {bucket_of(2_000_000): 10})
    body = ask(database, group_by="team,model")
    (row,) = body["rows"]
    none = {"p50": None, "p90": None, "p95": None, "p99": None}
    latency = row["latency_ms"]["p50"]
    assert abs(latency - 2000) <= 20
    expected = {
        "calls": 10,
        "errors": 4,
        "error_rate": 0.4,
        "errors_by_kind": {"timeout": 1, "rate_limited": 3},
        "latency_ms": dict.fromkeys(none, latency),
        "ttft_ms": none,
        "output_tokens_per_second": 30.0,
        "cache_hit_share": 0.3,
    }
    assert row == {"team": "search", "model": "gpt-4o", **expected}
    assert body["total"] == expected
    assert (body["from"], body["to"], body["complete_until"]) == ("2026-10-01", "2026-11-01", None)


def test_where_nothing_was_heard_nothing_is_claimed(database: Database) -> None:
    body = ask(database, group_by="team")
    assert body["rows"] == []
    assert body["total"]["error_rate"] is None
    assert body["total"]["cache_hit_share"] is None


def test_a_cell_that_was_taken_back_is_no_row(database: Database) -> None:
    with database.write() as session:
        put_cell(session, "2026-10-05", calls=0)
        put_buckets(session, "2026-10-05", LATENCY, {7: 0})
    assert ask(database, group_by="team")["rows"] == []


SHAPES = {
    "lognormal": lambda chance: int(chance.lognormvariate(13.5, 1.1)),
    "bimodal": lambda chance: int(chance.gauss(*chance.choice([(2e5, 1e4), (9e6, 4e5)]))),
    "constant": lambda _chance: 1_234_567,
}


@pytest.mark.parametrize("shape", SHAPES)
def test_percentiles_are_within_one_percent_over_any_grouping(
    database: Database, shape: str
) -> None:
    chance = random.Random(shape)
    measured: dict[tuple[str, str], list[int]] = {}
    with database.write() as session:
        for owner, route in ((SEARCH, GPT), (SEARCH, CLAUDE), (SUPPORT, GPT)):
            for day in ("2026-10-05", "2026-10-06", "2026-10-29"):
                values = [max(0, SHAPES[shape](chance)) for _ in range(chance.randrange(1, 400))]
                put_cell(session, day, owner, route, calls=len(values))
                for measure in (LATENCY, TTFT):
                    counts = Counter(bucket_of(value) for value in values)
                    put_buckets(session, day, measure, counts, owner, route)
                measured.setdefault((owner.team, day), []).extend(values)
    everything = [value for values in measured.values() for value in values]
    _close(ask(database)["total"], everything)
    for row in ask(database, group_by="team,day")["rows"]:
        _close(row, measured[row["team"], row["day"]])
    for row in ask(database, group_by="team")["rows"]:
        _close(
            row,
            [v for (team, _), values in measured.items() if team == row["team"] for v in values],
        )
    days = [v for (_, day), values in measured.items() if day < "2026-10-29" for v in values]
    _close(ask(database, to="2026-10-15")["total"], days)


def _close(figures: dict[str, Any], values: list[int]) -> None:
    ordered = sorted(values)
    for name, share in (("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99)):
        exact = ordered[math.floor(share * (len(ordered) - 1))] / 1000
        for measure in ("latency_ms", "ttft_ms"):
            assert math.isclose(figures[measure][name], exact, rel_tol=0.01), (name, exact)
