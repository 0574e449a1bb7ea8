"""Pages of calls and traces: the API's facts, each call's cost once, whatever spans are called."""

import csv
import re
from datetime import timedelta
from decimal import Decimal
from html import unescape
from io import StringIO

import pytest
from fastapi.testclient import TestClient
from filled_ledger import asking
from sighted import NOON, hear, sighting

from api.pages.span_ids import span_id_of, trace_id_of
from jobs import roll
from jobs.charging import charge
from jobs.context import JobContext, JobSettings
from spend.calls import Emitter, Outcome, Owner, Role, Route
from spend.prices.prices import CONTRACT, PriceLine
from store.access.keys import create_key
from store.postgres.sessions import Database
from store.prices import books
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

PEPPER = b"p" * 32
SDK = Emitter("openai.sdk", "2.1", "otel-genai")
AGENT = Emitter("openinference.instrumentation.langchain", "0.1", "openinference")
HOSTILE = "<script>alert(1)</script>"
TRACE = f"{1:032x}"


@pytest.fixture
def client(database: Database) -> TestClient:
    """An agent that made two calls, one of them seen twice and one failed; and others' calls."""
    lines = [
        PriceLine(
            book=CONTRACT,
            provider="openai",
            model="gpt-4o",
            meter=meter,
            unit_price=Decimal(price),
            currency="USD",
            valid_from=NOON.replace(month=1),
            source="contract.csv",
        )
        for meter, price in (("input", "2.5"), ("output", "10"))
    ]
    with database.write() as session:
        books.enter_contract(session, TENANT, lines, now=NOON)
    later = NOON + timedelta(milliseconds=500)
    hear(
        database,
        [
            sighting(1, 1, role=Role.AGGREGATE, emitter=AGENT, duration_us=4_000_000),
            sighting(1, 2, parent_span_id=1, response_id="chatcmpl-0001", start_at=later),
            sighting(
                1,
                3,
                parent_span_id=2,
                response_id="chatcmpl-0001",
                emitter=SDK,
                start_at=later + timedelta(milliseconds=2),
                duration_us=900_000,
                ttft_us=250_000,
            ),
            sighting(
                1,
                4,
                parent_span_id=99,
                start_at=NOON + timedelta(seconds=2),
                outcome=Outcome.RATE_LIMITED,
                usage={},
            ),
            sighting(
                1,
                5,
                parent_span_id=1,
                start_at=NOON + timedelta(seconds=3),
                owner=Owner("support", service=HOSTILE),
                route=Route(provider=HOSTILE, model="javascript:1", operation="chat"),
            ),
            sighting(2, 1, duration_us=3_000_000, usage={"input": 100_000, "output": 9000}),
        ],
    )
    at = NOON + timedelta(hours=1)
    context = JobContext(database=database, now=at, settings=JobSettings(), by_hand=True)
    roll.run(context)
    charge.run(context)
    return asking(database, now="2026-10-14T13:00", key_pepper=PEPPER)


def words(text: str) -> str:
    body = re.sub(r"<(script|style).*?</\1>", " ", text, flags=re.DOTALL)
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body)))


def rows(client: TestClient, path: str, name: str) -> list[dict[str, str]]:
    answer = client.get(f"{path}{'&' if '?' in path else '?'}csv={name}")
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(StringIO(answer.text)))


def test_a_call_is_not_compared_with_itself(client: TestClient) -> None:
    shown = client.get(f"/calls/{TRACE}/{5:016x}")
    assert shown.status_code == 200
    text = words(shown.text)
    assert "No other call of this model is counted that day" in text
    assert "Beside the calls of this model" not in text
    others = client.get(f"/calls/{TRACE}/{3:016x}")
    assert "Beside the calls of this model" in words(others.text)


