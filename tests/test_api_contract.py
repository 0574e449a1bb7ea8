"""The contract says what is answered, and pages for people load nothing from elsewhere."""

import re
from pathlib import Path

import pytest
from filled_ledger import SEARCH, asking, put_cell, put_charge

from api.spending.performance import PerformanceAnswer
from api.spending.spend import SpendAnswer
from api.statements.statements import StatementAnswer
from store.postgres.sessions import Database

pytestmark = pytest.mark.one_server


def test_the_contract_is_openapi_3_1_and_refers_to_what_it_has(database: Database) -> None:
    contract = asking(database).get("/openapi.json").json()
    assert contract["openapi"].startswith("3.1.")
    schemas = contract["components"]["schemas"]
    references = set(re.findall(r'"#/components/schemas/([^"]+)"', str(contract).replace("'", '"')))
    assert references <= set(schemas)
    assert "HTTPValidationError" not in schemas
    for path, methods in contract["paths"].items():
        for route in methods.values():
            assert route["summary"], path
            if path.startswith("/v1/"):
                assert {"401", "503"} <= set(route["responses"]), path


def test_answers_are_what_the_contract_says(database: Database) -> None:
    with database.write() as session:
        put_cell(session, "2026-10-05", SEARCH)
        put_charge(session, "2026-10-05", "1.5", SEARCH)
    client = asking(database)
    for path, model in (
        ("/v1/spend?group_by=team,feature", SpendAnswer),
        ("/v1/performance?group_by=team", PerformanceAnswer),
        ("/v1/statements/2026-10", StatementAnswer),
    ):
        body = client.get(path).json()
        said = model.model_validate(body).model_dump(by_alias=True, exclude_unset=True)
        assert said == body
    amount = client.get("/openapi.json").json()["components"]["schemas"]["SpendRow"]
    assert amount["properties"]["cost"]["anyOf"][0]["type"] == "string"


def test_every_parameter_of_a_question_is_in_the_docs(database: Database) -> None:
    told = (Path(__file__).parent.parent / "docs" / "api.md").read_text()
    paths = asking(database).get("/openapi.json").json()["paths"]
    named = {each["name"] for each in paths["/v1/spend"]["get"]["parameters"]}
    assert [name for name in named if f"`{name}`" not in told] == []
