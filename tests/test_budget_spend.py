"""What budgets are compared with is read once for all of them, and is what the lines say."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from zoneinfo import ZoneInfo

import pytest
from filled_ledger import at, put_charge
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert

from jobs.charging.sum_days import sum_days
from jobs.context import JobContext
from spend.budgets.budget_periods import CUSTOM, KINDS, period_at
from spend.budgets.budgets import DIMENSIONS, OWNER_DIMENSIONS, ROUTE_DIMENSIONS
from spend.calls import Owner, Route
from spend.periods import Period
from spend.pieces import Pieces, pieces_of
from store.budgets.budget_spend import read_spend
from store.postgres.sessions import Database
from store.spending.slots_spent import slots_spent
from store.tables.rates import rates
from store.tenants import TENANT

NOW = at("2026-11-15T12:10")
ZONES = ("UTC", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe", "America/Santiago")
TEAMS = ("search", "ads", "support")
MODELS = ("gpt-4o", "o3", None)
FILTERS: tuple[dict[str, tuple[str, ...]], ...] = (
    {},
    {"team": ("search",)},
    {"team": ("search", "ads"), "model": ("gpt-4o",)},
    {"model": ("",)},
    {"feature": ("", "chat"), "team": ("ads",)},
    {"provider": ("nobody",)},
)


@dataclass(frozen=True)
class Line:
    slot: datetime
    team: str
    feature: str | None
    model: str | None
    currency: str
    amount: Decimal


def some_lines(random: Random, count: int) -> list[Line]:
    """From August on; half of them within hours of a month's or a day's end in some zone."""
    lines = []
    for _ in range(count):
        if random.random() < 0.5:
            day = random.choice([at("2026-10-01"), at("2026-11-01"), at("2026-11-14")])
            slot = day + timedelta(minutes=15) * random.randrange(-80, 160)
        else:
            slot = at("2026-08-01") + timedelta(minutes=15) * random.randrange(106 * 96)
        lines.append(
            Line(
                slot,
                random.choice(TEAMS),
                random.choice((None, "chat")),
                random.choice(MODELS),
                random.choice(("USD", "USD", "EUR", "NOK")),
                Decimal(random.randrange(-(10**12), 10**15)).scaleb(-12),
            )
        )
    return lines


def put(database: Database, lines: list[Line], random: Random) -> None:
    with database.write() as session:
        for line in lines:
            put_charge(
                session,
                line.slot.isoformat(),
                str(line.amount),
                Owner(line.team, feature=line.feature),
                Route("openai", line.model),
                currency=line.currency,
                booked="2026-11-20" if random.random() < 0.1 else None,
            )


def counted(
    lines: list[Line], period: Period, wanted: dict[str, tuple[str, ...]], currency: str
) -> tuple[Decimal, dict[str, Decimal]]:
    """The plain reading. One euro is 1.25 dollars to the end of September, then 1.5."""
    amount, without = Decimal(0), defaultdict(Decimal)
    for line in lines:
        said = {"provider": "openai", "team": line.team, "feature": line.feature or ""}
        said["model"] = line.model or ""
        if not period.start <= line.slot < period.end:
            continue
        if not all(said[name] in values for name, values in wanted.items()):
            continue
        euro = Decimal("1.25" if line.slot < at("2026-10-01") else "1.5")
        if line.currency == currency:
            amount += line.amount
        elif (line.currency, currency) == ("EUR", "USD"):
            amount += line.amount * euro
        elif (line.currency, currency) == ("USD", "EUR"):
            amount += line.amount * Decimal("0.8" if euro == Decimal("1.25") else "0.6666666667")
        else:
            without[line.currency] += line.amount
    return amount, {code: each for code, each in sorted(without.items()) if each}


@pytest.mark.parametrize("currencies", [("USD",), ("EUR", "USD")])
def test_spend_of_all_periods_is_what_the_lines_say_to_the_last_digit(
    database: Database, currencies: tuple[str, ...]
) -> None:
    random = Random(7)
    lines = some_lines(random, 150)
    with database.write() as session:
        for day, rate in (("2026-07-01", "1.25"), ("2026-10-01", "1.5")):
            euro = {"from_currency": "EUR", "to_currency": "USD", "rate": Decimal(rate)}
            known = {"source": "test", "known_from": at("2026-01-01")}
            said = {"tenant_id": TENANT, "day": date.fromisoformat(day)}
            session.execute(insert(rates).values(**euro, **known, **said))
    put(database, lines[:110], random)
    sum_days(JobContext(database, NOW))
    put(database, lines[110:], random)
    periods = {Period(NOW - timedelta(days=1, minutes=10), NOW - timedelta(minutes=10))}
    for zone in ZONES:
        for kind in KINDS:
            if kind != CUSTOM:
                present = period_at(NOW, kind, ZoneInfo(zone))
                periods |= {
                    present,
                    period_at(present.start - timedelta.resolution, kind, ZoneInfo(zone)),
                }
    with database.read() as session:
        read = read_spend(session, TENANT, periods, FILTERS, currencies, now=NOW)
    for period in periods:
        for wanted in FILTERS:
            for currency in currencies:
                found = read.on(wanted, currency, period)
                expected = counted(lines, period, wanted, currency)
                assert (found.amount, dict(found.without)) == expected, (period, wanted)


def test_every_dimension_can_be_budgeted(database: Database) -> None:
    named = {name: f"its {name}" for name in DIMENSIONS}
    owner = Owner(**{name: named[name] for name in OWNER_DIMENSIONS})
    route = Route(**{name: named[name] for name in ROUTE_DIMENSIONS})
    with database.write() as session:
        put_charge(session, "2026-11-10", "1", owner, route)
        put_charge(session, "2026-11-10", "10", Owner("ads"), Route())
    period = Period(at("2026-11-01"), at("2026-12-01"))
    filters = [{name: (value,)} for name, value in named.items()]
    with database.read() as session:
        read = read_spend(session, TENANT, [period], filters, ["USD"], now=NOW)
    assert {read.on(wanted, "USD", period).amount for wanted in filters} == {1}
    assert read.on({"feature": ("",)}, "USD", period).amount == 10


def test_a_failure_counts_towards_the_model_that_it_is_shown_under(database: Database) -> None:
    failed, answered = (Route("openai", model, "gpt-4o") for model in ("gpt-4o", "gpt-4o-2024"))
    with database.write() as session:
        for amount, route in (("1", failed), ("10", answered)):
            put_charge(session, "2026-11-10", amount, Owner("search"), route)
    period = Period(at("2026-11-01"), at("2026-12-01"))
    wanted, name = ({"model": (model,)} for model in ("gpt-4o-2024", "gpt-4o"))
    with database.read() as session:
        read = read_spend(session, TENANT, [period], [wanted], ["USD"], now=NOW)
        asked = [(wanted, "USD"), (name, "USD")]
        slots = slots_spent(session, TENANT, asked, period, now=NOW)
    assert [read.on(each, "USD", period).amount for each in (wanted, name)] == [11, 0]
    assert slots == [{at("2026-11-10"): 11}, {}]


MOMENTS = st.integers(0, 100 * 96).map(
    lambda slots: at("2026-08-20") + slots * timedelta(minutes=15)
)
PERIODS = st.lists(st.tuples(MOMENTS, MOMENTS).filter(lambda each: each[0] < each[1]), min_size=1)


@given(PERIODS.map(lambda found: [Period(*each) for each in found]), st.lists(MOMENTS, max_size=20))
def test_every_slot_is_in_its_piece_once_and_in_no_other(
    periods: list[Period], slots: list[datetime]
) -> None:
    pieces = pieces_of(periods)
    assert pieces is not None
    for slot in slots:
        holding = [period.start <= slot < period.end for period in periods]
        found = times_in(pieces, slot)
        for period, held in zip(periods, holding, strict=True):
            assert sum(found.get(piece, 0) for piece in pieces.within(period)) == held


def times_in(pieces: Pieces, slot: datetime) -> dict[int, int]:
    """How often what is used in a slot is added to each piece."""
    found: dict[int, int] = defaultdict(int)
    day = slot.astimezone(UTC).date()
    for month, piece in pieces.months:
        found[piece] += (month.year, month.month) == (day.year, day.month)
    for whole, piece in pieces.days:
        found[piece] += whole == day
    for edge in pieces.edges:
        if edge.part.start <= slot < edge.part.end:
            for piece, sign in ((edge.adds_to, 1), (edge.taken_off, -1)):
                if piece is not None:
                    found[piece] += sign
    return {piece: times for piece, times in found.items() if times}
