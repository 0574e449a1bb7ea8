"""Who may see what: without keys this machine, with keys whoever holds one, a team its own."""

from collections import defaultdict

import pytest
from fastapi.testclient import TestClient
from filled_ledger import SEARCH, SUPPORT, asking, at, put_cell, put_charge
from sighted import NOON, hear, sighting

from spend.calls import Owner
from store.access.keys import create_key, list_keys, revoke_key
from store.postgres.sessions import Database
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

PEPPER = b"sixteen bytes and more"
OCTOBER = {"from": "2026-10-01", "to": "2026-11-01"}
# What stands in a path: ids are numbers, but for those named here.
IN_PATHS = defaultdict(lambda: "1", trace_id="0" * 32, span_id="0" * 16, month="2026-10")


def make_key(database: Database, kind: str, team: str | None = None) -> dict[str, str]:
    with database.write() as session:
        key = create_key(
            session,
            tenant=TENANT,
            kind=kind,
            name="test",
            team=team,
            pepper=PEPPER,
            now=at("2026-10-01"),
        )
    return {"Authorization": f"Bearer {key}"}


@pytest.fixture
def client(database: Database) -> TestClient:
    with database.write() as session:
        for owner, amount in ((SEARCH, "1"), (SUPPORT, "10")):
            put_cell(session, "2026-10-05", owner)
            put_charge(session, "2026-10-05", amount, owner)
    return asking(database, key_pepper=PEPPER)


def test_without_keys_everybody_on_this_machine_may_ask(client: TestClient) -> None:
    assert client.get("/v1/spend").status_code == 200


def test_without_keys_nobody_beyond_this_machine_may_ask(database: Database) -> None:
    answer = asking(database, open_without_keys=False).get("/v1/spend")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_a_page_that_claims_our_address_is_not_this_machine(client: TestClient) -> None:
    rebound = {"Host": "ledger.example.com"}
    assert client.get("/v1/spend", headers=rebound).status_code == 403
    for host in ("localhost:8321", "127.0.0.1:8321", "[::1]:8321"):
        assert client.get("/v1/spend", headers={"Host": host}).status_code == 200


def test_with_keys_a_key_is_needed(database: Database, client: TestClient) -> None:
    read, ingest = make_key(database, "read"), make_key(database, "ingest")
    assert client.get("/v1/spend").status_code == 401
    assert client.get("/v1/spend", headers=read).status_code == 200
    assert client.get("/v1/spend", headers=ingest).status_code == 403
    for wrong in ("Bearer nonsense", "Basic eDp5", "Bearer", read["Authorization"][:-1] + "?"):
        answer = client.get("/v1/spend", headers={"Authorization": wrong})
        assert (answer.status_code, answer.json()["field"]) == (401, "Authorization")
    assert client.get("/livez").status_code == 200


def test_a_revoked_key_opens_nothing(database: Database, client: TestClient) -> None:
    read = make_key(database, "read")
    make_key(database, "admin")
    with database.write() as session:
        (key,) = [each for each in list_keys(session, tenant=TENANT) if each.kind == "read"]
        revoke_key(session, key.id, tenant=TENANT, now=at("2026-10-02"))
    assert client.get("/v1/spend", headers=read).status_code == 401


def test_a_key_of_one_team_sees_that_team_only(database: Database, client: TestClient) -> None:
    search = make_key(database, "read", "search")
    everything = {**OCTOBER, "group_by": "team"}
    body = client.get("/v1/spend", params=everything, headers=search).json()
    assert [(row["team"], row["cost"]) for row in body["rows"]] == [("search", "1.00")]
    assert body["total"]["cost"] == "1.00"
    statement = client.get("/v1/statements/2026-10", headers=search).json()
    assert (statement["team"], statement["total"]["amount"]) == ("search", "1.00")
    assert "support" not in client.get("/v1/statements/2026-10.csv", headers=search).text
    lines = client.get("/v1/charges", params=OCTOBER, headers=search).json()
    assert [(line["payer"]["team"], line["cost"]) for line in lines["charges"]] == [
        ("search", "1.00")
    ]
    assert lines["total"]["cost"] == "1.00"
    performance = client.get("/v1/performance", params=OCTOBER, headers=search).json()
    assert performance["total"]["calls"] == 1
    asked = ("spend", "charges", "performance", "calls", "statements/2026-10")
    for path in (f"/v1/{noun}" for noun in asked):
        for team in ("support", ["search", "support"]):
            if isinstance(team, list) and "statements" in path:
                continue
            answer = client.get(path, params={"team": team}, headers=search)
            assert (answer.status_code, answer.json()["field"]) == (403, "team")


def test_anothers_call_is_not_there_for_a_key_of_one_team(
    database: Database, client: TestClient
) -> None:
    hear(database, [sighting(1), sighting(2, owner=Owner("support"))], NOON)
    search, all_teams = make_key(database, "read", "search"), make_key(database, "read")
    for trace, headers, status in ((1, search, 200), (2, search, 404), (2, all_teams, 200)):
        answer = client.get(f"/v1/calls/{trace:032x}/{1:016x}", headers=headers)
        assert answer.status_code == status
    listed = client.get("/v1/calls", params=OCTOBER, headers=search).json()["calls"]
    assert [each["owner"]["team"] for each in listed] == ["search"]


def test_every_route_that_changes_something_takes_an_admin_key(
    database: Database, client: TestClient
) -> None:
    read, admin = make_key(database, "read"), make_key(database, "admin")
    # They ask, with a body, and write nothing.
    asking_ones = {"/v1/what-if", "/v1/ownership/preview", "/v1/alert-rules/test"}
    changing = [
        (method, path.format_map(IN_PATHS))
        for path, methods in client.get("/openapi.json").json()["paths"].items()
        for method in methods
        if method not in {"get", "head"} and path not in asking_ones
    ]
    assert ("post", "/v1/budgets") in changing
    for path in asking_ones:
        assert client.post(path, json={}, headers=read).status_code == 422
    for method, path in changing:
        assert client.request(method, path, json={}).status_code == 401
        assert client.request(method, path, json={}, headers=read).status_code == 403
        assert client.request(method, path, json={}, headers=admin).status_code in {404, 405, 422}


def test_every_route_of_v1_asks_for_a_key(database: Database, client: TestClient) -> None:
    make_key(database, "admin")
    for path, methods in client.get("/openapi.json").json()["paths"].items():
        if path.startswith("/v1/"):
            asked = path.format_map(IN_PATHS)
            for method in methods:
                assert client.request(method, asked).status_code == 401, (method, path)


def test_prices_pools_and_commitments_are_not_for_a_key_of_one_team(
    database: Database, client: TestClient
) -> None:
    search, whole = make_key(database, "read", "search"), make_key(database, "read")
    for path in ("/v1/prices", "/v1/prices/unpriced", "/v1/pools", "/v1/commitments"):
        assert client.get(path, headers=search).status_code == 403, path
        assert client.get(path, headers=whole).status_code == 200, path
