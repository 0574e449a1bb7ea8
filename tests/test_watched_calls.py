"""Each kind of alert rule finds what it says, of whom it says, and nothing else."""

from decimal import Decimal

import pytest
from filled_ledger import CLAUDE, GPT, SEARCH, SUPPORT, put_buckets, put_cell
from sqlalchemy import insert
from watching import NOW, complete, measured, rule

from spend.alerts.rule_words import said
from spend.calls import Outcome
from spend.histograms import bucket_of
from store.postgres.sessions import Database
from store.tables.heard import batches
from store.tables.rollups import LATENCY, TTFT
from store.tenants import TENANT

pytestmark = pytest.mark.one_server


def test_the_error_rate_is_of_the_calls_of_the_window_by_subject(database: Database) -> None:
    with database.write() as session:
        put_cell(session, "2026-10-20T11:30", SEARCH, GPT, calls=35)
        put_cell(session, "2026-10-20T11:30", SEARCH, GPT, calls=4, outcome=Outcome.RATE_LIMITED)
        put_cell(session, "2026-10-20T11:45", SEARCH, CLAUDE, calls=1, outcome=Outcome.TIMEOUT)
        put_cell(session, "2026-10-20T11:45", SUPPORT, GPT, calls=19)
        # Before the window, and after what is complete.
        put_cell(session, "2026-10-20T10:45", SEARCH, GPT, calls=900, outcome=Outcome.ERROR)
        put_cell(session, "2026-10-20T12:00", SEARCH, GPT, calls=900, outcome=Outcome.ERROR)
    complete(database)
    found = measured(database, rule(database, "error-rate", by=["team"]))
    assert {name: each.value for name, each in found.items()} == {
        "team=search": Decimal("12.5"),
        "team=support": None,
    }
    search = found["team=search"]
    assert search.facts == (
        ("Calls", "5 of 40 failed"),
        ("Errors", "rate limited 4, timeout 1"),
    )
    assert search.team == "search"
    assert search.end == NOW
    only = rule(database, "error-rate", name="b", filter={"model": ["claude-sonnet-4-5"]})
    assert measured(database, only)[""].detail["calls"] == 1


@pytest.mark.parametrize(("kind", "measure"), [("latency", LATENCY), ("time-to-first-token", TTFT)])
def test_durations_are_a_percentile_within_one_percent(
    database: Database, kind: str, measure: int
) -> None:
    with database.write() as session:
        # Of the other measure, which must not count.
        put_buckets(session, "2026-10-20T11:30", LATENCY + TTFT - measure, {bucket_of(9**9): 500})
        fast, slow = bucket_of(200_000), bucket_of(4_000_000)
        put_buckets(session, "2026-10-20T11:30", measure, {fast: 60, slow: 4})
        put_buckets(session, "2026-10-20T11:45", measure, {fast: 30, slow: 6})
    complete(database)
    p95 = rule(database, kind, over="3000")
    (found,) = measured(database, p95).values()
    assert found.value is not None
    assert abs(found.value - 4000) <= 40
    assert found.detail["calls"] == 100
    assert said(p95.terms, found).startswith("P95 of ")
    half = rule(database, kind, name="half", over="3000", percentile="p50")
    (found,) = measured(database, half).values()
    assert found.value is not None
    assert abs(found.value - 200) <= 2
    much = rule(database, kind, name="more", over="3000", minimum=101)
    assert [each.value for each in measured(database, much).values()] == [None]


def test_silence_is_measured_of_what_was_heard_before(database: Database) -> None:
    with database.write() as session:
        put_cell(session, "2026-10-20T08:00", SEARCH, GPT, calls=3)
        put_cell(session, "2026-10-20T11:45", SUPPORT, GPT, calls=3)
        put_cell(session, "2026-10-20T11:45", SEARCH, CLAUDE, calls=0)
        put_cell(session, "2026-10-19T11:00", SEARCH, CLAUDE, calls=3)
    complete(database)
    by_team = rule(database, "no-data", by=["team"])
    found = measured(database, by_team)
    assert {name: each.value for name, each in found.items()} == {
        "team=search": Decimal(225),
        "team=support": Decimal(0),
    }
    assert said(by_team.terms, found["team=search"]) == (
        "No call of team search was heard for 3 h 45 min"
    )
    assert found["team=search"].facts[-1] == (
        "Of others",
        "nothing: the collector has heard nothing at all",
    )
    with database.write() as session:
        counts = dict.fromkeys(("heard", "stored"), 1)
        session.execute(
            insert(batches).values(
                tenant_id=TENANT,
                id=1,
                received_at=NOW,
                duplicate=0,
                not_a_call=0,
                refused=0,
                **counts,
            )
        )
    assert measured(database, by_team)["team=search"].facts[-1][1].startswith("something was heard")
    never = rule(database, "no-data", name="b", filter={"team": ["nobody"]})
    assert measured(database, never)[""].value is None


def test_what_has_no_known_cost_is_counted_by_model(database: Database) -> None:
    with database.write() as session:
        put_cell(session, "2026-10-20T09:00", calls=5, unpriced=2, unmetered=1, input=700)
        put_cell(session, "2026-10-20T09:15", calls=9, route=CLAUDE)
        put_cell(session, "2026-10-20T09:15", calls=9, charged=False, unpriced=None)
    complete(database)
    found = measured(database, rule(database, "unpriced"))
    assert {name: each.value for name, each in found.items()} == {
        "provider=openai, model=gpt-4o": Decimal(2),
        "provider=anthropic, model=claude-sonnet-4-5": Decimal(0),
    }
    assert found["provider=openai, model=gpt-4o"].facts[-1] == ("Usage not told", "by 1 of them")
    tokens = rule(database, "unpriced", name="b", by=[], count="tokens", filter={"team": ["x"]})
    (none,) = measured(database, tokens).values()
    assert (none.value, none.unit) == (Decimal(0), "tokens")


def test_before_anything_is_complete_nothing_is_concluded(database: Database) -> None:
    with database.write() as session:
        put_cell(session, "2026-10-20T11:30", calls=100, outcome=Outcome.ERROR)
    for kind in ("error-rate", "no-data", "unpriced"):
        assert measured(database, rule(database, kind)) == {}
