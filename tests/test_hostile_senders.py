"""Attributes, addresses and numbers of names that strangers choose: kept out, or kept small."""

import re
from collections.abc import Iterator
from typing import Any, Final

import pytest
from conftest import fresh_database
from doors import open_doors
from fastapi.testclient import TestClient
from filled_ledger import asking, at
from hostile import KEYS
from slack_stand_in import slack_stand_in
from spans import call, request
from sqlalchemy import func, select
from test_destinations import INSIDE

from app.local_postgres import LocalPostgres
from store.postgres.sessions import Database, open_database
from store.tables.alerting import channels
from store.tables.budgets import budgets
from store.tables.heard import owners, routes, sightings

pytestmark = pytest.mark.one_server

START: Final = int(at("2026-10-05T08:00").timestamp()) * 10**9


@pytest.fixture(scope="module")
def client(postgres: LocalPostgres) -> Iterator[TestClient]:
    with fresh_database(postgres) as url:
        database = open_database(url, application="tests")
        yield asking(database, has_apprise=True)
        with database.read() as session:
            for table in (budgets, channels):
                assert session.scalar(select(func.count()).select_from(table)) == 0
        database.engine.dispose()


def told(number: int, attributes: dict[str, Any]) -> Any:
    # A span's ids are of its number.
    trace = number.to_bytes(16, "big")
    return call(attributes=attributes, trace_id=trace, start=START, end=START + 10**9)


def test_a_key_of_an_attribute_is_never_more_than_a_name(database: Database) -> None:
    whole = {f"{key}": "polluted" for key in KEYS} | {"a": {"__proto__": {"b": ["x"]}}}
    spans = [told(number, {key: "polluted"}) for number, key in enumerate(KEYS, 1)]
    with open_doors(database) as doors:
        answer = doors.post(request(*spans, told(99, whole), resource=dict.fromkeys(KEYS, "team")))
        assert answer.status == 200
        assert doors.stored() == len(KEYS) + 1
        assert sum(doors.accounted()[each] for each in ("duplicate", "not_a_call", "refused")) == 0
    with database.read() as session:
        assert session.scalars(select(routes.c.model).distinct()).all() == ["gpt-4o"]
        assert "polluted" not in str(session.execute(select(owners)).all())
    assert not hasattr(object, "polluted")


def test_a_name_that_is_never_the_same_costs_a_short_row_and_no_metric(
    database: Database,
) -> None:
    many = 2_000
    long = "n" * 3_000
    spans = [
        told(number, {"user.id": f"{number}{long}", "gen_ai.request.model": f"{number}{long}"})
        for number in range(1, many + 1)
    ]
    with open_doors(database) as doors:
        before = doors.post(b"", path="/metrics", method="GET").body
        for place in range(0, many, 500):
            assert doors.post(request(*spans[place : place + 500])).status == 200
        after = doors.post(b"", path="/metrics", method="GET").body
        assert doors.stored() == many
    series = [re.sub(rb" [\d.e+-]+$", b"", line) for line in after.splitlines()]
    assert {line for line in series if line.startswith(b"spanledger")}.isdisjoint({long.encode()})
    assert long[:20].encode() not in after
    assert len(after) < len(before) + 500
    with database.read() as session:
        longest = session.scalar(select(func.max(func.length(routes.c.model))))
        assert longest is not None
        assert longest <= 500
        assert session.scalar(select(func.count()).select_from(sightings)) == many


@pytest.mark.parametrize("url", INSIDE)
def test_no_place_inside_is_kept_as_one_that_messages_go_to(client: TestClient, url: str) -> None:
    if not url or len(url) > 4_000:
        return
    asked: list[tuple[str, dict[str, Any]]] = [
        (
            "/v1/budgets",
            {
                "name": "b",
                "filter": {},
                "thresholds": [50],
                "amount": "1",
                "period": "month",
                "currency": "USD",
                "webhook_url": url,
            },
        ),
        ("/v1/channels", {"name": "c", "kind": "webhook", "secret": url}),
        ("/v1/channels", {"name": "c", "kind": "slack-webhook", "secret": url}),
        ("/v1/channels", {"name": "c", "kind": "apprise", "secret": url}),
        (
            "/v1/channels",
            {"name": "c", "kind": "apprise", "secret": url.replace("https://", "json://")},
        ),
    ]
    for path, body in asked:
        answer = client.post(path, json=body)
        assert answer.status_code == 422, (path, body["name"], url, answer.text)
        assert answer.json()["field"] in {"webhook_url", "secret"}, answer.text


def test_nothing_is_connected_to_when_a_place_is_saved(database: Database) -> None:
    with slack_stand_in() as inside:
        client = asking(database)
        for kind in ("webhook", "slack-webhook"):
            body = {"name": "c", "kind": kind, "secret": inside.url}
            assert client.post("/v1/channels", json=body).status_code == 422
        assert inside.messages == []
