"""No text of a stranger is ever a part of a statement: it is only ever a value beside it."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import quote

import pytest
from doors import open_doors
from fastapi.testclient import TestClient
from filled_ledger import at
from hostile import COPIED, MARK, SQL
from httpx2 import Response
from spans import call
from spans import request as sent_spans
from sqlalchemy import Connection, event, text
from test_access_matrix import NOUNS, PARTS, routes
from two_teams import TwoTeams, ledger_of_two

from store.postgres.sessions import Database

pytestmark = pytest.mark.one_server

HEADERS: Final = (
    *("Authorization", "Cookie", "If-None-Match", "Accept", "Accept-Language", "User-Agent"),
    *("X-Forwarded-For", "X-Forwarded-Proto", "X-Request-Id", "Referer", "traceparent"),
)


ledger = ledger_of_two


@pytest.fixture(scope="module")
def made(ledger: TwoTeams) -> TwoTeams:
    with ledger.database.write() as session:
        session.execute(text("CREATE TABLE marker (n int)"))
    return ledger


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    """What the database is told, without the values beside it."""
    told: list[str] = []

    def listen(_connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
        told.append(statement)

    event.listen(database.engine, "before_cursor_execute", listen)
    yield told
    event.remove(database.engine, "before_cursor_execute", listen)


@contextmanager
def admin(made: TwoTeams) -> Iterator[TestClient]:
    app = made.asking().app
    with TestClient(app, raise_server_exceptions=False, follow_redirects=False) as client:
        client.headers["Authorization"] = f"Bearer {made.keys['admin']}"
        yield client


def everything(database: Database) -> list[tuple[str, int]]:
    """The rows of each table, as they are counted and hashed."""
    listed = text(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        " AND relname NOT IN ('keys', 'sessions') ORDER BY 1"
    )
    with database.read() as session:
        return [
            (name, session.scalar(text(f"SELECT sum(hashtext(t::text)) FROM {name} AS t")))  # noqa: S608  # ours
            for name in session.scalars(listed)
        ]


def questions(contract: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Path, place and name of each parameter that a question has."""
    for path, methods in contract["paths"].items():
        if path.endswith((".pdf", ".xlsx", ".parquet")):  # one function with .csv
            continue
        for each in methods.get("get", {}).get("parameters", ()):
            yield path, each["in"], each["name"]


def answered(client: TestClient, path: str, place: str, name: str, value: str) -> Response:
    parts = {**dict.fromkeys(NOUNS, "1"), **PARTS, "trace_id": f"{1:032x}"}
    if place == "path":
        parts[name] = quote(value, safe="")
        return client.get(path.format_map(parts))
    return client.get(path.format_map(parts), params={name: value})


def test_no_parameter_of_any_question_is_ever_a_part_of_a_statement(
    made: TwoTeams, request: pytest.FixtureRequest
) -> None:
    everywhere = request.config.getoption("--every-cell")
    before = everything(made.database)
    with admin(made) as client, statements(made.database) as told:
        asked = list(questions(client.get("/openapi.json").json()))
        assert len(asked) > 150
        seen: Counter[str] = Counter()
        for number, (path, place, name) in enumerate(asked):
            # Of a name that many questions have, two of them.
            seen[name] += 1
            if seen[name] > 2 and not everywhere:
                continue
            answer = answered(client, path, place, name, SQL[number % len(SQL)])
            assert answer.status_code in {200, 404, 422}, (path, name, answer.text)
    assert len(told) > 100
    assert [statement for statement in told if MARK in statement] == []
    assert everything(made.database) == before


def test_no_part_of_an_address_of_a_page_is_a_part_of_a_statement(made: TwoTeams) -> None:
    with admin(made) as client, statements(made.database) as told:
        client.headers["Accept"] = "text/html"
        for path, methods in routes(made).items():
            if "{" in path and not path.startswith("/v1") and "GET" in methods:
                for hostile in SQL[1:2]:
                    place = path.split("{")[0] + quote(hostile, safe="")
                    assert client.get(place).status_code in {200, 303, 404, 422}, place
        names = ("team", "model", "group_by", "month", "from", "sort", "columns", "csv", "cursor")
        for page in ("/", "/explore", "/calls", "/traces", "/teams", "/alerts", "/prices"):
            for hostile in SQL[:2]:
                answer = client.get(page, params=dict.fromkeys(names, hostile))
                assert answer.status_code in {200, 303, 403, 422}, (page, answer.status_code)
    assert [statement for statement in told if MARK in statement] == []


