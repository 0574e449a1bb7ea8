"""A call tells how its cost came about, and its parts are those of the ledger."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from filled_ledger import asking
from sighted import GPT, NOON, OTEL, hear, sighting

from jobs import roll
from jobs.charging import charge
from jobs.context import JobContext, JobSettings
from spend.calls import Emitter, Outcome, Owner, Role, Route
from spend.capacity.pools import Pool
from spend.prices.prices import CONTRACT, PriceLine
from store.capacity import pools
from store.postgres.sessions import Database
from store.prices import books
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

LITELLM = Emitter("litellm", "1.80", "otel-genai")
LLAMA = Route(provider="vllm", model="llama-3.3-70b", operation="chat", deployment="self-hosted")
LATER = NOON + timedelta(hours=2)


def settle(database: Database) -> None:
    context = JobContext(database=database, now=LATER, settings=JobSettings(), by_hand=True)
    roll.run(context)
    charge.run(context)


def set_prices(database: Database, **by_meter: str) -> None:
    lines = [
        PriceLine(
            book=CONTRACT,
            provider="openai",
            model="gpt-4o",
            meter=meter,
            unit_price=Decimal(price),
            currency="USD",
            valid_from=datetime(2026, 1, 1, tzinfo=UTC),
            source="contract.csv",
            reference="page 3",
        )
        for meter, price in by_meter.items()
    ]
    with database.write() as session:
        books.enter_contract(session, TENANT, lines, now=NOON)


def show(database: Database, trace: int, span: int) -> dict[str, Any]:
    answer = asking(database).get(f"/v1/calls/{trace:032x}/{span:016x}")
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def list_calls(database: Database, **params: Any) -> dict[str, Any]:
    asked = {"from": "2026-10-01", "to": "2026-11-01"} | params
    answer = asking(database).get("/v1/calls", params=asked)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def total(database: Database, **params: Any) -> dict[str, Any]:
    asked = {"from": "2026-10-01", "to": "2026-11-01"} | params
    body: dict[str, Any] = asking(database).get("/v1/spend", params=asked).json()["total"]
    return body


def test_each_meter_times_its_price_is_the_cost(database: Database) -> None:
    set_prices(database, input="2.5", output="10")
    hear(database, [sighting(ttft_us=250_500, details={"finish_reason": "stop"})])
    settle(database)
    body = show(database, 1, 1)
    assert body["usage"] == {
        "input_tokens": 600,
        "cache_read_tokens": 400,
        "output_tokens": 50,
        "reasoning_tokens": 20,
    }
    assert (body["outcome"], body["duration_ms"], body["ttft_ms"]) == ("ok", 1000.0, 250.5)
    assert body["owner"]["team"] == "search"
    assert body["owner"]["rule"] == "span attribute team"
    assert body["route"]["model"] == "gpt-4o"
    cost = body["how"]
    assert (body["cost"], cost["method"], cost["posted"]) == ("0.003", "price-book/2", True)
    charged = {line["meter"]: line for line in cost["lines"]}
    assert {name: (each["quantity"], each["amount"]) for name, each in charged.items()} == {
        "input": (600, "0.0015"),
        "cache_read": (400, "0.001"),
        "output": (50, "0.0005"),
    }
    price = charged["cache_read"]["price"]
    assert (price["meter"], price["unit_price"], price["book"]) == ("input", "2.50", "contract")
    assert (price["source"], price["reference"]) == ("contract.csv", "page 3")
    (seen,) = body["sightings"]
    assert seen["scope"] == OTEL.scope


def test_the_calls_of_a_cell_add_up_to_its_charges(database: Database) -> None:
    set_prices(database, input="0.123457", output="9.87")
    hear(
        database,
        [sighting(trace, usage={"input": 777 * trace, "output": trace}) for trace in range(1, 8)],
    )
    settle(database)
    amounts = [Decimal(show(database, trace, 1)["cost"]) for trace in range(1, 8)]
    assert sum(amounts) == Decimal(total(database)["cost"])


@pytest.mark.parametrize(
    ("sightings", "reason"),
    [
        ([sighting()], "There is no price for: input, cache_read, output."),
        ([sighting(usage={})], "It did not say what it used."),
    ],
)
def test_a_cost_that_is_unknown_is_null_with_its_reason(
    database: Database, sightings: Sequence[Any], reason: str
) -> None:
    hear(database, sightings)
    settle(database)
    body = show(database, 1, 1)
    assert (body["cost"], body["how"]["reason"], body["how"]["lines"]) == (None, reason, [])
    assert total(database)["unpriced_calls"] == 1


def test_a_failure_that_used_nothing_costs_nothing(database: Database) -> None:
    set_prices(database, input="2.5", output="10")
    hear(database, [sighting(outcome=Outcome.RATE_LIMITED, usage={})])
    settle(database)
    body = show(database, 1, 1)
    assert (body["outcome"], body["cost"]) == ("rate_limited", "0.00")


def test_a_call_that_was_not_rolled_up_is_not_posted(database: Database) -> None:
    set_prices(database, input="2.5", output="10")
    hear(database, [sighting()])
    assert show(database, 1, 1)["how"]["posted"] is False


def test_every_sighting_answers_with_its_call(database: Database) -> None:
    set_prices(database, input="2.5", output="10")
    server = sighting(
        9,
        -5,
        role=Role.SERVER,
        emitter=LITELLM,
        response_id="chatcmpl-1",
        start_at=NOON + timedelta(milliseconds=20),
        usage={"input": 1000, "output": 50},
    )
    hear(database, [sighting(response_id="chatcmpl-1"), server])
    settle(database)
    one, other = show(database, 1, 1), show(database, 9, -5 & (1 << 64) - 1)
    assert one == other
    assert total(database)["calls"] == 1
    assert [(each["scope"], each["standing"]) for each in one["sightings"]] == [
        (OTEL.scope, "merged"),
        ("litellm", "merged"),
    ]
    assert {each["evidence"] for each in one["sightings"]} == {"first sighting", "response id"}
    assert one["sightings"][1]["span_id"] == "fffffffffffffffb"
    assert one["cost"] == "0.003"


def test_a_wrapper_that_repeats_its_calls_says_so(database: Database) -> None:
    wrapper = sighting(1, 7, role=Role.AGGREGATE, duration_us=5_000_000)
    hear(database, [wrapper, sighting(1, 8, parent_span_id=7)])
    settle(database)
    body = show(database, 1, 7)
    assert (body["counts"], body["cost"]) == (False, None)
    assert body["sightings"][0]["standing"] == "held"


def test_a_pools_call_is_charged_its_share(database: Database) -> None:
    pool = Pool(
        "gpus", NOON, NOON + timedelta(hours=1), Decimal(4), "USD", {"provider": ("vllm",)}, "vllm"
    )
    with database.write() as session:
        pools.declare(session, TENANT, pool)
    run: dict[str, Any] = {"route": LLAMA, "duration_us": 900_000_000}
    hear(
        database,
        [
            sighting(1, usage={"input": 100, "output": 50}, **run),
            sighting(2, usage={"input": 100, "output": 100}, **run),
            sighting(3, usage={"input": 200, "output": 100}, owner=Owner("support"), **run),
        ],
    )
    settle(database)
    shown = [show(database, trace, 1) for trace in (1, 2, 3)]
    assert [each["how"]["share"]["work"] for each in shown] == ["300", "500", "600"]
    assert shown[0]["how"]["share"]["place_work"] == "800"
    assert shown[2]["how"]["share"]["place_work"] == "600"
    # Three quarters of the hour were busy: 3 of 4 dollars, by work.
    assert sum(Decimal(each["cost"]) for each in shown) == Decimal(3)
    assert shown[0]["how"]["method"] == "work-units-v1"
    assert (shown[0]["how"]["share"]["pool"], shown[0]["how"]["share"]["hour"]) == (
        "gpus",
        "2026-10-14T12:00:00Z",
    )


def test_a_pools_call_that_did_no_work_has_no_share_of_its_hour(database: Database) -> None:
    pool = Pool("gpus", NOON, None, Decimal(4), "USD", {"provider": ("vllm",)}, "vllm")
    with database.write() as session:
        pools.declare(session, TENANT, pool)
    hear(database, [sighting(1, route=LLAMA, usage={}, outcome=Outcome.TIMEOUT)])
    assert (show(database, 1, 1)["cost"], show(database, 1, 1)["how"]["posted"]) == (None, False)
    settle(database)
    found = show(database, 1, 1)
    assert (found["cost"], found["how"]["posted"]) == ("0.00", True)


def test_pages_hold_every_call_once_latest_first(database: Database) -> None:
    made = [
        sighting(trace, trace, start_at=NOON - timedelta(hours=7 * (trace // 3)))
        for trace in range(1, 24)
    ]
    hear(database, made)
    found: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        body = list_calls(database, limit=4, **cursor)
        found += body["calls"]
        assert len(body["calls"]) <= 4
        if body["next"] is None:
            break
        cursor = {"cursor": body["next"]}
    assert len({(each["trace_id"], each["span_id"]) for each in found}) == len(found) == 23
    starts = [each["started_at"] for each in found]
    assert starts == sorted(starts, reverse=True)


def test_calls_can_be_filtered_and_joined_ones_are_listed_once(database: Database) -> None:
    hear(
        database,
        [
            sighting(1, response_id="a"),
            sighting(2, response_id="a", emitter=LITELLM, role=Role.SERVER),
            sighting(3, owner=Owner("support", feature="triage")),
            sighting(4, route=replace(GPT, model="o3")),
            sighting(5, role=Role.AGGREGATE),
        ],
    )
    settle(database)
    assert [int(each["trace_id"], 16) for each in list_calls(database)["calls"]][-1] == 1
    assert total(database)["calls"] == len(list_calls(database)["calls"])
    (only,) = list_calls(database, team="support", feature="triage")["calls"]
    assert int(only["trace_id"], 16) == 3
    assert [each["route"]["model"] for each in list_calls(database, model="o3")["calls"]] == ["o3"]
    assert list_calls(database, to="2026-10-14T12:00:00Z")["calls"] == []


def test_a_call_whose_server_began_the_day_before_is_listed(database: Database) -> None:
    midnight = NOON.replace(hour=0)
    hear(
        database,
        [
            sighting(1, response_id="chatcmpl-000000001", start_at=midnight),
            sighting(
                2,
                response_id="chatcmpl-000000001",
                start_at=midnight - timedelta(seconds=1),
                emitter=LITELLM,
                role=Role.SERVER,
            ),
        ],
    )
    settle(database)
    asked = {"from": midnight.strftime("%Y-%m-%dT%H:%M:%SZ"), "to": "2026-10-15T00:00:00Z"}
    assert len(list_calls(database, **asked)["calls"]) == 1


def test_what_was_never_heard_is_404_and_what_is_no_id_422(database: Database) -> None:
    client = asking(database)
    assert client.get(f"/v1/calls/{1:032x}/{1:016x}").status_code == 404
    for path, field in (("xyz/0000000000000001", "trace_id"), (f"{1:032x}/1", "span_id")):
        answer = client.get(f"/v1/calls/{path}")
        assert (answer.status_code, answer.json()["field"]) == (422, field)
    for cursor in ("!", "AAAA", "WyJhIl0", "é", "bnVsbA"):
        answer = client.get("/v1/calls", params={"cursor": cursor})
        assert (answer.status_code, answer.json()["field"]) == (422, "cursor")
