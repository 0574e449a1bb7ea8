"""What a commitment covers adds up; how they are declared, and how they stand."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from filled_ledger import CLAUDE, GPT, SEARCH, asking, at, put_charge
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import case, func, select

from app.commands.commitments import command
from jobs.context import JobContext
from jobs.settle_commitments import settle_commitments
from spend.calls import Owner
from spend.commitment_files import commitments_of
from spend.commitment_use import Use
from spend.commitments import NOTHING, Commitment, SlotUsage, plan, split
from spend.money import rounded
from spend.periods import Period
from spend.written_rows import Row, RowsRefusedError, rows_of_csv
from store import commitments
from store.sessions import Database
from store.tables.heard import owners
from store.tables.ledger import charges
from store.tenants import TENANT

DOCUMENT = (Path(__file__).parent.parent / "docs" / "commitments.md").read_text(encoding="utf-8")
OCTOBER = at("2026-10-01")
SAID = {
    "name": "credits",
    "kind": "prepaid",
    "amount": "1000",
    "currency": "USD",
    "provider": "openai",
    "valid_from": "2026-10-01",
}
MINIMUM = {"kind": "minimum"}
ADS = Owner(team="ads")

atoms = st.integers(0, 10**15)
cents = st.decimals("0.000001", 10**6, places=6, allow_nan=False)


def declared(**others: str) -> Commitment:
    return commitments_of([Row(1, SAID | others)], currency="USD", source="test")[0]


def settle(database: Database, now: str) -> int:
    return sum(settle_commitments(JobContext(database, now=at(now))))


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


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"name": ""}, "name"),
        ({"kind": "promise"}, "kind"),
        ({"amount": "0"}, "amount"),
        ({"amount": "-5"}, "amount"),
        ({"amount": "1e3"}, "amount"),
        ({"amount": "1,000"}, "amount"),
        ({"amount": "NaN"}, "amount"),
        ({"amount": "0.0000001"}, "amount"),
        ({"amount": "1000000000000"}, "amount"),
        ({"paid": "1000.01"}, "paid"),
        ({"paid": "-1"}, "paid"),
        ({"paid": "900", **MINIMUM}, "paid"),
        ({"currency": "EUR"}, "currency"),
        ({"provider": ""}, "provider"),
        ({"provider": "openai;;azure"}, "provider"),
        ({"model": "gpt*5"}, "model"),
        ({"period": "week", **MINIMUM}, "period"),
        ({"period": "month"}, "period"),
        ({"period": "term", **MINIMUM}, "valid_to"),
        ({"valid_from": "2026-10-02", **MINIMUM}, "valid_from"),
        ({"valid_from": "2026-10-01T00:15", **MINIMUM}, "valid_from"),
        ({"valid_from": "2026-10-01T00:00+02:00", **MINIMUM}, "valid_from"),
        ({"valid_from": "2026-10-01T00:20"}, "valid_from"),
        ({"valid_from": "0026-10-01"}, "valid_from"),
        ({"valid_to": "2026-10-01"}, "valid_to"),
        ({"valid_to": "2026-10-15", **MINIMUM}, "valid_to"),
        ({"valid_to": "2026-12-01", "period": "quarter", **MINIMUM}, "valid_to"),
        ({"valid_to": "9998-12-01"}, "valid_to"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_mistake_is_told_by_line_and_field(said: dict[str, str], field: str) -> None:
    with pytest.raises(RowsRefusedError) as refused:
        commitments_of(
            [Row(2, SAID), Row(7, SAID | {"name": "b"} | said)], currency="USD", source=""
        )
    assert [(each.line, each.field) for each in refused.value.refusals] == [(7, field)]


def test_two_of_a_name_at_one_time_are_refused_and_a_renewal_is_not() -> None:
    first = SAID | {"valid_to": "2026-11-01"}
    renewed = SAID | {"valid_from": "2026-11-01"}
    assert len(commitments_of([Row(2, first), Row(3, renewed)], currency="USD", source="")) == 2
    with pytest.raises(RowsRefusedError, match="line 3, valid_from: overlaps what line 2 says"):
        commitments_of([Row(2, SAID), Row(3, renewed)], currency="USD", source="")


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
        commitments.apply(
            session, TENANT, commitments_of(said, currency="USD", source="docs"), now=OCTOBER
        )
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


def shown(database: Database, month: str) -> list[tuple[str, ...]]:
    """A month's lines as the document shows them."""
    covered = case((charges.c.meter == "covered", -charges.c.billed_amount), else_=0)
    sums = [
        func.sum(each)
        for each in (
            charges.c.contracted_amount,
            covered,
            charges.c.amount,
            charges.c.billed_amount,
        )
    ]
    with database.read() as session:
        found = session.execute(
            select(charges.c.slot, owners.c.team, *sums)
            .join(owners, owners.c.id == charges.c.payer_id)
            .where(func.date_trunc("month", charges.c.slot, "UTC") == at(f"{month}-01"))
            .group_by(charges.c.slot, owners.c.team)
            .order_by(charges.c.slot, owners.c.team)
        ).all()
    told = [(f"{row[0]:%Y-%m-%d %H:%M}", row[1], *figures(row[2:])) for row in found]
    totals = figures([sum(column) for column in zip(*(row[2:] for row in found), strict=True)])
    return [*told, ("all", "", *totals)]


