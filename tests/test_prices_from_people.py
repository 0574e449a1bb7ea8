"""Contract prices: all of a file or none of it, in the words of whoever wrote it."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from fastapi.testclient import TestClient
from filled_ledger import GPT, LLAMA, SEARCH, asking, at, put_cell
from sqlalchemy import func, select

from api.settings import ApiSettings
from app.commands import pools as pools_command
from app.commands import prices as prices_command
from jobs.charging import charge
from jobs.context import JobContext
from spend.calls import Outcome, Route
from spend.canary import price_lines
from store.access.keys import create_key
from store.postgres.sessions import Database
from store.tables.ledger import charges
from store.tables.prices import prices
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

NOW = "2026-10-20T12:00"
HEADER = "provider,model,meter,unit_price,currency,valid_from,valid_to,above_tokens\n"
GOOD = "openai,gpt-4o,input,2.125,USD,2026-10-01,,"
PRICE: dict[str, Any] = {
    "provider": "openai",
    "model": "gpt-4o",
    "meter": "input",
    "unit_price": "2.125",
    "currency": "USD",
    "valid_from": "2026-10-01",
}


@pytest.fixture
def client(database: Database) -> TestClient:
    return asking(database, now=NOW)


def book(database: Database) -> list[tuple[str, str | None, str, bool]]:
    """valid_from, valid_to, price, and whether it is believed."""
    with database.read() as session:
        found = session.execute(select(prices).order_by(prices.c.id))
        return [
            (
                f"{row.valid_from:%m-%d}",
                row.valid_to and f"{row.valid_to:%m-%d}",
                f"{row.unit_price.normalize():f}",
                row.known_to is None,
            )
            for row in found
        ]


def test_a_price_said_again_corrects_what_was_known(client: TestClient, database: Database) -> None:
    assert client.post("/v1/prices", json=PRICE).status_code == 201
    assert client.post("/v1/prices", json=PRICE).status_code == 201, "the same changes nothing"
    middle = PRICE | {"unit_price": "3", "valid_from": "2026-10-10", "valid_to": "2026-10-12"}
    (said,) = client.post("/v1/prices", json=[middle]).json()["prices"]
    assert said["unit_price"] == "3.00"
    assert said["valid_to"] == "2026-10-12T00:00:00Z"
    assert (said["book"], said["source"]) == ("contract", "POST /v1/prices")
    assert book(database) == [
        ("10-01", None, "2.125", False),
        ("10-01", "10-10", "2.125", True),
        ("10-12", None, "2.125", True),
        ("10-10", "10-12", "3", True),
    ]
    asked = {"provider": "openai", "model": "gpt-4o", "at": "2026-10-11T00:00:00Z"}
    (now,) = client.get("/v1/prices", params=asked).json()["prices"]
    assert now["unit_price"] == "3.00"
    before = asked | {"known_at": "2026-10-19T00:00:00Z"}
    assert client.get("/v1/prices", params=before).json()["prices"] == []
    later = asking(database, now="2026-10-21T12:00")
    later.post("/v1/prices", json=middle | {"unit_price": "4"})
    (as_known,) = client.get(
        "/v1/prices", params=asked | {"known_at": "2026-10-21T11:59:00Z"}
    ).json()["prices"]
    assert as_known["unit_price"] == "3.00"


def test_a_price_tells_who_entered_it(client: TestClient, database: Database) -> None:
    (said,) = client.post("/v1/prices", json=PRICE | {"per": 1000}).json()["prices"]
    assert (said["unit_price"], said["entered_by"]) == ("2125.00", "anybody on this machine")
    with database.write() as session:
        key = create_key(
            session,
            tenant=TENANT,
            kind="admin",
            name="finance",
            team=None,
            pepper=ApiSettings().key_pepper,
            now=at(NOW),
        )
    step = PRICE | {"above_monthly": 10**9, "reference": "https://acme.example/msa"}
    answer = client.post("/v1/prices", json=step, headers={"authorization": f"Bearer {key}"})
    (said,) = answer.json()["prices"]
    assert said["entered_by"].startswith("finance (key ")
    assert (said["above_monthly"], said["reference"]) == (10**9, "https://acme.example/msa")


def test_one_wrong_price_refuses_them_all(client: TestClient, database: Database) -> None:
    answer = client.post(
        "/v1/prices", json=[PRICE, PRICE | {"meter": "output", "unit_price": "-1"}]
    )
    assert answer.status_code == 422
    assert answer.json()["field"] == "1.unit_price"
    assert "must not be negative" in answer.json()["detail"]
    assert book(database) == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (PRICE | {"unit_price": "1e-6"}, "unit_price"),
        (PRICE | {"unit_price": 2.5}, "0.unit_price"),
        (PRICE | {"currency": "EURO"}, "currency"),
        (PRICE | {"colour": "red"}, "0.colour"),
        ({"provider": "openai"}, "0.model"),
        ([], "body"),
        ([PRICE, PRICE], "1.valid_from"),
        ("x", "body"),
    ],
)
def test_a_mistake_in_a_request_names_its_field(
    client: TestClient, body: object, field: str
) -> None:
    answer = client.post("/v1/prices", json=body)
    assert (answer.status_code, answer.json()["field"]) == (422, field)


def test_another_sources_price_is_not_corrected_unasked(
    client: TestClient, tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.post("/v1/prices", json=PRICE)
    file = tmp_path / "contract.csv"
    file.write_text(HEADER + GOOD.replace("2.125", "2"))
    result = run(database_url, monkeypatch, prices_command.command, "import", str(file))
    assert result.exit_code == 1
    assert "valid_from: overlaps the price of 'POST /v1/prices' (id 1)" in result.output


def test_pages_of_the_book_are_cut_by_key(client: TestClient) -> None:
    client.post("/v1/prices", json=[PRICE | {"model": f"m{number}"} for number in range(5)])
    first = client.get("/v1/prices", params={"limit": 2}).json()
    rest = client.get("/v1/prices", params={"limit": 3, "after": first["next"]}).json()
    models = [each["model"] for page in (first, rest) for each in page["prices"]]
    assert models == ["m0", "m1", "m2", "m3", "m4"]
    assert rest["next"] is None
    for wrong in ({"limit": 0}, {"at": "x"}, {"after": -1}, {"colour": "red"}):
        assert client.get("/v1/prices", params=wrong).status_code == 422


def test_what_has_no_price_is_listed_with_its_volume(
    client: TestClient, database: Database
) -> None:
    client.post("/v1/prices", json=[PRICE, PRICE | {"meter": "output"}])
    new = Route(provider="openai", model="gpt-99", deployment="api")
    with database.write() as session:
        put_cell(session, "2026-10-20T10:00", SEARCH, GPT, charged=False, calls=9, unmetered=2)
        put_cell(session, "2026-10-20T10:00", SEARCH, new, charged=False, calls=5, input=70)
        put_cell(session, "2026-10-20T11:15", SEARCH, new, charged=False, calls=2, output=30)
        put_cell(
            session,
            "2026-10-20T11:15",
            SEARCH,
            new,
            charged=False,
            calls=100,
            outcome=Outcome.RATE_LIMITED,
        )
    charge.run(JobContext(database=database, now=at(NOW)))
    found = client.get("/v1/prices/unpriced").json()["unpriced"]
    assert [(each["model"], each["reason"], each["calls"]) for each in found] == [
        ("gpt-99", "no price", 7),
        ("gpt-4o", "usage not reported", 2),
    ]
    assert found[0]["usage"]["input_tokens"] == 70
    assert found[0]["usage"]["output_tokens"] == 30
    assert found[0]["first_seen"] == "2026-10-20T10:00:00Z"
    assert found[0]["last_seen"] == "2026-10-20T11:15:00Z"
    upside_down = {"from": "2026-10-20T00:00:00Z", "to": "2026-10-19T00:00:00Z"}
    assert client.get("/v1/prices/unpriced", params=upside_down).json()["field"] == "from"
    first = {"to": "0001-01-02T00:00:00Z"}
    assert client.get("/v1/prices/unpriced", params=first).json()["field"] == "to"


def run(
    database_url: str, monkeypatch: pytest.MonkeyPatch, command: Any, *arguments: str
) -> Result:
    monkeypatch.setenv("SPANLEDGER_DATABASE_URL", database_url)
    monkeypatch.setenv("COLUMNS", "200")
    return CliRunner().invoke(command, arguments)


def test_prices_on_the_command_line(
    database: Database, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def told(*arguments: str) -> str:
        return run(database_url, monkeypatch, prices_command.command, *arguments).output

    assert "no such prices" in told("list")
    assert "everything that was called has a price" in told("unpriced")
    file = tmp_path / "contract.csv"
    file.write_text(f"\ufeff{HEADER}{GOOD}\n", encoding="utf-8")
    entered = told("import", str(file), "--by", "Ada")
    assert "1 prices read: 1 lines entered the book, 0 closed\n" in entered
    assert "spanledger prices reprice --from 2026-10-01 --to" in entered
    file.write_text(f"{HEADER}{GOOD.replace('2.125', '-2')}\n{GOOD}\n")
    assert "line 2, unit_price: must not be negative" in told("import", str(file))
    file.write_text(f"{HEADER}{GOOD.replace('2.125', '2.25')}\n")
    assert "1 lines entered the book, 1 closed" in told("import", str(file))
    file.write_bytes(b"\xff\xfe")
    assert "not UTF-8 at byte 0" in told("import", str(file))
    listed = told("list", "--provider", "openai")
    assert "2.25" in listed
    assert "contract.csv" in listed
    assert "7,642 lines" in told("refresh")
    with database.read() as session:
        # And our two, and those of canaries.
        held = 7_642 + 2 + len(price_lines())
        assert session.scalar(select(func.count()).select_from(prices)) == held
    with database.write() as session:
        unknown = Route(provider="openai", model="gpt-99", deployment="api")
        slot = (at(NOW) + timedelta(days=0)).isoformat()
        put_cell(session, slot, SEARCH, unknown, calls=1234, unpriced=1234, input=5_000)
    assert "1,234" in told("unpriced")


def test_pools_on_the_command_line(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def told(*arguments: str) -> str:
        return run(database_url, monkeypatch, pools_command.command, *arguments).output

    assert "no pools" in told("list")
    file = tmp_path / "pools.toml"
    file.write_text(
        '[[pools]]\nname = "llama"\ncost_per_hour = "49.24"\nmatch = { provider = ["vllm"] }\n'
    )
    assert told("apply", str(file)) == "1 declared: llama\n"
    assert told("apply", str(file)) == "1 unchanged: llama\n"
    file.write_text(file.read_text().replace("49.24", "50"))
    assert told("apply", str(file)) == "1 changed: llama\n"
    assert "50.00 USD" in told("list")
    file.write_text(file.read_text().replace("50", "-1"))
    assert "pool 1, cost_per_hour: must not be negative" in told("apply", str(file))


def test_a_pool_is_declared_over_the_api(client: TestClient, database: Database) -> None:
    said = {"name": "llama", "cost_per_hour": "10", "match": {"provider": ["vllm"]}}
    made = client.post("/v1/pools", json=said)
    assert made.status_code == 201
    assert made.json() == {
        "id": 1,
        "name": "llama",
        "kind": "rented",
        "cost_per_hour": "10.00",
        "currency": "USD",
        "from": "2026-10-20T12:00:00Z",
        "to": None,
        "match": {"provider": ["vllm"]},
        "components": [],
        "tariffs": [],
        "zone": "UTC",
        "capacity_per_unit": None,
        "seats": {},
        "output_weight": "4",
        "capacity_per_hour": None,
        "method": "work-units-v1",
        "provider": "vllm",
        "region": None,
        "charged_to": None,
    }
    assert client.get("/v1/pools").json() == {"pools": [made.json()]}
    assert client.post("/v1/pools", json=said).status_code == 409
    for wrong, field in (
        ({"cost_per_hour": 1.5}, "cost_per_hour"),
        ({"match": {}}, "match"),
        ({"match": {"size": ["x"]}}, "match.size"),
        ({"from": "2026-10-01T00:30"}, "from"),
        ({"colour": "red"}, "colour"),
        ({"name": 5}, "name"),
        ({"currency": "EURO"}, "currency"),
    ):
        answer = client.post("/v1/pools", json=said | {"name": "b"} | wrong)
        assert (answer.status_code, answer.json()["field"]) == (422, field)
    with database.write() as session:
        put_cell(session, NOW, SEARCH, LLAMA, charged=False, input=5)
    charge.run(JobContext(database=database, now=at(NOW)))
    with database.read() as session:
        assert session.scalar(select(func.sum(charges.c.amount))) == 10
    assert client.get("/v1/pools").json()["pools"][0]["charged_to"] == "2026-10-20T13:00:00Z"
