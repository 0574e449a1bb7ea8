"""Commitments in the ledger, against an oracle that covers one place at a time, in Fractions.

The oracle shares no code with what it checks but the value types.
"""

import random
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from filled_ledger import put_names
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from jobs.charging import settle_commitments
from jobs.context import JobContext
from spend.calls import Owner, Route
from spend.commitments.commitments import Commitment
from spend.ids import content_id
from store import waiting
from store.commitments import commitments
from store.ledger import ledger
from store.ledger.ledger import CORRECTION, ORIGINAL, NewCharge
from store.postgres.sessions import Database
from store.tables.ledger import charges
from store.tenants import TENANT

START = datetime(2026, 9, 1, tzinfo=UTC)
OWNERS = [Owner(team="search"), Owner(team="ads"), Owner(team="rag", feature="answers")]
ROUTES = [
    Route(provider="openai", model="gpt-5", deployment="api", region="eu"),
    Route(provider="openai", model="gpt-5-mini", deployment="api"),
    Route(provider="anthropic", model="claude-sonnet-4-5", deployment="api"),
]
OWN = (
    Owner("commitments", rule="paid for a commitment"),
    Owner("unused", rule="a commitment that no call used"),
)
ATOM = Fraction(1, 10**12)

Place = tuple[datetime, int, int, int, int]


def commitment(name: str, kind: str, amount: str, **others: Any) -> Commitment:
    made = Commitment(
        name=name,
        kind=kind,
        amount=Decimal(amount),
        paid=Decimal(amount),
        currency="USD",
        match={"provider": ("openai",)},
        period="month" if kind == "minimum" else "term",
        valid_from=START,
        source="test",
    )
    return replace(made, **others)


COMMITMENTS = [
    commitment("openai minimum", "minimum", "40"),
    commitment(
        "credits with a bonus",
        "prepaid",
        "30",
        paid=Decimal("23.700001"),
        valid_from=START + timedelta(days=3),
        valid_to=START + timedelta(days=40),
    ),
    commitment("a gift", "prepaid", "5.5", paid=Decimal(0), match={"model": ("gpt-5*",)}),
    commitment(
        "everywhere",
        "minimum",
        "1000",
        period="term",
        match={"provider": ("openai", "anthro*")},
        valid_to=datetime(2026, 11, 1, tzinfo=UTC),
    ),
    commitment(
        "minis",
        "minimum",
        "7",
        period="quarter",
        match={"model": ("gpt-5-mini",)},
        valid_to=datetime(2026, 12, 1, tzinfo=UTC),
    ),
    commitment(
        "eu",
        "prepaid",
        "3.3",
        paid=Decimal("1.1"),
        match={"region": ("eu",)},
        valid_from=START + timedelta(days=1),
        valid_to=START + timedelta(days=2),
    ),
]


@dataclass(frozen=True)
class Line:
    """A line of usage: at a price, for somebody who pays."""

    place: Place
    amount: Decimal
    kind: str = ORIGINAL


def some_lines(chance: random.Random, count: int) -> list[Line]:
    """Usage of two months; some of it is priced anew, or for another payer, later."""
    lines = []
    for _ in range(count):
        slot = START + chance.randrange(61 * 24) * timedelta(hours=1)
        owner, route = chance.choice(OWNERS), chance.choice(ROUTES)
        owner_id, route_id = content_id(owner), content_id(route)
        place = (slot, owner_id, route_id, chance.randrange(2), owner_id)
        amount = Decimal(chance.randrange(10**12)).scaleb(-12)
        lines.append(Line(place, amount))
        if chance.random() < 0.2:
            lines.append(Line(place, -amount, CORRECTION))
            payer = content_id(chance.choice(OWNERS))
            lower = Decimal(chance.randrange(10**12)).scaleb(-12)
            lines.append(Line((*place[:4], payer), lower, CORRECTION))
    return lines


