"""A gateway that asks before a call is told from memory what is left, as of when, and for whom."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from budgeted import NOW, budget, change
from fastapi.testclient import TestClient
from filled_ledger import at, described
from sqlalchemy.exc import OperationalError

from api.app import create_app
from api.auth import Caller
from api.budgets.budget_board import Boards
from api.budgets.budget_check import CheckAsked
from api.settings import ApiSettings
from spend.budgets.budgets import DIMENSIONS
from spend.periods import Period
from store.access.keys import create_key
from store.budgets import standings
from store.budgets.standings import Standing
from store.postgres.sessions import Database
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

MONTH = Period(at("2026-11-01"), at("2026-12-01"))


class Gateway:
    """Asks as of a moment, and sees at once what is new."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.now = NOW
        self.app = create_app(database, ApiSettings(), lambda: self.now)
        described(self.app)
        self.client = TestClient(self.app, base_url="http://127.0.0.1")

    def asks(self, **said: str) -> dict[str, Any]:
        self.app.state.boards = Boards(self.database, TENANT)
        return dict(self.client.get("/v1/budgets/check", params=said).json())


@pytest.fixture
def gateway(database: Database) -> Gateway:
    return Gateway(database)


def stands(
    database: Database, budget_id: int, spent: str, *, version: int = 1, rolled: str = "0"
) -> None:
    standing = Standing(
        budget_id=budget_id,
        version=version,
        period=MONTH,
        spent=Decimal(spent),
        rolled_in=Decimal(rolled),
        limit=Decimal(100),
        state="ok",
        as_of=at("2026-11-15T11:58"),
    )
    with database.write() as session:
        standings.put(session, TENANT, [standing], NOW)


def test_a_call_is_told_what_is_left_of_each_budget_that_it_counts_towards(
    database: Database,
    gateway: Gateway,
) -> None:
    team = budget(database)
    company = budget(database, name="all", filter={}, amount="1000")
    budget(database, name="others", filter={"team": ["billing"]})
    stands(database, team.id, "99.5", rolled="20")
    stands(database, company.id, "1000")
    answer = gateway.asks(team="search")
    assert answer["over"] is True, "what is spent exactly leaves nothing"
    assert [
        (each["name"], each["spent"], each["limit"], each["left"], each["over"])
        for each in answer["budgets"]
    ] == [
        ("search", "99.50", "120.00", "20.50", False),
        ("all", "1000.00", "1000.00", "0.00", True),
    ]
    assert answer["as_of"] == "2026-11-15T11:58:00Z"
    assert answer["budgets"][0]["period_end"] == "2026-12-01T00:00:00Z"


def test_a_budget_on_what_was_not_said_is_undecided(database: Database, gateway: Gateway) -> None:
    made = budget(database, filter={"team": ["search"], "model": ["gpt-4o"]})
    assert gateway.asks(team="search")["undecided"] == [
        {"id": made.id, "name": "search", "needs": ["model"]}
    ]
    assert [each["id"] for each in gateway.asks(team="search", model="gpt-4o")["budgets"]] == [1]
    elsewhere = gateway.asks(team="search", model="o5")
    assert (elsewhere["budgets"], elsewhere["undecided"]) == ([], [])
    nobodys = gateway.asks(team="", model="gpt-4o")
    assert (nobodys["budgets"], nobodys["over"]) == ([], False)


def test_what_was_not_compared_is_not_known_and_not_over(
    database: Database, gateway: Gateway
) -> None:
    made = budget(database)
    assert gateway.asks(team="search")["budgets"][0]["spent"] is None
    stands(database, made.id, "150")
    assert gateway.asks(team="search")["over"] is True
    gateway.now = at("2026-12-01")
    assert gateway.asks(team="search")["over"] is False, "a new period"
    gateway.now = NOW
    change(database, made, amount="500")
    raised = gateway.asks(team="search")
    assert (raised["budgets"][0]["spent"], raised["over"]) == (None, False)
    stands(database, made.id, "150", version=2)
    change(database, made, amount="500", name="renamed")
    renamed = gateway.asks(team="search")["budgets"][0]
    assert (renamed["name"], renamed["left"]) == ("renamed", "350.00")


