"""A month's statement adds up to the coin, and says what it does not know."""

import csv
import io
import json
import re
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from click.testing import CliRunner
from filled_ledger import (
    CLAUDE,
    GPT,
    IDLE,
    LLAMA,
    NOBODY,
    SEARCH,
    SUPPORT,
    asking,
    at,
    put_cell,
    put_charge,
    put_run,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_books import CALENDAR, OCTOBER, money, usage
from rich.console import Console

from app.cli import cli
from reports.statements.statement_table import statement_table
from reports.statements.statement_words import state_told
from spend.booked import Booked
from spend.budgets.budgets import Terms
from spend.calls import Owner
from spend.capacity.pools import Pool
from spend.statements.statements import Books, Sources, draw_up
from store.budgets import budgets
from store.capacity import pools
from store.postgres.sessions import Database
from store.tenants import TENANT


def ask(database: Database, month: str = "2026-10", **params: Any) -> dict[str, Any]:
    answer = asking(database, now="2026-11-20").get(f"/v1/statements/{month}", params=params)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def fill(database: Database) -> None:
    """Two months of a company with a pool, an unpriced model, and calls that nobody claimed."""
    unknown = replace(GPT, model="gpt-9")
    pool = Pool("gpus", at("2026-09-01"), None, Decimal(2), "USD", {"provider": ["vllm"]}, "vllm")
    with database.write() as session:
        pool_id = pools.declare(session, TENANT, pool).id
        for slot, scale in (("2026-09-10", 1), ("2026-10-10", 2)):
            put_cell(session, slot, SEARCH, GPT, calls=1200 * scale, input=10**6, output=10**5)
            put_charge(session, slot, f"{1234 * scale}.333333333333", SEARCH, GPT)
            put_cell(session, slot, SEARCH, CLAUDE, calls=30 * scale, input=10**5)
            put_charge(session, slot, f"{10 * scale}.333333333333", SEARCH, CLAUDE)
            put_cell(session, slot, SUPPORT, CLAUDE, calls=7, input=10**5)
            put_charge(session, slot, "0.333333333334", SUPPORT, CLAUDE)
            put_cell(session, slot, NOBODY, GPT, calls=2, input=100)
            put_charge(session, slot, "0.5", NOBODY, GPT)
            put_cell(session, slot, SEARCH, LLAMA, calls=100, input=10**6, output=10**6)
            put_charge(session, slot, "60.25", SEARCH, LLAMA, pool_id=pool_id, meter="pool")
            put_charge(session, slot, "180.75", IDLE, LLAMA, pool_id=pool_id, meter="idle")
        put_cell(session, "2026-10-11", SUPPORT, unknown, calls=9, unpriced=9, input=900, output=90)
        put_run(session, "roll", "2026-11-20T11:00", "2026-11-20T11:00")
        put_run(session, "charge", "2026-11-20T10:59", "2026-11-20T11:00")
    set_budget(database, "search in general", {"team": ("search",)}, "2500.00", "2026-09-02")
    set_budget(database, "two teams", {"team": ("search", "support")}, "1", "2026-09-02")
    set_budget(database, "support, weekly", {"team": ("support",)}, "1", "2026-09-02", "week")


def set_budget(
    database: Database,
    name: str,
    wanted: dict[str, tuple[str, ...]],
    amount: str,
    since: str,
    period: str = "month",
) -> None:
    terms = Terms(name, wanted, Decimal(amount), "USD", period, "UTC", (80, 100), None)
    with database.write() as session:
        budgets.create(session, TENANT, terms, at(since))


def coins(amount: str | None) -> Decimal:
    assert amount is not None
    return Decimal(amount)


def test_lines_add_up_to_their_team_and_teams_to_the_total(database: Database) -> None:
    fill(database)
    body = ask(database)
    assert body["total"]["cost"] == "2730.50"
    assert body["total"]["amount"] == "2730.50"
    rows = [row for row in body["rows"] if row["amount"] is not None]
    assert sum(coins(row["amount"]) for row in rows) == Decimal("2730.50")
    assert sum(coins(team["amount"]) for team in body["teams"]) == Decimal("2730.50")
    for team in body["teams"]:
        own = [row for row in rows if row["team"] == team["team"]]
        assert sum(coins(row["amount"]) for row in own) == coins(team["amount"])
        assert sum(coins(row["last_month"]["amount"]) for row in own) == coins(
            team["last_month"]["amount"]
        )
    assert [team["team"] for team in body["teams"]] == [
        "search",
        "support",
        "unallocated",
        "idle",
    ]


def test_last_month_stands_beside_and_is_what_its_own_statement_said(database: Database) -> None:
    fill(database)
    october, september = ask(database), ask(database, "2026-09")
    own = {(row["team"], row["provider"], row["model"]): row for row in september["rows"]}
    for row in october["rows"]:
        before = own.get((row["team"], row["provider"], row["model"]))
        assert row["last_month"]["amount"] == (before["amount"] if before else "0.00")
        assert row["last_month"]["cost"] == (before["cost"] if before else None)
    assert october["total"]["last_month"]["amount"] == september["total"]["amount"]
    assert coins(october["total"]["difference"]) == Decimal("2730.50") - coins(
        september["total"]["amount"]
    )


def test_a_budget_of_one_team_for_a_month_stands_beside_what_it_spent(database: Database) -> None:
    fill(database)
    teams = {team["team"]: team for team in ask(database)["teams"]}
    assert teams["support"]["budgets"] == []
    (budget,) = teams["search"]["budgets"]
    assert (budget["name"], budget["amount"]) == ("search in general", "2500.00")
    assert coins(budget["difference"]) == Decimal("2500.00") - coins(teams["search"]["amount"])
    assert coins(budget["difference"]) < 0


def test_a_budget_is_shown_as_it_was_in_that_month(database: Database) -> None:
    fill(database)
    with database.write() as session:
        budget = budgets.all_in_force(session, TENANT, at("2026-11-05"))[0]
        more = replace(budget.terms, amount=Decimal(9000))
        budgets.change(session, TENANT, budget.id, more, at("2026-11-05"))
    for month, amount in (("2026-10", "2500.00"), ("2026-11", "9000.00")):
        found = {team["team"]: team for team in ask(database, month)["teams"]}
        assert found["search"]["budgets"][0]["amount"] == amount


def test_idle_unallocated_and_unpriced_are_told_apart(database: Database) -> None:
    fill(database)
    body = ask(database)
    assert body["idle"] == {
        "cost": "180.75",
        "amount": "180.75",
        "pools": [{"pool": "gpus", "cost": "241.00", "idle": "180.75"}],
    }
    assert body["unallocated"] == {"cost": "0.50", "amount": "0.50"}
    assert body["unpriced"] == {
        "calls": 9,
        "tokens": 990,
        "rows": [
            {"team": "support", "provider": "openai", "model": "gpt-9", "calls": 9, "tokens": 990}
        ],
    }
    (row,) = [row for row in body["rows"] if row["model"] == "gpt-9"]
    assert (row["cost"], row["amount"], row["difference"]) == (None, None, None)


def test_a_teams_own_statement_says_what_the_statement_of_all_says_of_it(
    database: Database,
) -> None:
    fill(database)
    everybody, search = ask(database), ask(database, team="search")
    assert search["rows"] == [row for row in everybody["rows"] if row["team"] == "search"]
    assert search["total"]["amount"] == everybody["teams"][0]["amount"]
    assert search["idle"]["pools"] == []
    assert ask(database, team="nobody")["rows"] == []


def test_a_month_is_the_asked_zones(database: Database) -> None:
    with database.write() as session:
        put_charge(session, "2026-09-30T22:00", "1")
        put_charge(session, "2026-10-31T23:00", "10")
    assert ask(database)["total"]["amount"] == "10.00"
    assert ask(database, timezone="Europe/Berlin")["total"]["amount"] == "1.00"


def test_a_month_to_come_is_empty_and_says_how_far_we_know(database: Database) -> None:
    fill(database)
    body = ask(database, "2030-01")
    assert (body["rows"], body["total"]["amount"]) == ([], "0.00")
    assert body["complete_until"] == "2026-11-20T10:59:00Z"


def test_a_month_that_is_to_come_is_not_called_open() -> None:
    assert state_of(OCTOBER.start) == "to come: nothing of it is counted yet"
    assert state_of(OCTOBER.start + timedelta(seconds=1)) == "open: figures may still change"


def test_a_month_of_which_something_is_counted_is_not_to_come_though_older_calls_wait() -> None:
    counted = usage("search", "openai", "gpt-4o", calls=1)
    assert state_of(OCTOBER.start, counted) == "open: figures may still change"


def state_of(complete_until: datetime, *booked: Booked) -> str:
    sources = Sources(now=booked, last=[], books=Books(complete_until=complete_until))
    before = CALENDAR.previous(OCTOBER)
    return state_told(draw_up(OCTOBER, before, CALENDAR.zone, "USD", sources))


@pytest.mark.parametrize("month", ["2026-13", "2026-00", "26-10", "october", "2026-1", "9999-01"])
def test_what_is_no_month_is_refused_by_name(database: Database, month: str) -> None:
    answer = asking(database).get(f"/v1/statements/{month}")
    assert answer.status_code == 422
    assert answer.json()["field"] == "month"


def test_csv_has_every_line_and_its_columns_add_up(database: Database) -> None:
    fill(database)
    client = asking(database)
    by_name = client.get("/v1/statements/2026-10.csv")
    by_accept = client.get("/v1/statements/2026-10", headers={"Accept": "text/csv"})
    assert by_name.text == by_accept.text
    assert 'filename="statement-2026-10.csv"' in by_name.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(by_name.text)))
    assert sum(Decimal(row["amount"] or 0) for row in rows) == Decimal("2730.50")
    assert sum(Decimal(row["cost"] or 0) for row in rows) == Decimal("2730.50")
    assert {row["team"] for row in rows} == {"search", "support", "unallocated", "idle"}


