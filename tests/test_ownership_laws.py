"""Whatever comes when, and whoever is killed: who pays follows from calls and rules alone."""

from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import product
from random import Random
from typing import Any

import pytest
from closed_books import differing_usage
from filled_ledger import asking, at
from hypothesis import given, settings
from hypothesis import strategies as st
from owned import NOW, apply, lines, moved, paid, price, rules, run, use

from jobs.charging import follow_ownership
from spend.calls import Owner
from spend.ownership.ownership import (
    FIRST,
    LAST,
    Rule,
    differing,
    payer_at,
    payer_in,
    switched,
    terms_of,
)
from spend.ownership.ownership_files import Ownership
from store.ledger import payer_moves, split_days
from store.ownership import ownership
from store.postgres.sessions import Database

DAYS = ("16", "17", "18")
TEAMS = ("a", "b", "c", "shared", "unallocated")
SLOTS = [at(f"2026-10-{day}T{time}") for day in DAYS for time in ("00:00", "11:45", "12:00")]


def random_rules(random: Random) -> Ownership:
    found = []
    for place in range(random.randrange(4)):
        start, end = sorted(random.sample([*SLOTS, at("2026-11-01")], 2))
        term = {"from_": start.isoformat(), "to": end.isoformat()} if random.random() < 0.7 else {}
        source = random.choice([*TEAMS[:3], "unallocated", "*"])
        found.append(moved(source, random.choice(["a", "b", "d"]), **term) | {"name": f"{place}"})
    splits: list[dict[str, Any]] = []
    if random.random() < 0.6:
        ways: list[dict[str, Any]] = [
            {"by": "tokens"},
            {"by": "cost"},
            {"shares": {"a": 30, "b": 70}},
        ]
        way = random.choice(ways)
        splits.append({"name": "s", "match": {"team": ["shared"]}, **way})
    return rules(*found, splits=tuple(splits))


def expected(said: Ownership, used: list[tuple[datetime, str, int]]) -> dict[str, Decimal]:
    """One use at a time: its payer by looking at each rule, its day's split by fractions."""
    found: dict[str, Decimal] = defaultdict(Decimal)
    for day in DAYS:
        paid_by: dict[str, Decimal] = defaultdict(Decimal)
        for slot, team, dollars in used:
            if f"{slot:%d}" == day:
                paid_by[payer_at(said.rules, Owner(team=team), slot).team] += dollars
        for split in said.splits:
            weights: dict[str, Decimal] = {
                team: amount
                for team, amount in paid_by.items()
                if team not in {"shared", "unallocated"}
            }
            weights = dict(split.shares) or weights
            whole = paid_by.pop("shared", Decimal(0)) if weights else Decimal(0)
            for team, weight in weights.items():
                paid_by[team] += whole * weight / sum(weights.values())
        for team, amount in paid_by.items():
            found[team] += amount
    return {team: amount for team, amount in found.items() if amount}


class KilledError(Exception):
    """Where a process was killed: its transaction is gone."""


def run_killed(database: Database, random: Random, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs the charge job until it has got through, killed at random after some steps."""
    with monkeypatch.context() as patched:
        for of, name in ((payer_moves, "move"), (ownership, "is_followed"), (split_days, "done")):
            patched.setattr(of, name, dying(getattr(of, name), random))
        for _ in range(50):
            with suppress(KilledError):
                run(database)
                return
    run(database)


def dying(step: Callable[..., Any], random: Random) -> Callable[..., Any]:
    def die_or(*given: Any, **named: Any) -> Any:
        done = step(*given, **named)
        if random.random() < 0.4:
            raise KilledError
        return done

    return die_or


def rounded(amounts: dict[str, Decimal]) -> dict[str, Decimal]:
    return {team: amount.quantize(Decimal("1e-9")) for team, amount in amounts.items()}


@pytest.mark.one_server
def test_neither_order_nor_lateness_nor_kills_change_who_pays(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = Random(17)
    monkeypatch.setattr(follow_ownership, "CHARGES_AT_ONCE", 1)
    price(database)
    left = list(product(SLOTS, TEAMS, "ab"))
    random.shuffle(left)
    used: list[tuple[datetime, str, int]] = []
    for step in range(12):
        for _ in range(random.randrange(1, 6)):
            slot, team, model = left.pop()
            used.append((slot, team, random.randrange(1, 9)))
            use(database, slot.isoformat(), Owner(team=team), used[-1][2], model=model)
        if random.random() < 0.3:
            run(database)
        said = random_rules(random)
        apply(database, said, NOW + timedelta(minutes=step))
        if random.random() < 0.7:
            run_killed(database, random, monkeypatch)
            assert rounded(paid(database)) == rounded(expected(said, used))
            assert not differing_usage(database)
    run(database)
    assert rounded(paid(database)) == rounded(expected(said, used))
    assert not differing_usage(database)
    with asking(database) as client:
        told = client.get("/v1/spend?group_by=team&from=2026-10-01&to=2026-11-01").json()
    calls = Counter(payer_at(said.rules, Owner(team=team), slot).team for slot, team, _ in used)
    assert {row["team"]: row["calls"] for row in told["rows"] if row["calls"]} == calls
    posted = lines(database)
    apply(database, rules(), NOW + timedelta(hours=1))
    run(database)
    heard: dict[str, Decimal] = defaultdict(Decimal)
    for _, team, dollars in used:
        heard[team] += dollars
    assert paid(database) == heard
    assert lines(database) > posted


BOUNDS = st.sampled_from([FIRST, *SLOTS, LAST])


@st.composite
def some_rules(draw: st.DrawFn) -> list[Rule]:
    found = []
    for number in range(draw(st.integers(0, 4))):
        start, end = sorted(draw(st.lists(BOUNDS, min_size=2, max_size=2, unique=True)))
        match = {"team": (draw(st.sampled_from(["a", "b", "*"])),)}
        gives = {"team": draw(st.sampled_from(["a", "b", "c"]))}
        found.append(Rule(str(number), match, gives, start, end))
    return found


@given(before=some_rules(), after=some_rules(), at=BOUNDS, team=st.sampled_from(TEAMS))
@settings(max_examples=80)
def test_terms_say_what_the_rules_say_also_while_they_are_being_switched(
    before: list[Rule], after: list[Rule], at: datetime, team: str
) -> None:
    owner = Owner(team=team)
    old, new = terms_of(before, owner), terms_of(after, owner)
    mixed = switched(old, new, at)
    different = list(differing(old, new))
    for slot in SLOTS:
        assert (payer_in(old, slot) or owner) == payer_at(before, owner, slot)
        then = payer_at(after if slot < at else before, owner, slot)
        assert (payer_in(mixed, slot) or owner) == then
        changes = any(start <= slot < end for start, end in different)
        assert changes == (payer_in(old, slot) != payer_in(new, slot))