def figures(amounts: Sequence[Any]) -> tuple[str, ...]:
    return tuple(str(rounded(each, "USD")) for each in amounts)


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
def test_the_api_declares_shows_and_withdraws(database: Database) -> None:
    client = asking(database, now="2026-10-11")
    said = SAID | {"paid": "800", "valid_to": "2026-10-21", "model": "gpt-4o"}
    made = client.post("/v1/commitments", json=said)
    assert made.status_code == 201, made.text
    [told] = made.json()["commitments"]
    assert (told["amount"], told["paid"], told["period"]) == ("1000.00", "800.00", "term")
    assert told["match"] == {"provider": ["openai"], "model": ["gpt-4o"]}
    with database.write() as session:
        put_charge(session, "2026-10-03", "100", SEARCH, GPT)
        put_charge(session, "2026-10-03", "7", SEARCH, CLAUDE)
    settle(database, "2026-10-11")
    latest = client.get("/v1/commitments").json()["commitments"][0]["latest"]
    assert latest == {
        "from": "2026-10-01T00:00:00Z",
        "to": "2026-10-21T00:00:00Z",
        "over": False,
        "committed": "1000.00",
        "paid": "800.00",
        "eligible": "100.00",
        "used": "100.00",
        "left": "900.00",
        "effective": "80.00",
        "unused": None,
        "utilisation": "0.10",
        "coverage": "1.00",
        "effective_rate": "0.80",
        "ran_out": None,
        "forecast": {"eligible": "200.00", "used": "200.00", "unused": "640.00", "runs_out": None},
    }
    later = asking(database, now="2026-10-21").get(f"/v1/commitments/{told['id']}").json()
    assert [each["unused"] for each in later["periods"]] == ["720.00"]
    taken = client.post("/v1/commitments", json=[said | {"name": "b"}, said])
    assert (taken.status_code, taken.json()["field"]) == (409, "1.name")
    wrong = client.post("/v1/commitments", json=said | {"name": "c", "amount": "-1"})
    assert (wrong.status_code, wrong.json()["field"]) == (422, "amount")
    assert len(client.get("/v1/commitments").json()["commitments"]) == 1
    assert client.delete(f"/v1/commitments/{told['id']}").status_code == 204
    assert client.delete(f"/v1/commitments/{told['id']}").status_code == 404
    assert client.get("/v1/commitments/99").status_code == 404
    settle(database, "2026-10-11")
    assert shown(database, "2026-10")[-1] == ("all", "", "107.00", "0.00", "107.00", "107.00")
    gone = client.get(f"/v1/commitments/{told['id']}").json()
    assert (gone["known_to"], gone["periods"]) == ("2026-10-11T00:00:00Z", [])


@pytest.mark.one_server
def test_a_file_is_taken_whole_or_not_at_all_and_replaces_what_it_said(
    database: Database, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPANLEDGER_DATABASE_URL", database_url)
    file = tmp_path / "agreed.csv"
    header = "name,kind,amount,currency,provider,valid_from,valid_to\n"

    def taken(*lines: str) -> str:
        file.write_text(header + "\n".join(lines))
        return CliRunner().invoke(command, ["import", str(file)]).output

    assert "no commitments" in CliRunner().invoke(command, ["list"]).output
    bought, minimum = (
        "credits,prepaid,100,USD,openai,2020-01-01,2020-02-01",
        "least,minimum,50,USD,openai,2020-01-01,2020-03-01",
    )
    assert taken(bought, minimum) == "2 declared: credits, least\n"
    with database.write() as session:
        put_charge(session, "2020-01-10", "120", SEARCH, GPT)
    settle(database, "2026-10-01")
    listed = CliRunner().invoke(command, ["list"]).output
    assert re.search(r"credits +prepaid +2020-01-01 00:00 +2020-02-01 00:00 +100\.00 USD", listed)
    assert re.search(r"least .* 50\.00 USD +0\.00 +50\.00 +0\.0% +50\.00 +over", listed)
    said = taken(bought.replace("100", "60"), "more,minimum,0,USD,openai,2020-01-02,")
    assert "line 3, amount: must be more than 0" in said
    assert settle(database, "2026-10-01") == 0
    assert taken(bought.replace("100", "60"), minimum) == "1 changed: credits\n1 unchanged: least\n"
    settle(database, "2026-10-01")
    # 60 of credits, 50 of the minimum, 10 beyond them; in February nothing was used.
    months = [shown(database, month)[-1] for month in ("2020-01", "2020-02")]
    assert months == [
        ("all", "", "120.00", "110.00", "120.00", "120.00"),
        ("all", "", "0.00", "0.00", "50.00", "50.00"),
    ]
    with database.read() as session:
        held = commitments.all_commitments(session, TENANT)
    assert [(each.name, each.known_to is None) for each in held] == [
        ("credits", False),
        ("credits", True),
        ("least", True),
    ]
    assert CliRunner().invoke(command, ["withdraw", "77"]).exit_code == 1
    assert "withdrawn: least" in CliRunner().invoke(command, ["withdraw", "2"]).output


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
