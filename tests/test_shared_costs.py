"""Splits: a shared team's day is put to others, whole, in each basis, however late it comes."""

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from filled_ledger import asking, at
from hypothesis import given, settings
from hypothesis import strategies as st
from owned import NOW, apply, lines, moved, paid, price, rules, run, use
from sqlalchemy import func, select

from spend.calls import Owner
from spend.ownership.ownership_files import Ownership, ownership_of_file
from spend.ownership.splits import BY_USAGE, SHARES, Bases, Split, Used, lines_of_day, with_payers
from spend.periods import Period
from store.ledger.ownership_preview import preview
from store.postgres.sessions import Database
from store.tables.ledger import charges
from store.tenants import TENANT

PLATFORM, SEARCH, CHAT = (
    Owner(team=team, service=f"{team}-api") for team in ("platform", "search", "chat")
)
OCTOBER = Period(at("2026-10-01"), at("2026-11-01"))


def shared(name: str = "platform", **terms: Any) -> dict[str, Any]:
    said = {"name": name, "match": {"team": "platform"}}
    return said | {name.rstrip("_"): value for name, value in terms.items()}


def fill(database: Database) -> None:
    """On the 16th and 17th platform spends 10, search 3 in one call, chat 1 in three."""
    price(database)
    for day in ("16", "17"):
        use(database, f"2026-10-{day}T08:00", PLATFORM, 10)
        use(database, f"2026-10-{day}T09:00", SEARCH, 3)
        use(database, f"2026-10-{day}T10:00", CHAT, 1, calls=3)
    run(database)


def sums_of_days(database: Database) -> list[Decimal | None]:
    with database.read() as session:
        bases = ("list_amount", "contracted_amount", "amount", "billed_amount", "quantity")
        day = func.date_trunc("day", charges.c.slot, "UTC")
        rows = session.execute(
            select(*(func.sum(charges.c[name]) for name in bases[:4]))
            .where(charges.c.rule_id.is_not(None))
            .group_by(day)
        )
        return [each for row in rows for each in row if each is not None]


WAYS: list[tuple[dict[str, Any], dict[str, Decimal | int]]] = [
    ({"shares": {"search": 75, "chat": 25}}, {"search": 21, "chat": 7}),
    ({"weights": {"search": 1, "chat": 1}}, {"search": 16, "chat": 12}),
    ({"by": "tokens"}, {"search": 21, "chat": 7}),
    ({"by": "cost", "teams": ["search", "chat"]}, {"search": 21, "chat": 7}),
    ({"by": "calls"}, {"search": 11, "chat": 17}),
    ({"by": "calls", "teams": ["search"]}, {"search": 26, "chat": 2}),
    ({"by": "calls", "teams": ["nobody"]}, {"platform": 20, "search": 6, "chat": 2}),
    (
        {"by": "tokens", "from_": "2026-10-17"},
        {"platform": 10, "search": Decimal("13.5"), "chat": Decimal("4.5")},
    ),
]


@pytest.mark.one_server
def test_a_shared_cost_is_split_each_way_and_from_one_way_to_another(database: Database) -> None:
    fill(database)
    for terms, expected in WAYS:
        apply(database, rules(splits=(shared(**terms),)))
        run(database)
        assert paid(database) == expected, terms
        assert set(sums_of_days(database)) <= {0}
        with asking(database) as client:
            told = client.get("/v1/spend?group_by=team&from=2026-10-01&to=2026-11-01").json()
        costs = {row["team"]: Decimal(row["cost"]) for row in told["rows"]}
        assert {team: cost for team, cost in costs.items() if cost} == expected
        assert told["total"]["cost"] == "28.00"


@pytest.mark.one_server
def test_a_day_that_is_not_over_waits(database: Database) -> None:
    fill(database)
    apply(database, rules(splits=(shared(by="tokens"),)))
    run(database, at("2026-10-17T23:59"))
    assert paid(database)["platform"] == 10
    run(database, at("2026-10-18"))
    assert "platform" not in paid(database)


@pytest.mark.one_server
def test_late_calls_and_new_rules_settle_the_day_anew_in_any_order(database: Database) -> None:
    fill(database)
    apply(database, rules(splits=(shared(by="tokens"),)))
    run(database)
    use(database, "2026-10-17T11:00", SEARCH, 1, model="b")
    use(database, "2026-10-17T12:00", PLATFORM, 5, model="b")
    run(database)
    apply(
        database, rules(moved("chat", "search", from_="2026-10-17"), splits=(shared(by="tokens"),))
    )
    run(database)
    posted = lines(database)
    assert run(database) == "0 cells, 0 lines"
    assert lines(database) == posted
    assert paid(database) == {"search": Decimal("30.5"), "chat": Decimal("3.5")}
    apply(database, rules())
    run(database)
    assert paid(database) == {"platform": 25, "search": 7, "chat": 2}