AMOUNTS = st.integers(-(10**13), 10**15).map(lambda atoms: Decimal(atoms).scaleb(-12))
KEYS = st.tuples(st.sampled_from("abcde"), st.sampled_from("pq"), st.sampled_from("xyz"))


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(KEYS, AMOUNTS, max_size=20),
    st.sampled_from(["USD", "JPY", "KWD"]),
)
def test_whatever_was_spent_the_coins_add_up(
    spent: dict[tuple[str, str, str], Decimal], currency: str
) -> None:
    rows = [money(*key, cost=amount, currency=currency) for key, amount in spent.items()]
    sources = Sources(now=rows, last=())
    found = draw_up(OCTOBER, CALENDAR.previous(OCTOBER), CALENDAR.zone, currency, sources)
    digits = {"USD": 2, "JPY": 0, "KWD": 3}[currency]
    coin = Decimal(1).scaleb(-digits)
    whole = sum(spent.values(), Decimal(0))
    assert found.total.amount is not None
    assert abs(found.total.amount - whole) <= coin / 2
    assert sum(line.figures.amount or 0 for line in found.lines) == found.total.amount
    for part in found.parts:
        assert sum(line.figures.amount or 0 for line in part.lines) == part.figures.amount
        for line in part.lines:
            assert line.figures.amount is not None
            assert line.figures.spent.cost is not None
            assert abs(line.figures.amount - line.figures.spent.cost) < coin * 2
            assert line.figures.amount == line.figures.amount.quantize(coin)


