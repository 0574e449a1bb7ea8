"""What a commitment covers adds up; how they are declared, and how they stand."""

import re
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import owned
import pytest
from committed import MINIMUM, declared, settle, shown
from filled_ledger import CLAUDE, GPT, SEARCH, asking, at, put_charge
from hypothesis import given, settings
from hypothesis import strategies as st

from spend.calls import Owner
from spend.commitments.commitment_files import commitments_of
from spend.commitments.commitment_use import Use
from spend.commitments.commitments import NOTHING, SlotUsage, plan, split
from spend.periods import Period
from spend.written_rows import rows_of_csv
from store.commitments import commitments
from store.postgres.sessions import Database
from store.tenants import TENANT

DOCUMENT = (Path(__file__).parent.parent / "docs" / "commitments.md").read_text(encoding="utf-8")
OCTOBER = at("2026-10-01")
ADS = Owner(team="ads")

atoms = st.integers(0, 10**15)
cents = st.decimals("0.000001", 10**6, places=6, allow_nan=False)


def amount(number: int) -> Decimal:
    return Decimal(number).scaleb(-12)


@given(
    cents,
    st.integers(0, 100),
    st.lists(st.lists(atoms, min_size=1, max_size=4), max_size=8),
)
@settings(max_examples=200, deadline=None)
def test_what_is_covered_and_what_is_unused_is_what_was_paid(
    face: Decimal, percent: int, usage: list[list[int]]
) -> None:
    paid = (face * percent / 100).quantize(Decimal("0.000001"))
    agreed = replace(declared(), amount=face, paid=paid)
    slots = [
        SlotUsage(
            slot=OCTOBER + number * timedelta(minutes=15),
            eligible=amount(sum(places)),
            covered=Decimal(0),
            effective=Decimal(0),
            covers=NOTHING,
            waits=True,
        )
        for number, places in enumerate(usage)
    ]
    todo = plan(face, reversed(slots))
    covered, effective = Decimal(0), Decimal(0)
    for each, places in zip(slots, usage, strict=True):
        if each.slot in todo.to_cover:
            covered += each.eligible
            effective += sum(agreed.effective(amount(place)) for place in places)
    if todo.runs_out is None:
        assert covered == sum(each.eligible for each in slots) == face - todo.left
    else:
        places = usage[(todo.runs_out - OCTOBER) // timedelta(minutes=15)]
        parts = split(todo.left, paid - effective, [amount(place) for place in places])
        assert all(cover <= amount(place) for (cover, _), place in zip(parts, places, strict=True))
        covered += sum(cover for cover, _ in parts)
        effective += sum(cost for _, cost in parts)
        assert (covered, effective) == (face, paid)
    # What is left of what was paid is the unused line: never less than nothing.
    assert covered <= face
    assert effective <= paid


def test_the_order_in_which_they_cover_is_the_documented_one() -> None:
    ends = {"valid_to": "2026-12-01"}
    wanted = [
        declared(name="c", valid_to="2026-11-01"),
        declared(name="d", **ends),
        declared(name="a", valid_from="2026-10-05", **ends),
        declared(name="b", valid_from="2026-10-05", **ends),
        declared(name="e"),
        declared(name="a minimum", **MINIMUM, **ends),
        declared(name="another", **MINIMUM),
    ]
    mixed = [*wanted[3:], *wanted[:3]]
    assert sorted(mixed, key=lambda each: each.order) == wanted


def test_periods_are_counted_from_the_beginning_on() -> None:
    quarters = declared(**MINIMUM, period="quarter", valid_from="2026-02-01", valid_to="2026-11-01")
    assert list(quarters.periods(at("2026-08-01"))) == [
        Period(at("2026-02-01"), at("2026-05-01")),
        Period(at("2026-05-01"), at("2026-08-01")),
        Period(at("2026-08-01"), at("2026-11-01")),
    ]
    assert list(quarters.periods(at("2026-01-31"))) == []
    assert len(list(declared(**MINIMUM).periods(at("2027-10-01")))) == 13
    [only] = declared(valid_to="2026-10-02T10:15").periods(at("2030-01-01"))
    assert only == Period(OCTOBER, at("2026-10-02T10:15"))


def test_providers_are_named_as_calls_have_them() -> None:
    agreed = declared(provider="OpenAI; azure.ai.openai", model="gpt-4*; o3")
    assert agreed.match == {"provider": ("openai", "azure"), "model": ("gpt-4*", "o3")}
    assert agreed.fits(GPT)
    assert not agreed.fits(CLAUDE)


def table(number: int) -> list[tuple[str, ...]]:
    """The rows of a table of the document's example."""
    section = DOCUMENT.split("## An example")[1].split("\n## ")[0]
    found = re.findall(r"((?:^\|.*\n)+)", section, re.MULTILINE)[number]
    rows = [tuple(cell.strip() for cell in line.split("|")[1:-1]) for line in found.splitlines()]
    return rows[2:]


@pytest.mark.one_server
def test_the_example_of_the_documentation_is_what_the_ledger_says(database: Database) -> None:
    said = rows_of_csv(DOCUMENT.split("```csv\n")[1].split("```")[0], ())
    used = [
        ("2026-10-20T12:00", "400", ADS, GPT),
        ("2026-10-25T17:30", "50", SEARCH, GPT),
        ("2026-10-05T10:00", "400", SEARCH, GPT),
        ("2026-10-20T12:00", "200", SEARCH, GPT),
        ("2026-10-10T09:15", "300", ADS, GPT),
        ("2026-11-12T08:00", "320", SEARCH, CLAUDE),
    ]
    with database.write() as session:
        commitments.apply(session, TENANT, commitments_of(said, source="docs"), now=OCTOBER)
        for slot, cost, owner, route in used:
            put_charge(session, slot, cost, owner, route)
    settle(database, "2026-12-01")
    assert [shown(database, "2026-10"), shown(database, "2026-11")] == [table(0), table(1)]
    months = {"from": "2026-10-01", "to": "2026-12-01", "group_by": "month,team"}
    rows = asking(database, now="2026-12-01").get("/v1/spend", params=months).json()["rows"]
    told = {(row["month"], row["team"]): (row["cost"], row["billed_cost"]) for row in rows}
    assert told == {
        ("2026-10", "commitments"): ("0.00", "800.00"),
        ("2026-10", "search"): ("550.00", "150.00"),
        ("2026-10", "ads"): ("600.00", "200.00"),
        ("2026-11", "commitments"): ("0.00", "500.00"),
        ("2026-11", "search"): ("320.00", "0.00"),
        ("2026-11", "unused"): ("180.00", "0.00"),
    }


def use(now_used: str, eligible: str, **others: Any) -> Use:
    agreed = declared(**MINIMUM, amount="300")
    period = Period(OCTOBER, at("2026-11-01"))
    told = Use(agreed, period, Decimal(eligible), Decimal(now_used), Decimal(now_used), None)
    return replace(told, **others)


def expected(eligible: str, now: datetime) -> tuple[str, str, str, datetime | None]:
    forecast = use(eligible, eligible).forecast(now)
    assert forecast is not None
    amounts = (forecast.eligible, forecast.used, forecast.unused)
    eligible, used, unused = (f"{each:.2f}" for each in amounts if each is not None)
    return eligible, used, unused, forecast.runs_out


def test_a_forecast_goes_on_as_it_went_so_far() -> None:
    tenth = OCTOBER + timedelta(days=3, hours=2, minutes=24)
    half = OCTOBER + timedelta(days=15, hours=12)
    assert expected("15", tenth) == ("150.00", "150.00", "150.00", None)
    assert expected("60", tenth) == ("600.00", "300.00", "0.00", half)
    assert expected("0", tenth) == ("0.00", "0.00", "300.00", None)
    for early_or_late in (OCTOBER + timedelta(days=1, hours=6), at("2026-11-01")):
        assert use("15", "15").forecast(early_or_late) is None


def test_rates_are_of_what_was_used_and_with_the_waste_in_the_end() -> None:
    bonus = declared(amount="300", paid="240")
    half = use("150", "200", commitment=bonus, effective=Decimal(120))
    running, over = OCTOBER + timedelta(days=10), at("2026-11-01")
    told = [half.utilisation, half.coverage, half.left, half.unused(running), half.unused(over)]
    assert told == [Decimal("0.5"), Decimal("0.75"), Decimal(150), None, Decimal(120)]
    assert half.effective_rate(running) == Decimal("0.8")
    assert half.effective_rate(over) == Decimal("1.6")
    none = use("0", "0")
    assert none.coverage is None
    assert none.effective_rate(over) is None


@pytest.mark.one_server
def test_lines_are_posted_only_where_something_changed(database: Database) -> None:
    with database.write() as session:
        for hour in range(24):
            put_charge(session, f"2026-10-02T{hour:02d}:00", "1", SEARCH, GPT)
        agreed = declared(amount="20", paid="13.333333")
        commitments.declare(session, TENANT, agreed, now=OCTOBER)
    # What was paid, and a credit for each of the first twenty hours.
    assert settle(database, "2026-10-05") == 21
    assert settle(database, "2026-10-06") == 0
    with database.write() as session:
        put_charge(session, "2026-10-03", "1", SEARCH, GPT)
    assert settle(database, "2026-10-06") == 0
    with database.write() as session:
        put_charge(session, "2026-10-02T05:00", "0.5", SEARCH, GPT)
    # Its own slot, the one that it now runs out in, and the one that it ran out in before.
    assert settle(database, "2026-10-06") <= 3


@pytest.mark.one_server
def test_whoever_pays_for_usage_has_its_credits_and_shared_costs_are_split_with_them(
    database: Database,
) -> None:
    owned.price(database)
    with database.write() as session:
        agreed = declared(provider="acme", amount="45", paid="36", valid_to="2026-11-01")
        commitments.declare(session, TENANT, agreed, now=OCTOBER)
    owned.use(database, "2026-10-16", Owner(team="search"), 30)
    owned.use(database, "2026-10-18", ADS, 20)
    owned.use(database, "2026-10-19", Owner(team="shared"), 10)
    owned.run(database)
    # Of 60, the first 45 at 0.80: ads has 15 and 5.
    before = {"search": 24, "ads": 17, "shared": 10}
    assert owned.paid(database) == before
    split = {"name": "one", "match": {"team": ["shared"]}, "shares": {"ads": 60, "search": 40}}
    owned.apply(database, owned.rules(owned.moved("search", "discovery"), splits=(split,)))
    owned.run(database)
    assert owned.paid(database) == {"discovery": 24, "ads": 23, "search": 4}
    # Late, and so early that what is covered of the others passes on to it.
    owned.use(database, "2026-10-15", Owner(team="shared"), 10)
    owned.run(database)
    assert owned.paid(database) == {
        "discovery": 24,
        "ads": 15 + 4 + 6 + Decimal("4.8"),
        "search": 4 + Decimal("3.2"),
    }
    billed = owned.paid(database, basis="billed_amount")
    assert billed == {"commitments": 36, "ads": 15 + 6, "search": 4}
    count = owned.lines(database)
    owned.run(database)
    assert owned.lines(database) == count
