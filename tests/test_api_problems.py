"""A client's mistake is a 4xx that names what is to be changed; never a 500."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from filled_ledger import asking
from sqlalchemy import Connection, event
from structlog.testing import capture_logs
from test_pages_preferences import OURS, token

from api.problems import MEDIA_TYPE
from store.postgres.sessions import Database, open_database

pytestmark = pytest.mark.one_server

GROUPED = ("/v1/spend", "/v1/performance")
OCTOBER = {"from": "2026-10-01", "to": "2026-11-01"}


def refused(client: TestClient, path: str, **params: Any) -> dict[str, Any]:
    answer = client.get(path, params=params or None)
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == MEDIA_TYPE
    body: dict[str, Any] = answer.json()
    assert (body["type"], body["status"]) == ("about:blank", 422)
    assert body["title"]
    assert body["detail"]
    return body


WRONG = [
    ("from", {"from": "yesterday"}),
    ("from", {"from": "2026-02-30"}),
    ("from", {"from": "2026-10-01T00:00:00"}),
    ("from", {"from": "2026-10-01T00:07:00Z"}),
    ("from", {"from": "0001-01-01", "timezone": "Asia/Tokyo"}),
    ("from", {"from": "２０２６-10-01"}),  # noqa: RUF001 - digits of another script
    ("from", {"from": ""}),
    ("to", {"to": "2026-10-01"}),
    ("to", {"to": "9999-12-31"}),
    ("to", {"to": "2026-11-01T00:00:60Z"}),
    ("to", {"to": "2027-11-07"}),
    ("timezone", {"timezone": "Berlin"}),
    ("timezone", {"timezone": "../../etc/passwd"}),
    ("timezone", {"timezone": ""}),
    ("timezone", {"timezone": "x" * 5000}),
    ("timezone", {"timezone": "localtime"}),
    ("timezone", {"timezone": ["UTC", "Europe/Berlin"]}),
    ("from", {"from": ["2026-10-01", "2026-10-02"]}),
    ("group_by", {"group_by": "team,flavour"}),
    ("group_by", {"group_by": "owner_id"}),
    ("day", {"day": "2026-10"}),
    ("day", {"day": "20261001"}),
    ("month", {"month": "October"}),
    ("deployment", {"deployment": "cloud"}),
    ("team", {"team": "a\x00b"}),
    ("team", {"team": ["x"] * 300}),
    ("flavour", {"flavour": "sweet"}),
    ("groupby", {"groupby": "team"}),
]


@pytest.mark.parametrize(("field", "params"), WRONG)
def test_a_wrong_parameter_is_named(database: Database, field: str, params: Any) -> None:
    client = asking(database)
    for path in GROUPED:
        found = refused(client, path, **(OCTOBER | params))["field"]
        assert found.split(".")[0] == field


def test_the_parameters_of_a_statement_are_checked_too(database: Database) -> None:
    client = asking(database)
    assert refused(client, "/v1/statements/2026-10", zone="UTC")["field"] == "zone"
    assert refused(client, "/v1/statements/2026-10", timezone="Moon")["field"] == "timezone"
    assert refused(client, "/v1/calls", limit="1000000")["field"] == "limit"


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/v1/budgets?team=search", "team"),
        ("/v1/pools?limit=1", "limit"),
        ("/v1/budgets/1/status?at=2026-10-01", "at"),
        ("/v1/prices?limit=1&limit=2", "limit"),
        ("/v1/prices?at=2026", "at"),
        ("/v1/prices?known_at=0001-01-01T00:00:00%2B14:00", "known_at"),
        ("/v1/prices?provider=%00", "provider"),
        ("/v1/prices/unpriced?to=9999-12-31T23:59:59-14:00", "to"),
        ("/v1/prices/unpriced?from=1790000000", "from"),
        ("/v1/alerts?since=1790000000", "since"),
    ],
)
def test_no_parameter_is_passed_over_or_guessed(database: Database, path: str, field: str) -> None:
    assert refused(asking(database), path)["field"] == field


def test_the_moments_of_prices_may_be_dates_too(database: Database) -> None:
    client = asking(database)
    for path in (
        "/v1/prices?at=2026-10-01&known_at=2026-10-01T02:00:00+02:00",
        "/v1/prices/unpriced?from=2026-10-01&to=2026-11-01",
    ):
        assert client.get(path).status_code == 200, path
    asked = client.get("/v1/prices/unpriced?from=2026-10-01&to=2026-11-01T02:00:00%2B02:00").json()
    assert (asked["from"], asked["to"]) == ("2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z")


def test_strange_but_possible_questions_are_answered(database: Database) -> None:
    client = asking(database)
    for params in (
        {"from": "2026-10-01T00:00:00+05:45"},
        {"from": "2026-10-01t00:00z"},
        {"to": "2027-11-05"},
        {"timezone": "Australia/Lord_Howe", "group_by": "day"},
        {"timezone": "Africa/Cairo", "from": "2026-04-24", "group_by": "day"},
        {"group_by": ""},
        {"group_by": ["team", "model,day"]},
        {"team": "'; DROP TABLE cells; --"},
        {"team": "\N{GRINNING FACE}", "customer": "%_\\"},
    ):
        answer = client.get("/v1/spend", params={**OCTOBER, **params})
        assert answer.status_code == 200, (params, answer.text)


def test_what_is_not_there_and_what_cannot_be_done_are_problems(database: Database) -> None:
    client = asking(database)
    for method, path, status in (
        ("GET", "/v1/nothing", 404),
        ("POST", "/v1/spend", 405),
        ("DELETE", "/", 405),
    ):
        answer = client.request(method, path)
        assert (answer.status_code, answer.headers["content-type"]) == (status, MEDIA_TYPE)
    assert client.post("/v1/spend").headers["allow"] == "GET, HEAD"


def test_a_body_that_is_too_large_is_a_problem(database: Database) -> None:
    client = asking(database)
    large = b'"' + b"x" * 5_000_000 + b'"'
    in_pieces = (large[start : start + 100_000] for start in range(0, len(large), 100_000))
    for body in (large, in_pieces):
        answer = client.post(
            "/v1/budgets", content=body, headers={"Content-Type": "application/json"}
        )
        assert (answer.status_code, answer.headers["content-type"]) == (413, MEDIA_TYPE)
        assert answer.json()["title"]


def test_while_the_database_is_away_the_client_is_told_to_ask_again() -> None:
    away = open_database("postgresql://nobody@127.0.0.1:1/nothing", application="tests")
    client = asking(away)
    for path in ("/v1/spend", "/v1/performance", "/v1/calls", "/v1/statements/2026-10", "/readyz"):
        answer = client.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (503, MEDIA_TYPE)
        assert answer.headers["retry-after"] == "3"
    assert client.get("/livez").json() == {"status": "ok"}


def test_while_the_database_can_only_be_read_the_client_is_told_to_ask_again(
    database: Database,
) -> None:
    @event.listens_for(database.engine, "begin")
    def _only_read(connection: Connection) -> None:
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")

    client = asking(database)
    pool = {"name": "a", "cost_per_hour": "1", "from": "2026-10-01", "match": {"provider": ["b"]}}
    assert client.post("/v1/pools", json=pool).status_code == 503
    assert client.get("/v1/pools").status_code == 200
    key = {"kind": "admin", "name": "a", "form_token": token(client, "/settings/keys")}
    client.headers["Accept"] = "text/html"
    page = client.post("/settings/keys", data=key, headers=OURS)
    assert (page.status_code, page.headers["retry-after"]) == (503, "3")
    assert 'http-equiv="refresh"' not in page.text, "a form is not sent again by itself"


def test_it_is_ready_when_the_database_is_migrated(database: Database) -> None:
    client = asking(database)
    assert client.get("/readyz").status_code == 200
    with database.write() as session:
        session.connection().exec_driver_sql("UPDATE alembic_version SET version_num = '0025'")
    assert client.get("/readyz").json()["title"] == "The database is not migrated"


def test_our_own_mistake_says_no_more_than_that(database: Database) -> None:
    with database.write() as session:
        session.connection().exec_driver_sql("ALTER TABLE cells RENAME COLUMN calls TO gone")
    with capture_logs() as logged:
        answer = asking(database).get("/v1/spend")
    assert answer.status_code == 500
    assert [(each["event"], each["path"]) for each in logged] == [("a request failed", "/v1/spend")]
    assert answer.json() == {
        "type": "about:blank",
        "title": "spanledger failed",
        "status": 500,
        "detail": "The mistake is ours; see its log.",
    }


def test_a_field_that_there_is_not_is_named_in_plain_words(database: Database) -> None:
    answer = asking(database).post("/v1/pools", json={"name": "gpus", "colour": "red"})
    assert answer.status_code == 422
    said = {each["field"]: each["detail"] for each in answer.json()["errors"]}
    assert said["colour"] == "there is no such field"
