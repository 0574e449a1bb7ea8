"""Whatever is asked of the API, what its contract allows and what not: answered as it says."""

import re

import odd_ledger
import pytest
from fastapi.routing import iter_route_contexts
from faults.contract import SHORT, asked
from filled_ledger import asking, at

from api.app import create_app
from api.settings import ApiSettings
from store.postgres.sessions import Database

pytestmark = pytest.mark.one_server


def test_every_answer_is_one_of_the_contract_whatever_is_asked(database: Database) -> None:
    key = odd_ledger.fill(database)["admin"]
    settings = ApiSettings(key_pepper=odd_ledger.PEPPER)
    app = create_app(database, settings, lambda: at("2026-10-20T12:00"))
    told = asked(app, key, examples=1, phases=SHORT)
    assert told.broken == {}
    assert told.asked > 80
    assert {200, 422, 404} <= told.answers.keys()


def test_a_method_that_an_address_does_not_have_is_refused_with_those_that_it_has(
    database: Database,
) -> None:
    client = asking(database)
    has: dict[str, set[str]] = {}
    for route in iter_route_contexts(client.app.routes):  # type: ignore[attr-defined]  # FastAPI's
        has.setdefault(route.path or "", set()).update(route.methods or ())
    assert len(has) > 120
    for path, methods in has.items():
        answer = client.options(re.sub(r"\{.*?\}", "1", path))
        assert answer.status_code == 405, path
        heard = methods | {"HEAD"} if "GET" in methods else methods
        assert answer.headers["allow"].split(", ") == sorted(heard), path


def test_whether_an_address_answers_can_be_asked_without_its_body(database: Database) -> None:
    client = asking(database)
    for path in ("/livez", "/v1/spend?from=2026-10-01&to=2026-11-01", "/metrics", "/v1/x"):
        whole, head = client.get(path), client.head(path)
        assert (head.status_code, head.content) == (whole.status_code, b""), path
        assert head.headers["content-type"] == whole.headers["content-type"], path
    assert client.head("/v1/what-if").headers["allow"] == "POST"


def test_a_body_that_is_none_is_refused_as_the_contract_says(database: Database) -> None:
    client = asking(database)
    for path, methods in client.get("/openapi.json").json()["paths"].items():
        for method, route in methods.items():
            if "requestBody" in route:
                assert {"400", "413", "422"} <= set(route["responses"]), (method, path)