def test_of_a_budget_of_nothing_nothing_is_left(database: Database, gateway: Gateway) -> None:
    made = budget(database, amount="0")
    stands(database, made.id, "0")
    assert gateway.asks(team="search")["over"] is True


def test_a_key_of_one_team_asks_for_that_one_and_sees_no_other_amounts(
    database: Database, gateway: Gateway
) -> None:
    company = budget(database, name="all", filter={})
    stands(database, company.id, "100")
    with database.write() as session:
        key = create_key(
            session, tenant=TENANT, kind="read", name="x", team="search", pepper=b"", now=NOW
        )
    client = gateway.client
    client.headers["Authorization"] = f"Bearer {key}"
    answer = client.get("/v1/budgets/check").json()
    assert answer["over"] is True
    assert [(each["name"], each["limit"], each["left"]) for each in answer["budgets"]] == [
        ("all", None, None)
    ]
    refused = client.get("/v1/budgets/check?team=billing")
    assert (refused.status_code, refused.json()["field"]) == (403, "team")
    client.headers["Authorization"] = "Bearer nonsense"
    assert client.get("/v1/budgets/check").status_code == 401


def test_all_that_a_budget_can_be_on_can_be_asked_by() -> None:
    assert set(CheckAsked.model_fields) == set(DIMENSIONS)


def test_an_unknown_parameter_is_refused_by_name(gateway: Gateway) -> None:
    refused = gateway.client.get("/v1/budgets/check?taem=search")
    assert (refused.status_code, refused.json()["field"]) == (422, "taem")


class Away:
    """A database that answers until it is away."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.read = database.read
        self.reads = 0

    def counted(self) -> Any:
        self.reads += 1
        return self.database.read()

    def gone(self) -> Any:
        raise OperationalError("", None, Exception("away"))


def test_while_the_database_is_away_the_last_is_answered_with_its_time(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = budget(database)
    stands(database, made.id, "42")
    away = Away(database)
    boards = Boards(away, TENANT)  # type: ignore[arg-type]  # as much of one as is asked
    away.read = away.counted  # type: ignore[method-assign]
    seconds = [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: seconds[0])
    moments = iter([at("2026-11-15T12:00"), at("2026-11-15T12:01"), at("2026-11-15T12:02")])

    def now() -> datetime:
        return next(moments)

    first = boards.board(now)
    assert (first.held[0].spent, first.read_at) == (Decimal(42), at("2026-11-15T12:00"))
    seconds[0] += 1
    assert boards.board(now) is first, "from memory"
    assert away.reads == 1
    away.read = away.gone  # type: ignore[method-assign]
    seconds[0] += 60
    assert boards.board(now) is first
    with pytest.raises(OperationalError):
        Boards(away, TENANT).board(now)  # type: ignore[arg-type]  # as above


def test_a_known_key_is_not_asked_for_again_at_once(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    boards = Boards(database, TENANT)
    seconds = [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: seconds[0])
    asked_for: list[Caller] = []

    def ask() -> Caller:
        asked_for.append(Caller(team=f"team {len(asked_for)}"))
        return asked_for[-1]

    assert boards.caller("Bearer a", "h", ask).team == "team 0"
    assert boards.caller("Bearer a", "h", ask).team == "team 0"
    assert boards.caller("Bearer b", "h", ask).team == "team 1"
    seconds[0] += 3
    assert boards.caller("Bearer a", "h", ask).team == "team 2"

    def away() -> Caller:
        raise OperationalError("", None, Exception("away"))

    seconds[0] += 3
    assert boards.caller("Bearer a", "h", away).team == "team 2"
