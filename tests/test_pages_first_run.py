"""Until something is heard the first page says how to begin; then it is the overview."""

import html
import re
import subprocess
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from filled_ledger import SEARCH, asking, at, put_cell, put_charge
from spans import heard, only
from sqlalchemy import insert

from collector.limits import Limits
from collector.otlp_json.request import to_protobuf
from collector.signals import Signal
from store.access.keys import create_key
from store.postgres.sessions import Database
from store.tables.heard import batches
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

ROOT = Path(__file__).parent.parent
PEPPER = b"sixteen bytes and more"


def snippets(client: TestClient) -> list[str]:
    """What the page has to be copied, as it would be."""
    found = re.findall(r"<pre[^>]* data-copy>(.*?)</pre>", client.get("/").text, re.DOTALL)
    return [html.unescape(each) for each in found]


def state(client: TestClient) -> str | None:
    found = re.search(r'data-first-run="([^"]*)"', client.get("/").text)
    return found and found[1]


def put_batch(database: Database, number: int, **counts: int) -> None:
    its = {"heard": 0, "stored": 0, "duplicate": 0, "not_a_call": 0, "refused": 0, **counts}
    with database.write() as session:
        session.execute(
            insert(batches).values(tenant_id=TENANT, id=number, received_at=at("2026-10-20"), **its)
        )


@pytest.mark.parametrize("place", ["/explore", "/calls", "/traces", "/performance"])
def test_where_nothing_was_ever_heard_no_page_sends_one_to_look_for_it_elsewhere(
    place: str, database: Database
) -> None:
    client = asking(database)
    empty = client.get(place).text
    assert "Nothing was heard yet" in empty
    assert '<a class="button" href="/">How to begin</a>' in empty
    with database.write() as session:
        put_cell(session, "2026-01-03")
        put_charge(session, "2026-01-03", "1")
    assert "How to begin" not in client.get(place).text


def test_an_empty_ledger_shows_how_to_send_the_first_span(database: Database) -> None:
    client = asking(database, otlp_http_url="http://127.0.0.1:4318")
    page = client.get("/")
    assert page.status_code == 200
    assert "Waiting for the first span" in page.text
    variables, sdk, by_hand, tutorial, demo = snippets(client)
    assert "export OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318" in variables
    assert "export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf" in variables, "Python speaks gRPC"
    assert "spanledger.instrument(" in sdk
    assert "endpoint" not in sdk
    elsewhere = snippets(asking(database, otlp_http_url="http://127.0.0.1:9"))[1]
    assert 'endpoint="http://127.0.0.1:9"' in elsewhere, "our SDK looks at the usual door"
    assert by_hand.startswith("curl http://127.0.0.1:4318/v1/traces ")
    assert (ROOT / tutorial.split()[1]).is_file()
    assert demo == "spanledger demo --weeks 6"
    assert '<noscript><meta http-equiv="refresh"' in page.text, "asked again without scripts"


def test_the_call_that_is_sent_by_hand_is_understood(database: Database) -> None:
    by_hand = snippets(asking(database))[2]
    # The shell makes the body of it; nothing is sent.
    script = by_hand.replace("curl", 'sent()  { printf %s "$5"; }; sent', 1)
    shell = subprocess.run(["sh", "-c", script], capture_output=True, check=True)  # noqa: S603, S607 - our own page's
    body = to_protobuf(shell.stdout, Signal.TRACES, Limits())
    assert body.left_out == {}
    understood = heard(body.body)
    call = only(understood)
    assert (call.usage["input"], call.usage["output"]) == (10_000, 2_500)
    (owner,) = understood.owners.values()
    assert owner.team == "search"


def test_spans_are_told_of_before_they_are_counted(database: Database) -> None:
    client = asking(database)
    waiting = state(client)
    put_batch(database, 1, heard=3, not_a_call=2, refused=1)
    assert "no call is among them" in client.get("/").text
    no_call = state(client)
    put_batch(database, 2, heard=1, stored=1)
    page = client.get("/").text
    assert "1 call." in page
    assert len({waiting, no_call, state(client)}) == 3, "the page sees that something came"


def test_the_first_call_that_is_counted_makes_it_the_overview(database: Database) -> None:
    client = asking(database)
    with database.write() as session:
        put_cell(session, "2026-10-05", SEARCH, charged=False)
    assert state(client) is not None, "not yet: its cost is still to come"
    with database.write() as session:
        put_cell(session, "2026-10-06", SEARCH, unpriced=1)
    page = client.get("/?month=2026-10").text
    assert "<h1>Overview</h1>" in page
    assert "what its calls cost is not known" in page
    with database.write() as session:
        put_charge(session, "2026-10-05", "1.5", SEARCH)
    assert "$1.50" in client.get("/?month=2026-10").text


def test_who_has_a_key_is_told_that_senders_need_one(database: Database) -> None:
    with database.write() as session:
        text = create_key(
            session,
            tenant=TENANT,
            kind="read",
            name="ann",
            team="ads",
            pepper=PEPPER,
            now=at("2026-10-20"),
        )
    client = asking(database, key_pepper=PEPPER)
    client.headers["Authorization"] = f"Bearer {text}"
    page = client.get("/").text
    assert "needs an ingest key" in page
    assert all("team=ads" in each or "ads" in each for each in snippets(client)[:3])
    assert "Authorization: Bearer KEY" in snippets(client)[2]


def test_the_docs_page_has_every_route_of_the_contract(database: Database) -> None:
    client = asking(database)
    page = html.unescape(client.get("/docs").text)
    paths = client.get("/openapi.json").json()["paths"]
    assert all(f"<code>{path}</code>" in page for path in paths)
