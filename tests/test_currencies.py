"""What is paid in several currencies: each charge in its own, reports in one, exactly."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from fastapi.testclient import TestClient
from filled_ledger import SUPPORT, asking, at, put_cell, put_charge
from sqlalchemy import select

from jobs.charging import charge, reprice
from jobs.context import JobContext, JobSettings
from spend.prices.prices import CONTRACT, LIST, PriceLine
from store.postgres.sessions import Database
from store.prices import books, repricings
from store.tables.ledger import charges
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

NOW = "2026-11-20T12:00"
OCTOBER = "/v1/statements/2026-10"
SPEND = "/v1/spend?from=2026-10-01&to=2026-11-01"


def line(book: str, price: str, currency: str, meter: str = "input") -> PriceLine:
    return PriceLine(
        book=book,
        provider="openai",
        model="gpt-4o",
        meter=meter,
        unit_price=Decimal(price),
        currency=currency,
        valid_from=datetime(2026, 1, 1, tzinfo=UTC),
        source="test",
    )


def run(database: Database, now: str) -> None:
    context = JobContext(database=database, now=at(now), settings=JobSettings(), by_hand=True)
    charge.run(context)
    reprice.run(context)


def posted(database: Database) -> list[tuple[Any, ...]]:
    columns = ("meter", "currency", "amount", "list_amount")
    with database.read() as session:
        found = session.execute(select(*(charges.c[name] for name in columns)).order_by("id"))
        return [(row[0], row[1], f"{row[2]:f}", row[3] and f"{row[3]:f}") for row in found]


def test_a_contract_in_one_currency_over_a_list_in_another(database: Database) -> None:
    early = at("2026-10-01T00:00")
    with database.write() as session:
        listed = [line(LIST, "2.5", "USD"), line(LIST, "10", "USD", "output")]
        books.replace_list(session, listed, now=early)
        books.enter_contract(session, TENANT, [line(CONTRACT, "2", "EUR")], now=early)
        put_cell(
            session, "2026-10-20T10:00", charged=False, unpriced=None, input=10**6, output=10**6
        )
    run(database, "2026-10-20T12:05")
    in_euros = ("input", "EUR", "2.000000000000", None)
    in_dollars = ("output", "USD", "10.000000000000", "10.000000000000")
    assert posted(database) == [in_euros, in_dollars]
    told = asking(database).get("/v1/spend?group_by=team").json()
    assert (told["total"]["cost"], told["total"]["calls"]) == ("10.00", 1)
    assert [(each["team"], each["currency"], each["cost"]) for each in told["elsewhere"]] == [
        ("search", "EUR", "2.00")
    ]
    # The same number in another currency is another price: taken back in the one, booked in the
    # other, and comparable with the list.
    with database.write() as session:
        books.enter_contract(
            session, TENANT, [line(CONTRACT, "2", "USD")], now=at("2026-10-20T12:10")
        )
        repricings.request(
            session,
            TENANT,
            at("2026-10-20T00:00"),
            at("2026-10-20T12:00"),
            dry_run=False,
            now=at("2026-10-20T12:15"),
        )
    run(database, "2026-10-20T12:20")
    assert posted(database)[2:] == [
        ("input", "EUR", "-2.000000000000", None),
        ("input", "USD", "2.000000000000", "2.500000000000"),
    ]


def enter(
    client: TestClient, rates: Iterable[tuple[str, str, str, str]], *, correct: str = "false"
) -> None:
    said = [
        {"date": day, "from": from_currency, "to": to_currency, "rate": rate, "source": "ecb"}
        for day, from_currency, to_currency, rate in rates
    ]
    assert client.post(f"/v1/rates?correct={correct}", json=said).status_code == 201


DAYS = [date(2026, 9, 28) + timedelta(number) for number in range(34)]
RATES = {
    currency: {
        day: (Decimal(first) + Decimal(number) / 1000).quantize(Decimal("0.0001"))
        for number, day in enumerate(DAYS)
        if day.weekday() < 5
    }
    for currency, first in (("USD", "1.08"), ("JPY", "160"), ("KWD", "0.33"))
}
SPENT = [
    ("2026-10-01T00:15", "JPY", "1234567.000000000001"),
    ("2026-10-04T10:00", "JPY", "0.333333333333"),
    ("2026-10-31T23:45", "KWD", "77.123456789012"),
    ("2026-10-15T08:00", "KWD", "-1.5"),
    ("2026-10-15T08:00", "USD", "99.99"),
    ("2026-10-16T08:00", "EUR", "5.000000000007"),
    ("2026-10-17T08:00", "CHF", "3.25"),
]


@pytest.fixture
def client(database: Database) -> TestClient:
    with database.write() as session:
        put_cell(session, "2026-10-05", SUPPORT)
        for slot, currency, amount in SPENT:
            put_charge(session, slot, amount, SUPPORT, currency=currency)
    client = asking(database, now=NOW, currency="EUR")
    enter(
        client,
        [
            (day.isoformat(), "EUR", currency, str(rate))
            for currency, by_day in RATES.items()
            for day, rate in by_day.items()
        ],
    )
    return client


def inverse(rate: Decimal) -> Fraction:
    """As the used rate has it: ten decimals, half to even."""
    return Fraction(round(10**10 / Fraction(rate)), 10**10)


def used(currency: str, slot: str, policy: str) -> Fraction | None:
    if currency == "EUR":
        return Fraction(1)
    if currency not in RATES:
        return None
    by_day = RATES[currency]
    october = [day for day in by_day if day.month == 10]
    if policy == "period-average":
        mean = sum((inverse(by_day[day]) for day in october), Fraction()) / len(october)
        return Fraction(round(mean * 10**10), 10**10)
    until = date(2026, 10, 31) if policy == "period-end" else date.fromisoformat(slot[:10])
    return inverse(by_day[max(day for day in by_day if day <= until)])


@pytest.mark.parametrize("policy", ["daily", "period-end", "period-average"])
def test_sums_in_their_own_currencies_times_the_used_rates_are_the_report(
    client: TestClient, policy: str
) -> None:
    expected = sum(
        (
            Fraction(amount) * rate
            for slot, currency, amount in SPENT
            if (rate := used(currency, slot, policy)) is not None
        ),
        Fraction(),
    )
    told = client.get(f"{SPEND}&rate_policy={policy}").json()
    assert Fraction(told["total"]["cost"]) == expected
    assert [(each["currency"], each["cost"]) for each in told["elsewhere"]] == [("CHF", "3.25")]
    assert {each["path"] for each in told["rates"]} == {"inverse"}
    statement = client.get(f"{OCTOBER}?rate_policy={policy}").json()
    assert Fraction(statement["total"]["cost"]) == expected
    assert [each["currency"] for each in statement["elsewhere"]] == ["CHF"]
    assert statement["rates"] == told["rates"]
    own = client.get("/v1/charges?from=2026-10-01&to=2026-11-01&currency=JPY").json()
    assert own["total"]["cost"] == "1234567.333333333334"
    assert {each["currency"]: each["lines"] for each in own["elsewhere"]} == {
        "CHF": 1,
        "EUR": 1,
        "KWD": 2,
        "USD": 1,
    }


def test_a_policy_changed_and_changed_back_says_what_it_said(client: TestClient) -> None:
    told = {
        policy: client.get(f"{OCTOBER}.csv?rate_policy={policy}").content
        for policy in ("daily", "period-end", "period-average")
    }
    assert len(set(told.values())) == 3
    for policy, before in told.items():
        assert client.get(f"{OCTOBER}.csv?rate_policy={policy}").content == before


def test_a_rate_corrected_later_does_not_change_what_was_known(
    client: TestClient, database: Database
) -> None:
    moment = "&as_known_at=2026-11-20T12:00:00Z"
    before = [client.get(f"{path}{moment}").content for path in (f"{OCTOBER}?team=support", SPEND)]
    now = client.get(OCTOBER).json()["total"]["cost"]
    later = asking(database, now="2026-11-21T12:00", currency="EUR")
    enter(later, [("2026-10-30", "EUR", "KWD", "0.4")], correct="true")
    enter(later, [("2026-10-17", "EUR", "CHF", "0.93")])
    assert [
        later.get(f"{path}{moment}").content for path in (f"{OCTOBER}?team=support", SPEND)
    ] == before
    told = later.get(OCTOBER).json()
    assert told["total"]["cost"] != now
    assert told["elsewhere"] == []


def test_what_rates_alone_changed_is_a_line_of_its_own(database: Database) -> None:
    with database.write() as session:
        for month in ("09", "10"):
            put_cell(session, f"2026-{month}-05", SUPPORT, input=10)
            put_charge(session, f"2026-{month}-05", "100", SUPPORT, currency="USD")
    client = asking(database, now=NOW, currency="EUR")
    enter(client, [("2026-09-05", "USD", "EUR", "0.9"), ("2026-10-05", "USD", "EUR", "0.95")])
    told = client.get(OCTOBER).json()
    assert (told["total"]["amount"], told["total"]["difference"]) == ("95.00", "5.00")
    assert {
        name: value for name, value in told["total"]["why_amounts"].items() if Decimal(value)
    } == {"fx": "5.00"}


def test_a_budget_counts_what_has_a_rate_and_says_what_has_none(client: TestClient) -> None:
    budget = {
        "name": "all",
        "filter": {},
        "amount": "10",
        "currency": "USD",
        "period": "quarter",
    }
    made = client.post("/v1/budgets", json=budget)
    assert made.status_code == 201, made.text
    status = client.get(f"/v1/budgets/{made.json()['id']}/status").json()
    assert [(each["currency"], each["spent"]) for each in status["without_rate"]] == [
        ("CHF", "3.25")
    ]
    euros = client.get("/v1/spend?from=2026-10-01&to=2026-11-01&currency=USD").json()
    assert (status["spent"], status["state"]) == (euros["total"]["cost"], "over")
