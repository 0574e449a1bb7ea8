"""People are given roles, kept out and signed out; the record of it is read by whoever may."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from fastapi.testclient import TestClient
from filled_ledger import asking, at
from test_api_keys import make_key
from test_pages_preferences import OURS, token

from app.cli import cli
from spend.access.roles import Role
from store.access import people, sign_ins
from store.access.people import Person
from store.postgres.sessions import Database
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

PEPPER = b"sixteen bytes and more"
NOW = at("2026-10-20T12:00")


def seen(database: Database, name: str = "Ada <b>", **more: str | None) -> Person:
    said = {"issuer": "https://login.example.com", "subject": name, "email": None} | more
    with database.write() as session:
        return people.signed_in(session, TENANT, name=name, claimed=(), now=NOW, **said)


def browser_of(database: Database, person: Person, client: TestClient) -> None:
    with database.write() as session:
        text = sign_ins.begin(
            session, TENANT, person_id=person.id, pepper=PEPPER, lasts=sign_ins.TO_THE * 60, now=NOW
        )
    client.cookies.set("spanledger_session", text)


def now_of(database: Database, person: Person) -> Person:
    with database.read() as session:
        found = people.find_person(session, TENANT, person.id)
    assert found
    return found


def test_an_admin_gives_roles_and_takes_them_back(database: Database) -> None:
    ada, admin = seen(database), make_key(database, "admin")
    client = asking(database, key_pepper=PEPPER)
    place = f"/v1/people/{ada.id}"
    given = client.post(
        f"{place}/roles", json={"role": "lead", "team": "search"}, headers=admin
    ).json()
    assert [(role["role"], role["team"], role["source"]) for role in given["roles"]] == [
        ("lead", "search", "grant")
    ]
    again = {"role": "lead", "team": "search"}
    assert client.post(f"{place}/roles", json=again, headers=admin).status_code == 409
    for wrong in ({"role": "lead"}, {"role": "admin", "team": "x"}, {"role": "god"}, {}):
        assert client.post(f"{place}/roles", json=wrong, headers=admin).status_code == 422, wrong
    role = f"{place}/roles/{given['roles'][0]['id']}"
    assert client.delete(role, headers=admin).status_code == 204
    assert client.delete(role, headers=admin).status_code == 404
    assert client.get("/v1/people/99", headers=admin).status_code == 404
    listed = client.get("/v1/people", headers=admin).json()["people"]
    assert [(each["name"], each["roles"]) for each in listed] == [("Ada <b>", [])]
    lines = client.get("/v1/audit", params={"noun": "role"}, headers=admin).json()["changes"]
    assert [(each["did"], each["before"], each["after"]) for each in lines] == [
        ("took back", {"role": "lead:search"}, None),
        ("granted", None, {"role": "lead:search"}),
    ]
    assert lines[0]["actor"]["kind"] == "key"


def test_a_role_that_follows_from_a_group_is_the_provider_s_to_take(database: Database) -> None:
    with database.write() as session:
        ada = people.signed_in(
            session,
            TENANT,
            issuer="i",
            subject="s",
            email=None,
            name="Ada",
            claimed=(Role("viewer"),),
            now=NOW,
        )
        assert not people.take_back(session, ada, ada.roles[0].id, tenant=TENANT)


def test_people_and_the_record_are_not_for_everybody(database: Database) -> None:
    ada, read, admin = seen(database), make_key(database, "read"), make_key(database, "admin")
    client = asking(database, key_pepper=PEPPER)
    places = ("/v1/people", f"/v1/people/{ada.id}", "/settings/people", "/settings/audit")
    for place in (*places, "/v1/audit", f"/settings/people/{ada.id}"):
        assert client.get(place, headers=read).status_code == 403, place
        assert client.get(place, headers=admin).status_code == 200, place
        assert client.get(place).status_code == 401, place
    assert "/settings/people" not in client.get("/settings", headers=read).text
    finance = asking(database, key_pepper=PEPPER)
    with database.write() as session:
        people.grant(session, ada, Role("finance"), tenant=TENANT, now=NOW)
    browser_of(database, ada, finance)
    assert finance.get("/settings/audit").status_code == 200
    assert finance.get("/settings/people").status_code == 403
    assert finance.get("/v1/audit").status_code == 200


def test_the_pages_do_what_the_routes_do(database: Database) -> None:
    ada, admin = seen(database), make_key(database, "admin")
    client = asking(database, key_pepper=PEPPER)
    client.headers.update(admin)
    place = f"/settings/people/{ada.id}"
    shown = client.get(place).text
    assert "Ada &lt;b&gt;" in shown
    assert "None: they see nothing." in shown

    def send(part: str, **fields: str) -> str:
        sent = {"form_token": token(client, place), **fields}
        return client.post(f"{place}/{part}", data=sent, headers=OURS).text

    assert "lead is of one team" in send("grant", role="lead")
    assert "Granted." in send("grant", role="lead", team="search")
    (held,) = now_of(database, ada).roles
    browser = asking(database, key_pepper=PEPPER)
    browser_of(database, ada, browser)
    assert browser.get("/v1/spend").status_code == 200
    assert "Signed out everywhere" in send("sign-out")
    assert browser.get("/v1/spend").status_code == 401
    assert "Taken back." in send("take-back", role=str(held.id))
    assert "Barred, and" in send("bar")
    assert now_of(database, ada).barred_at == NOW
    assert "Let in again." in send("let-in")
    record = client.get("/settings/audit").text
    for said in ("granted", "took back", "barred", "let in again", "signed out everywhere"):
        assert said in record
    rows = client.get("/settings/audit", params={"csv": "changes", "noun": "role"}).text
    assert rows.splitlines()[0] == "at,who,who_id,kind,address,did,noun,noun_id,name,before,after"
    assert len(rows.splitlines()) == 3
    assert client.get("/settings/audit", params={"since": "2100-01-01"}).status_code == 200
    assert client.get("/settings/audit", params={"since": "soon"}).status_code == 422


def test_the_record_is_read_page_by_page(database: Database) -> None:
    admin = make_key(database, "admin")
    for number in range(4):
        seen(database, f"p{number}")
    client = asking(database, key_pepper=PEPPER)
    with database.write() as session:
        for person in people.all_people(session, TENANT):
            people.bar(session, person, tenant=TENANT, now=NOW)
    found: list[int] = []
    asked = {"limit": "2", "noun": "person"}
    while True:
        page = client.get("/v1/audit", params=asked, headers=admin).json()
        found += [each["id"] for each in page["changes"]]
        if page["next"] is None:
            break
        asked["before_id"] = str(page["next"])
    assert found == sorted(set(found), reverse=True)
    assert len(found) == 4


@pytest.fixture
def run(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Result]:
    monkeypatch.setenv("SPANLEDGER_DATABASE_URL", database_url)
    monkeypatch.setenv("SPANLEDGER_DATA_DIR", str(tmp_path))
    return lambda *arguments: CliRunner().invoke(cli, arguments)


def test_at_the_command_line_the_first_admin_is_made(
    database: Database, run: Callable[..., Result]
) -> None:
    assert "nobody signed in" in run("people", "list").output
    ada = seen(database, "Ada", email="ada@example.com")
    seen(database, "Eve", email=None)
    granted = run("people", "grant", "ada@example.com", "--role", "admin")
    assert (granted.exit_code, granted.output) == (0, "Ada is now admin\n")
    (told, _) = json.loads(run("people", "list", "--json").output)
    assert told["roles"] == [{"role": "admin", "team": None, "source": "grant"}]
    for who in ("Eve", "eve@example.com", "99", ""):
        assert run("people", "grant", who, "--role", "admin").exit_code == 1, who
    assert run("people", "grant", str(ada.id), "--role", "lead").exit_code == 2
    assert "no longer admin" in run("people", "revoke", str(ada.id), "--role", "admin").output
    assert run("people", "revoke", str(ada.id), "--role", "admin").exit_code == 1
    assert "barred" in run("people", "bar", str(ada.id)).output
    assert "may come in" in run("people", "unbar", str(ada.id)).output
    lines = [json.loads(line) for line in run("audit", "--json").output.splitlines()]
    assert [line["did"] for line in lines] == ["let in again", "barred", "took back", "granted"]
    assert {line["actor"]["kind"] for line in lines} == {"command"}
    assert "admin" in run("audit", "--noun", "role", "--since", "2026-01-01").output
    assert run("content", "on", "--pattern", "x" * 200).exit_code == 0
    assert "x" * 200 in run("audit", "--noun", "content", "--json").output
    assert "…" in (table := run("audit", "--noun", "content").output)
    assert "x" * 61 not in table.replace("\n", "")