def report(database_url: str, tmp_path: Any, *arguments: str) -> str:
    environment = {"SPANLEDGER_DATABASE_URL": database_url, "SPANLEDGER_DATA_DIR": str(tmp_path)}
    result = CliRunner().invoke(cli, ["report", *arguments], env=environment)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.one_server
def test_the_report_can_be_read(database: Database, database_url: str, tmp_path: Any) -> None:
    fill(database)
    text = report(database_url, tmp_path, "2026-10")
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert "Statement 2026-10, all teams" in lines
    assert "search openai gpt-4o 2,468.34 1,234.34 +1,234.00 2,400" in lines
    assert any(line.startswith("Budget search in general 2,500.00 48.92 over") for line in lines)
    assert "support anthropic claude-sonnet-4-5 0.33 0.33 0.00 7" in lines
    assert any("gpt-9 unknown 0.00 9" in line for line in lines)
    assert "gpus 241.00 180.75 75.0 %" in lines
    assert any(line.startswith("Total 2,730.50") for line in lines)
    assert "Complete until 2026-11-20 10:59 UTC." in lines
    assert max(len(line.rstrip()) for line in text.splitlines()) <= 120


def test_what_costs_nothing_by_itself_is_no_line_of_the_report() -> None:
    rows = [
        money("commitments", "openai", None, cost=Decimal(0), billed=Decimal(450)),
        money("search", "openai", "o9", cost=Decimal(0)),
        usage("search", "openai", "o9", calls=1),
        usage("search", "openai", "o8", calls=1, unpriced_calls=1),
    ]
    last = [
        money("search", "openai", "o7", cost=Decimal(1)),
        usage("search", "openai", "o7", calls=1),
    ]
    sources = Sources(now=rows, last=last)
    found = draw_up(OCTOBER, CALENDAR.previous(OCTOBER), CALENDAR.zone, "USD", sources)
    assert [part.team for part in found.parts] == ["search", "commitments"]
    console = Console(width=80)
    with console.capture() as shown:
        console.print(statement_table(found))
    assert re.findall(
        r"o[789]|commitments|team total", shown.get().partition("Calls whose")[0]
    ) == [
        "o9",
        "o8",
        "o7",
        "team total",
    ]


@pytest.mark.one_server
def test_the_report_is_also_json_and_csv(
    database: Database, database_url: str, tmp_path: Any
) -> None:
    fill(database)
    body = json.loads(report(database_url, tmp_path, "2026-10", "--format", "json"))
    assert body == ask(database)
    text = report(database_url, tmp_path, "2026-10", "--team", "search", "--format", "csv")
    assert {row["team"] for row in csv.DictReader(io.StringIO(text))} == {"search"}


@pytest.mark.one_server
def test_a_name_cannot_command_the_terminal(
    database: Database, database_url: str, tmp_path: Any
) -> None:
    with database.write() as session:
        put_charge(session, "2026-10-10", "1", Owner("[red]x\x1b[2J\x9b"), GPT)
    text = report(database_url, tmp_path, "2026-10")
    assert "\x1b" not in text
    assert "\x9b" not in text
    assert "[red]x" in text


@pytest.mark.one_server
def test_a_wrong_month_is_told_in_a_line(database_url: str, tmp_path: Any) -> None:
    environment = {"SPANLEDGER_DATABASE_URL": database_url, "SPANLEDGER_DATA_DIR": str(tmp_path)}
    result = CliRunner().invoke(cli, ["report", "2026-13"], env=environment)
    assert result.exit_code == 2
    assert "'2026-13' is not a month such as 2026-10" in result.output