def rests(whole: Fraction, weights: list[Fraction]) -> list[Fraction]:
    """Largest remainder, in atoms; of equal ones the first."""
    total = sum(weights)
    if not total:
        return [Fraction(0) for _ in weights]
    exact = [whole * weight / total / ATOM for weight in weights]
    parts = [int(each) for each in exact]
    order = sorted(range(len(parts)), key=lambda each: parts[each] - exact[each])
    for each in order[: int(whole / ATOM) - sum(parts)]:
        parts[each] += 1
    return [part * ATOM for part in parts]


def months(first: datetime, many: int) -> datetime:
    year, month = divmod(first.year * 12 + first.month - 1 + many, 12)
    return datetime(year, month + 1, 1, tzinfo=UTC)


def periods(one: Commitment, now: datetime) -> Iterator[tuple[datetime, datetime]]:
    end = one.valid_to or datetime(3000, 1, 1, tzinfo=UTC)
    many = {"month": 1, "quarter": 3, "year": 12}.get(one.period)
    start = one.valid_from
    while start < end and start <= now:
        yield start, min(end, months(start, many)) if many else end
        start = months(start, many) if many else end


def is_for(one: Commitment, route: Route) -> bool:
    return all(
        any(
            (getattr(route, name) or "?").startswith(each.rstrip("*"))
            if each.endswith("*")
            else getattr(route, name) == each
            for each in patterns
        )
        for name, patterns in one.match.items()
    )


def oracle(
    lines: list[Line], agreed: list[Commitment], now: datetime
) -> dict[tuple[str, str, Place], tuple[Fraction, Fraction]]:
    """(commitment, meter, place) -> billed and effective."""
    routes = {content_id(route): route for route in ROUTES}
    left_at: dict[Place, Fraction] = defaultdict(Fraction)
    for line in lines:
        left_at[line.place] += Fraction(line.amount)
    said: dict[tuple[str, str, Place], tuple[Fraction, Fraction]] = {}
    far = datetime(3000, 1, 1, tzinfo=UTC)
    kinds = ["prepaid", "minimum"]
    by = sorted(
        agreed, key=lambda c: (kinds.index(c.kind), c.valid_to or far, c.valid_from, c.name)
    )
    for one in by:
        for start, end in periods(one, now):
            left, worth = Fraction(one.amount), Fraction(one.paid)
            own = [
                (slot, content_id(owner), 0, 0, content_id(owner))
                for slot, owner in zip((start, end - timedelta(minutes=15)), OWN, strict=True)
            ]
            said[one.name, "commitment", own[0]] = (worth, Fraction(0))
            fitting = [p for p in left_at if is_for(one, routes[p[2]]) and start <= p[0] < end]
            for slot in sorted({place[0] for place in fitting}):
                places = sorted(place for place in fitting if place[0] == slot)
                there = [left_at[place] for place in places]
                if sum(there) >= left:
                    covered = rests(left, there)
                    costs = rests(worth, covered)
                else:
                    covered = there
                    costs = [
                        each * Fraction(one.paid) / Fraction(one.amount) // ATOM * ATOM
                        for each in covered
                    ]
                for place, cover, cost in zip(places, covered, costs, strict=True):
                    said[one.name, "covered", place] = (-cover, cost - cover)
                    left_at[place] -= cover
                left -= sum(covered)
                worth -= sum(costs)
                if not left:
                    break
            if left and end <= now:
                said[one.name, "unused", own[1]] = (Fraction(0), worth)
    return {key: value for key, value in said.items() if any(value)}


def post(session: Session, lines: list[Line]) -> None:
    """As the charge job does."""
    waiting.lock_ledger(session)
    new = [
        NewCharge(
            kind=line.kind,
            slot=line.place[0],
            owner_id=line.place[1],
            route_id=line.place[2],
            band=line.place[3],
            payer_id=line.place[4],
            meter="input",
            price_id=1,
            currency="USD",
            quantity=Decimal(1),
            amount=line.amount,
            method="test",
        )
        for line in lines
    ]
    ledger.post(session, TENANT, new, now=START)


