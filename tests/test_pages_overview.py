"""The overview: a month so far, beside the same part of the one before, and how sure that is."""

import csv
import html
import io
import re
from dataclasses import replace
from decimal import Decimal
from typing import Final

import pytest
from budgeted import budget
from fastapi.testclient import TestClient
from filled_ledger import (
    CLAUDE,
    GPT,
    IDLE,
    LLAMA,
    SEARCH,
    SUPPORT,
    asking,
    at,
    put_cell,
    put_charge,
    put_run,
)

from spend.calls import Owner, Route
from store.access.keys import create_key
from store.postgres.sessions import Database
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

NOW: Final = "2026-11-20T12:00"
PEPPER: Final = b"sixteen bytes and more"


Call = tuple[str, str, Owner, Route, int]
"""Slot, cost, owner, route and tokens; of idle capacity a charge alone."""

MONTHS: Final[tuple[Call, ...]] = (
    ("2026-10-05", "10", SEARCH, GPT, 100),
    ("2026-10-20T11:45", "5", SUPPORT, CLAUDE, 100),
    ("2026-10-20T12:00", "1000", SUPPORT, CLAUDE, 100),
    ("2026-11-03", "30", SEARCH, GPT, 300),
    ("2026-11-19", "20", SUPPORT, CLAUDE, 100),
    ("2026-11-19", "6", SEARCH, LLAMA, 100),
    ("2026-11-20T11:00", "4", IDLE, LLAMA, 0),
)


def put_calls(database: Database, *calls: Call) -> None:
    with database.write() as session:
        for slot, cost, owner, route, tokens in calls:
            if tokens:
                put_cell(session, slot, owner, route, input=tokens)
            put_charge(session, slot, cost, owner, route)


@pytest.fixture
def client(database: Database) -> TestClient:
    """Two months, seen at noon of the 20th of the second."""
    put_calls(database, *MONTHS)
    with database.write() as session:
        for job in ("roll", "charge"):
            put_run(session, job, NOW, finished=NOW)
    return asking(database, now=NOW, key_pepper=PEPPER)