@pytest.mark.one_server
def test_unchanged_splits_post_nothing_under_a_new_version(database: Database) -> None:
    fill(database)
    apply(database, rules(splits=(shared(by="tokens"),)))
    run(database)
    posted = lines(database)
    apply(database, rules(moved("nobody", "else"), splits=(shared(by="tokens"),)))
    run(database)
    assert lines(database) == posted
    with asking(database) as client:
        asked = "/v1/charges?from=2026-10-01&to=2026-11-01&team=platform"
        told = client.get(asked).json()["charges"]
    made = {(each["rule"], each["method"]) for each in told if each["meter"] == "split"}
    assert made == {("platform", "split-by-tokens-v1")}


@pytest.mark.one_server
def test_a_preview_is_what_applying_then_books(database: Database) -> None:
    fill(database)
    held = rules(moved("chat", "talk"), splits=(shared(by="calls"),))
    said = rules(
        moved("search", "discovery", from_="2026-10-17"),
        moved("gone", "nowhere"),
        splits=(shared(shares={"discovery": "33.3", "chat": "66.7"}),),
    )
    apply(database, held)
    run(database)
    before, count = paid(database), lines(database)
    with database.read() as session:
        told = preview(session, TENANT, said, OCTOBER, currency="USD", now=NOW)
    assert (lines(database), paid(database)) == (count, before)
    assert {team: each.cost for team, each in told.before.items() if each.cost} == before
    apply(database, said)
    run(database)
    assert {team: each.cost for team, each in told.after.items() if each.cost} == paid(database)
    assert (told.decided["gone to nowhere"].calls, told.decided["search to discovery"].calls) == (
        0,
        1,
    )
    with asking(database) as client:
        rows = client.get("/v1/spend?group_by=team&from=2026-10-01&to=2026-11-01").json()["rows"]
    assert {row["team"]: row["calls"] for row in rows if row["calls"]} == {
        team: each.calls for team, each in told.after.items() if each.calls
    }


@pytest.mark.one_server
def test_the_example_of_the_docs_comes_to_what_they_say(database: Database) -> None:
    page = (Path(__file__).parent.parent / "docs" / "ownership.md").read_text(encoding="utf-8")
    toml = page.split("```toml\n")[1].split("```")[0]
    price(database)
    expected: dict[tuple[str, str], Decimal] = {}
    for team, *told in re.findall(r"^\| (\w+) " + r"\| ([\d.]+) " * 4 + r"\|$", page, re.MULTILINE):
        if team == "all":
            continue
        for day, used, pays in (("16", told[0], told[1]), ("17", told[2], told[3])):
            if used != "0":
                use(database, f"2026-10-{day}T08:00", Owner(team=team), int(used))
            expected[team, f"2026-10-{day}"] = Decimal(pays)
    apply(database, ownership_of_file(toml, toml=True, timezone="UTC"))
    run(database)
    with asking(database) as client:
        answer = client.get("/v1/spend?group_by=team,day&from=2026-10-16&to=2026-10-18").json()
    found = {(row["team"], row["day"]): Decimal(row["cost"]) for row in answer["rows"]}
    assert len(expected) == 8
    assert {key: cost for key, cost in found.items() if cost} == {
        key: cost for key, cost in expected.items() if cost
    }


TEAMS = st.sampled_from(["platform", "a", "b", "c", "unallocated", "idle"])
MONEY = st.integers(-(10**14), 10**16).map(lambda atoms: Decimal(atoms).scaleb(-12))
USED = st.builds(
    Used,
    piece=st.sampled_from([at("2026-10-17"), at("2026-10-17T12:00")]),
    owner=TEAMS.map(lambda team: Owner(team=team)),
    route_id=st.integers(1, 2),
    cost=st.builds(Bases, st.none() | MONEY, MONEY, MONEY, MONEY),
    calls=st.integers(0, 5),
    tokens=st.integers(0, 10**9),
)
SHARE = st.integers(1, 10**8).map(lambda number: Decimal(number).scaleb(-6))
SPLITS = st.builds(
    Split,
    name=st.just("shared"),
    match=st.just({"team": ("platform", "unalloc*")}),
    by=st.sampled_from([SHARES, *BY_USAGE]),
    shares=st.dictionaries(st.sampled_from(["a", "b", "c"]), SHARE, min_size=1),
    valid_from=st.sampled_from([at("2026-10-01"), at("2026-10-17T12:00")]),
)


@given(used=st.lists(USED, max_size=12), splits=st.lists(SPLITS, max_size=2), moves=st.booleans())
@settings(max_examples=60)
def test_a_days_lines_add_up_to_nothing_in_each_basis(
    used: list[Used], splits: list[Split], moves: bool
) -> None:
    said = rules(moved("a", "platform", from_="2026-10-17T12:00Z")) if moves else Ownership("UTC")
    found = lines_of_day(splits, with_payers(said.rules, used), at("2026-10-17"))
    for basis in ("list_amount", "contracted_amount", "amount", "billed_amount"):
        assert sum(getattr(bases, basis) or 0 for _, bases in found.values()) == 0
    again = lines_of_day(splits, with_payers(said.rules, used[::-1]), at("2026-10-17"))
    assert found == again
    taken = {payer.team for _, payer, *_ in found if payer.rule != "split shared"}
    assert taken <= {"platform", "unallocated"}