def named(session: Session) -> None:
    for route in ROUTES:
        put_names(session, OWNERS[0], route)


def credited(database: Database) -> dict[tuple[str, str, Place], tuple[Fraction, Fraction]]:
    key = (
        charges.c.commitment_id,
        charges.c.meter,
        charges.c.slot,
        charges.c.owner_id,
        charges.c.route_id,
        charges.c.band,
        charges.c.payer_id,
    )
    with database.read() as session:
        names = {each.id: each.name for each in commitments.all_commitments(session, TENANT)}
        found = session.execute(
            select(*key, func.sum(charges.c.billed_amount), func.sum(charges.c.amount))
            .where(charges.c.commitment_id.is_not(None))
            .group_by(*key)
        ).all()
    said: dict[tuple[str, str, Place], tuple[Fraction, Fraction]] = defaultdict(
        lambda: (Fraction(0), Fraction(0))
    )
    for id_, meter, slot, owner, route, band, payer, billed, effective in found:
        place = (slot, owner, route if meter == "covered" else 0, band, payer)
        before = said[names[id_], meter, place]
        said[names[id_], meter, place] = (
            before[0] + Fraction(billed),
            before[1] + Fraction(effective),
        )
    return {key: value for key, value in said.items() if any(value)}


def settled(database: Database, now: datetime) -> int:
    return sum(settle_commitments.settle_commitments(JobContext(database, now=now)))


class Dying(Database):
    """Whose process is killed after so many transactions, or in the middle of the last one."""

    left: int

    @contextmanager
    def write(self) -> Iterator[Session]:
        object.__setattr__(self, "left", self.left - 1)
        with super().write() as session:
            yield session
            if self.left < 0:
                raise KeyboardInterrupt


def killed_after(database: Database, many: int) -> Dying:
    dying = Dying(database.engine)
    object.__setattr__(dying, "left", many)
    return dying


@pytest.mark.one_server
@pytest.mark.parametrize("seed", range(2))
def test_the_ledger_says_what_the_oracle_says(
    database: Database, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(seed)  # a month of calls, not a secret
    monkeypatch.setattr(settle_commitments, "SLOTS_AT_ONCE", 17)
    monkeypatch.setattr(settle_commitments, "LINES_AT_ONCE", 53)
    lines = some_lines(chance, 160)
    agreed = COMMITMENTS[:]
    chance.shuffle(lines)
    chance.shuffle(agreed)
    # What is said first of some is corrected later, and one is withdrawn.
    wrong = [replace(each, amount=each.amount + 9, match={"provider": ("*",)}) for each in agreed]
    with database.write() as session:
        named(session)
        commitments.apply(session, TENANT, wrong[-2:], now=START)
        mistake = commitments.declare(
            session, TENANT, commitment("a mistake", "prepaid", "20"), now=START
        )
    now = START
    while lines or agreed:
        at_once = chance.randrange(20, 60)
        with database.write() as session:
            post(session, lines[:at_once])
            commitments.apply(session, TENANT, agreed[:2], now=now)
        del lines[:at_once], agreed[:2]
        now += timedelta(days=chance.randrange(1, 15))
        if chance.random() < 0.5:
            with pytest.raises(KeyboardInterrupt):
                settled(killed_after(database, chance.randrange(12)), now)
        else:
            with ThreadPoolExecutor(2) as both:
                list(both.map(settled, [database] * 2, [now] * 2))
    now = datetime(2026, 11, 15, tzinfo=UTC)
    with database.write() as session:
        commitments.withdraw(session, TENANT, mistake.id, now=now)
    settled(database, now)
    chance = random.Random(seed)  # the same again
    assert credited(database) == oracle(some_lines(chance, 160), COMMITMENTS, now)
    assert settled(database, now + timedelta(minutes=1)) == 0