def test_pages_of_calls_tell_what_the_api_tells(client: TestClient) -> None:
    path = f"/calls/{TRACE}/{3:016x}"
    told = client.get(f"/v1{path}").json()
    shown = client.get(path)
    assert shown.status_code == 200
    text = words(shown.text)
    assert "In the ledger" in text
    assert "Slower than" in text
    lines = rows(client, path, "cost")
    assert sum(Decimal(each["amount"]) for each in lines) == Decimal(told["cost"])
    assert [each["quantity"] for each in lines] == [
        str(each["quantity"]) for each in told["how"]["lines"]
    ]
    seen = rows(client, path, "sightings")
    assert [(each["span_id"], each["evidence"]) for each in seen] == [
        (each["span_id"], each["evidence"][:1].upper() + each["evidence"][1:])
        for each in told["sightings"]
    ]
    assert [each["counts"] for each in seen] == ["Witness: its usage counts", "Not counted again"]
    wrapper = words(client.get(f"/calls/{TRACE}/{1:016x}").text)
    assert "It repeats the calls beneath it" in wrapper
    unpriced = words(client.get(f"/calls/{TRACE}/{5:016x}").text)
    assert "There is no price for: input, cache_read, output." in unpriced

    # The trace: one cost a call, every sighting in its place.
    spans = rows(client, f"/traces/{TRACE}", "spans")
    assert [(each["span_id"][-1], each["depth"], each["counts"]) for each in spans] == [
        ("1", "0", "no"),
        ("2", "1", "yes"),
        ("3", "2", "no"),
        ("5", "1", "yes"),
        ("4", "0", "yes"),
    ]
    costs = [Decimal(each["cost"]) for each in spans if each["cost"]]
    assert sum(costs) == Decimal(told["cost"])
    page = client.get(f"/traces/{TRACE.upper()}")
    text = words(page.text)
    assert "2 of 5 sightings are not counted" in text
    assert "1 of these lie under a span that does not" in text
    assert "rate limited" in text
    assert "<script>alert" not in page.text
    assert 'href="javascript' not in page.text
    hidden = client.get(f"/traces/{TRACE}?again=hide").text
    assert "openai.sdk" not in words(hidden)

    # The list.
    listed = rows(client, "/traces", "traces")
    assert {each["trace_id"]: each["calls"] for each in listed} == {TRACE: "3", f"{2:032x}": "1"}
    dearest = rows(client, "/traces?order=dearest&last=7d", "traces")
    assert dearest[0]["trace_id"] == f"{2:032x}"
    assert Decimal(dearest[0]["cost"]) == Decimal("0.34")
    failed = rows(client, "/traces?failed=yes&team=search", "traces")
    assert [(each["trace_id"], each["calls"], each["failed"]) for each in failed] == [
        (TRACE, "2", "1")
    ]
    assert "No trace fits" in words(client.get("/traces?model=none").text)
    assert client.get("/traces", params={"trace_id": TRACE}).url.path == f"/traces/{TRACE}"
    for wrong in ("/traces?order=best", "/traces?nothing=1", "/traces?from=x"):
        assert client.get(wrong).status_code == 422

    # Nothing there.
    for path in (f"/calls/{TRACE}/{77:016x}", "/calls/x/y", f"/traces/{9:032x}", "/traces/none"):
        missing = client.get(path, headers={"Accept": "text/html"})
        assert missing.status_code == 404
        assert "Nothing under these ids was heard" in words(missing.text)


def test_a_key_of_one_team_sees_its_calls_of_a_trace_and_no_others(
    client: TestClient, database: Database
) -> None:
    with database.write() as session:
        text = create_key(
            session,
            tenant=TENANT,
            kind="read",
            name="s",
            team="support",
            pepper=PEPPER,
            now=NOON,
        )
    client.headers["Authorization"] = f"Bearer {text}"
    spans = rows(client, f"/traces/{TRACE}", "spans")
    assert [each["span_id"] for each in spans] == [f"{5:016x}"]
    assert "search" not in words(client.get(f"/traces/{TRACE}").text)
    assert client.get(f"/calls/{TRACE}/{5:016x}").status_code == 200
    assert client.get(f"/calls/{TRACE}/{2:016x}").status_code == 404
    assert client.get(f"/traces/{2:032x}").status_code == 404
    assert [each["calls"] for each in rows(client, "/traces", "traces")] == ["1"]
    assert client.get("/traces?team=search").status_code == 403


def test_ids_are_taken_as_people_paste_them() -> None:
    assert trace_id_of(" 0178325A-9a9b-2b17-56ab-ff1a1b27390a ") == trace_id_of(
        "0178325a9a9b2b1756abff1a1b27390a"
    )
    assert span_id_of("FFFFFFFFFFFFFFFE") == -2
    assert (trace_id_of("x" * 32), span_id_of("1"), trace_id_of("")) == (None, None, None)