def test_no_header_is_a_part_of_a_statement_and_a_key_that_is_none_is_401(
    made: TwoTeams, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.knocks.MOST", 10**9)
    before = everything(made.database)
    with admin(made) as client, statements(made.database) as told:
        for name in HEADERS:
            for hostile in SQL:
                value = hostile.encode("utf-8")
                answer = client.get("/v1/budgets", headers={name: value})
                assert answer.status_code == (401 if name == "Authorization" else 200), name
        del client.headers["Authorization"]
        for hostile in (*SQL, *(f"sl_read_{each}" for each in SQL)):
            for shown in (f"Bearer {hostile}", f"Basic {hostile}", hostile):
                answer = client.get("/v1/budgets", headers={"Authorization": shown.encode()})
                assert (answer.status_code, answer.json()["field"]) == (401, "Authorization")
                assert MARK not in answer.text
            cookie = f"spanledger_session={quote(hostile)}"
            assert client.get("/v1/budgets", headers={"Cookie": cookie}).status_code == 401
    assert [statement for statement in told if MARK in statement] == []
    assert everything(made.database) == before


def leaves(body: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(body, dict):
        for name, value in body.items():
            yield from leaves(value, (*path, name))
    elif isinstance(body, list):
        for number, value in enumerate(body):
            yield from leaves(value, (*path, number))
    else:
        yield path


def changed(body: Any, path: tuple[Any, ...], value: str) -> Any:
    if not path:
        return value
    if isinstance(body, dict):
        return {**body, path[0]: changed(body[path[0]], path[1:], value)}
    return [changed(each, path[1:], value) if n == path[0] else each for n, each in enumerate(body)]


def test_no_field_of_a_body_is_a_part_of_a_statement(made: TwoTeams) -> None:
    with admin(made) as client, statements(made.database) as told:
        contract = client.get("/openapi.json").json()
        tried = 0
        for path, methods in contract["paths"].items():
            for method, route in methods.items():
                body = example_of(contract, route)
                if body is None or "/test" in path:
                    continue
                place = path.format_map({**dict.fromkeys(NOUNS, "1"), **PARTS})
                for number, leaf in enumerate(leaves(body)):
                    hostile = changed(body, leaf, SQL[number % len(SQL)])
                    answer = client.request(method, place, json=hostile)
                    assert answer.status_code in {200, 201, 202, 404, 409, 422}, (place, leaf)
                    tried += 1
    assert tried > 80
    assert [statement for statement in told if MARK in statement] == []
    with made.database.read() as session:
        assert session.scalar(text("SELECT count(*) FROM marker")) == 0


def example_of(contract: dict[str, Any], route: dict[str, Any]) -> Any:
    """A body of a route, made of the examples of its fields; None where it takes no JSON."""
    content = route.get("requestBody", {}).get("content", {}).get("application/json")
    return None if content is None else made_of(contract, content["schema"])


def made_of(contract: dict[str, Any], schema: dict[str, Any], depth: int = 0) -> Any:
    if "$ref" in schema:
        schema = contract["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if schema.get("examples"):
        return schema["examples"][0]
    for name in ("anyOf", "oneOf", "allOf"):
        if name in schema:
            return made_of(contract, schema[name][0], depth)
    if schema.get("type") == "object" and depth < 4:
        fields = schema.get("properties", {})
        return {name: made_of(contract, each, depth + 1) for name, each in fields.items()}
    if schema.get("type") == "array":
        return [made_of(contract, schema.get("items", {}), depth + 1)] if depth < 4 else []
    if "enum" in schema:
        return schema["enum"][0]
    return {"integer": 1, "boolean": False, "number": 1}.get(schema.get("type", ""), "word")


def test_names_in_spans_reach_the_tables_as_they_are_or_cleaned_and_do_nothing_else(
    database: Database,
) -> None:
    with database.write() as session:
        session.execute(text("CREATE TABLE marker (n int)"))
    start = int(at("2026-10-05T08:00").timestamp()) * 10**9
    told = [
        call(
            name=name,
            attributes={
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": name,
                "gen_ai.request.model": name,
                "gen_ai.response.model": name,
                "gen_ai.response.id": name,
                "gen_ai.conversation.id": name,
                "user.id": name,
                "gen_ai.usage.input_tokens": 10,
                "error.type": name,
            },
            trace_id=bytes([7, number]) * 8,
            start=start,
            end=start + 10**9,
        )
        for number, name in enumerate(COPIED)
    ]
    with open_doors(database) as doors:
        of = {"service.name": SQL[1], "team": SQL[1], "deployment.environment": SQL[1]}
        answer = doors.post(sent_spans(*told, resource=of))
        assert (answer.status, answer.export().HasField("partial_success")) == (200, False)
        assert doors.stored() == len(COPIED)
    with database.read() as session:
        assert session.scalar(text("SELECT count(*) FROM marker")) == 0
        models = set(session.scalars(text("SELECT model FROM routes")))
        assert session.scalars(text("SELECT DISTINCT team FROM owners")).all() == [SQL[1]]
    assert set(SQL[:5]) <= models