def text_of(page: str) -> str:
    """What is read of a page, without its charts."""
    told = re.sub(r"<script.*?</script>|<svg.*?</svg>", "", page, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", told)).split())


def rows(client: TestClient, table: str, **asked: str) -> list[dict[str, str]]:
    answer = client.get("/", params={"csv": table, **asked})
    assert answer.headers["content-type"].startswith("text/csv")
    return list(csv.DictReader(io.StringIO(answer.text)))


def numbers(row: dict[str, str], *but: str) -> dict[str, Decimal]:
    return {name: Decimal(value) for name, value in row.items() if name not in but}


def test_a_month_is_compared_with_as_much_of_the_one_before(
    client: TestClient, database: Database
) -> None:
    told = text_of(client.get("/").text)
    assert "November 2026, so far" in told
    assert "Spent so far $60.00 +$45.00 (300%) against the same part of October 2026" in told
    assert "APIs $50.00 83%" in told
    assert "Self-hosted $6.00 10%" in told
    assert "Idle $4.00 7%" in told
    assert {row["team"]: Decimal(row["difference"]) for row in rows(client, "teams")} == {
        "search": 26,
        "support": 15,
        "idle": 4,
    }
    over = client.get("/?month=2026-10&by=team").text
    assert "Spent $1,015" in text_of(over)
    assert "nothing in September 2026 to compare with" in text_of(over)
    assert "Expected by the end" not in over
    assert 'href="/?by=team&amp;month=2026-09"' in over
    assert 'href="/?by=team"' in over, "the present month needs no name"
    put_calls(database, ("2026-10-31T23:30", "8", SEARCH, GPT, 100))
    assert "Spent so far $60.00" in text_of(client.get("/").text)
    berlin = text_of(client.get("/?timezone=Europe/Berlin").text)
    assert "Spent so far $68.00" in berlin, "days are cut by the zone that is asked for"
    days = rows(client, "days", timezone="Europe/Berlin")
    assert Decimal(days[0]["OpenAI"]) == 8


def test_days_and_what_changed_add_up_in_every_file(client: TestClient) -> None:
    days = rows(client, "days")
    assert [row["day"] for row in days] == [f"2026-11-{day:02d}" for day in range(1, 21)]
    stack = ["Idle", "Self-hosted", "Anthropic", "OpenAI"]
    assert list(days[0]) == ["day", *stack]
    assert numbers(days[18], "day") == dict(zip(stack, (0, 6, 20, 0), strict=True))
    assert [sum(Decimal(row[name]) for row in days) for name in stack] == [4, 6, 20, 30]
    figure = re.search(r"<figure.*?</figure>", client.get("/").text, re.DOTALL)
    assert figure
    assert "<svg" in figure[0], "drawn without scripts"
    assert re.findall(r'<a href="/explore[^"]*">([^<]+)</a>', figure[0]) == stack
    for by in ("model", "provider", "team"):
        found = rows(client, "changes", by=by)
        for row in found:
            its = numbers(row, "name")
            assert its["difference"] == its["now"] - its["then"]
            assert its["difference"] == its["volume"] + its["mix"] + its["price"] + its["other"]
        assert sum(Decimal(row["difference"]) for row in found) == 45
    told = text_of(client.get("/").text)
    assert "gpt-4o more volume" in told
    assert "llama-3.3-70b newly used" in told
    assert "idle more idle capacity" in text_of(client.get("/?by=team").text)


def test_cards_files_and_rows_are_what_the_api_says_whatever_the_rates_and_names_are(
    database: Database,
) -> None:
    """A mean of rates is of the whole month; a provider may be called as a part of the chart is;
    a team that spends no more is a row, as it is in the sum."""
    odd = Route(provider="Self-hosted", model="m", operation="chat", deployment="api")
    put_calls(database, *MONTHS, ("2026-10-07", "3", Owner(team="gone"), GPT, 100))
    with database.write() as session:
        for day, amount in (("03", "7"), ("20", "5")):
            put_charge(session, f"2026-11-{day}", amount, SUPPORT, odd, currency="EUR")
    client = asking(database, now=NOW, rate_policy="period-average")
    said = {"from": "EUR", "to": "USD", "source": "ecb"}
    rates = [said | {"date": f"2026-11-{d}", "rate": r} for d, r in (("03", "1.1"), ("20", "1.3"))]
    assert client.post("/v1/rates", json=rates).status_code == 201
    spend = client.get("/v1/spend?from=2026-11-01&to=2026-12-01&group_by=team").json()
    whole = Decimal(spend["total"]["cost"])
    assert whole == 60 + 12 * Decimal("1.2")
    days = [numbers(row, "day").values() for row in rows(client, "days")]
    assert sum(map(sum, days)) == whole
    teams = rows(client, "teams")
    assert sum(Decimal(row["cost"] or 0) for row in teams) == whole
    assert sum(Decimal(row["difference"]) for row in teams) == whole - 18
    assert "Spent so far $74.40 +$56.40" in text_of(client.get("/").text)


def test_teams_stand_beside_their_budgets_and_a_budget_on_everything_goes_first(
    client: TestClient, database: Database
) -> None:
    budget(database)
    budget(database, name="support", filter={"team": ["support"]}, amount="16")
    shown = client.get("/").text
    told = text_of(shown)
    assert 'class="text long"' not in shown, "a bar is no long text, and no stop of Tab"
    assert "Budgets of 2 teams $116.00" in told
    assert "48% used, 1 team over" in told
    (support,) = (row for row in rows(client, "teams") if row["team"] == "support")
    assert numbers(support, "team") | {"limit": 16, "used": Decimal("1.25")} == numbers(
        support, "team"
    )
    budget(database, name="all", filter={}, amount="240")
    assert "Budget $240.00 25% used" in text_of(client.get("/").text)
    assert "over" in text_of(client.get("/?month=2026-10").text), "by its spend, of a month before"


def test_of_many_teams_the_dearest_stand_there_and_the_rest_as_one_so_that_all_add_up(
    database: Database,
) -> None:
    with database.write() as session:
        for place in range(20):
            name = f"team-{place:02d}"
            put_charge(session, "2026-11-03", str(100 - place), replace(SEARCH, team=name))
        put_cell(session, "2026-11-03")
    budget(database, name="small", filter={"team": ["team-18"]}, amount="1")
    many = asking(database, now=NOW)
    shown = many.get("/?month=2026-11").text
    listed = shown[shown.index('id="teams"') :].partition("</tbody>")[0]
    names = re.findall(r'<th scope="row".*?<a [^>]*>([^<]*)</a>', listed)
    assert names == [*(f"team-{place:02d}" for place in range(15)), "team-18", "4 other teams"]
    amounts = re.findall(r'<td class="right "><data value="([0-9.]+)"', listed)
    assert sum(map(Decimal, amounts)) == sum(range(81, 101))
    assert len(rows(many, "teams")) == 20, "each by itself in the file"


def test_what_is_posted_is_seen_at_once_and_what_lacks_is_told(
    client: TestClient, database: Database
) -> None:
    assert "Spent so far $60.00" in text_of(client.get("/").text)
    more = (("2026-11-10", "7", SEARCH, GPT, 100), ("2026-10-10", "2", SEARCH, GPT, 100))
    put_calls(database, *more)
    assert "Spent so far $67.00 +$50.00" in text_of(client.get("/").text)
    with database.write() as session:
        put_cell(session, "2026-11-18", calls=3, unpriced=3, input=1500)
        put_cell(session, "2026-11-18T10:00", calls=2, unpriced=None, charged=False, input=10)
    told = text_of(client.get("/").text)
    assert "3 calls with 1,500 tokens have no price" in told
    assert "Waiting 2 calls for their charge" in told
    assert "everything heard before 20 Nov 2026, 12:00" in told
    assert "jobs are behind" not in told
    later = asking(database, now="2026-11-20T13:00")
    assert "the jobs are behind" in text_of(later.get("/").text)


def test_what_the_month_should_come_to_stands_with_its_band(database: Database) -> None:
    with database.write() as session:
        for day in range(1, 20):
            put_cell(session, f"2026-11-{day:02d}")
            put_charge(session, f"2026-11-{day:02d}", "10")
    found = re.search(
        r"Expected by the end \$([\d,.]+) 80% band \$([\d,.]+) to \$([\d,.]+)",
        text_of(asking(database, now=NOW).get("/").text),
    )
    assert found
    expected, low, high = (Decimal(each.replace(",", "")) for each in found.groups())
    assert 190 < low <= expected <= high < 400


def test_a_team_sees_its_own_month_alone(client: TestClient, database: Database) -> None:
    budget(database, name="support", filter={"team": ["support"]}, amount="16")
    assert "support" in client.get("/").text, "what is kept for all is not shown to one"
    with database.write() as session:
        key = create_key(
            session,
            tenant=TENANT,
            kind="read",
            name="ann",
            team="search",
            pepper=PEPPER,
            now=at(NOW),
        )
    client.headers["Authorization"] = f"Bearer {key}"
    page = client.get("/").text
    assert "Spent so far $36.00 +$26.00" in text_of(page)
    assert not re.search(r"support|anthropic|claude", page, re.IGNORECASE)
    assert "Idle" not in text_of(page)
    assert "Books" not in text_of(page)
    (use,) = rows(client, "teams")
    assert (use["service"], Decimal(use["cost"])) == ("search-api", 36)


def test_hostile_names_are_text_and_wrong_questions_name_the_parameter(
    client: TestClient, database: Database
) -> None:
    name = "<script>alert(1)</script>\"'javascript:x\u202e"
    route = Route(provider=name, model=name, operation="chat", deployment="api")
    put_calls(database, ("2026-11-12", "900", Owner(team=name), route, 100))
    for by in ("model", "provider", "team"):
        page = client.get(f"/?by={by}").text
        assert "<script>alert" not in page
        assert 'href="javascript:' not in page
        assert "&lt;script&gt;alert(1)" in page
    for asked in ("month=2026-13", "by=moon", "csv=nothing", "timezone=Moon", "x=1"):
        answer = client.get(f"/?{asked}", headers={"Accept": "application/json"})
        assert answer.status_code == 422
        assert asked.partition("=")[0] in answer.text
