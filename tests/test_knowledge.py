"""A call costs what was known at its time; nothing that becomes known later changes that."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from filled_ledger import empty_ledger, put_cell
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from test_charge_prices import line

from jobs.charging import charge, reprice
from jobs.context import JobContext
from spend.calls import Route
from spend.prices.knowledge import Knowledge, Repriced
from spend.prices.prices import CONTRACT, LIST, SUPPLEMENT, PriceBook, PriceLine
from spend.prices.rating import rates
from store.postgres.sessions import Database
from store.prices import books, repricings
from store.tables.ledger import charges
from store.tables.prices import prices
from store.tables.repricings import repricings as asked_for
from store.tables.rollups import cells
from store.tenants import TENANT

T0 = datetime(2026, 10, 1, tzinfo=UTC)
SLOT = timedelta(minutes=15)
HOUR = timedelta(hours=1)
ROUTE = Route(provider="openai", model="gpt-4o", deployment="api")


def known(meter: str, price: str, hour: int, until: int | None = None, **others: Any) -> PriceLine:
    """A line that is valid for good, and known from an hour on."""
    moments: dict[str, Any] = {
        "valid_from": T0 - timedelta(days=30),
        "known_from": T0 + hour * HOUR,
        "known_to": None if until is None else T0 + until * HOUR,
    }
    return line(meter, price, **moments | others)


def paid(book: PriceBook, at: datetime, known_at: datetime | None = None) -> dict[str, str]:
    found = rates(book, ROUTE, band=0, at=at, known_at=known_at or at)
    return {meter: str(each.unit_price) for meter, each in found.lines.items()}


def test_a_meter_is_priced_by_what_was_known_else_as_soon_as_it_can_be() -> None:
    book = PriceBook(
        [known("input", "1", 2, 5), known("input", "3", 5), known("output", "7", 8)], {}
    )
    for hour, price in ((0, "1"), (2, "1"), (4, "1"), (5, "3"), (9, "3")):
        assert paid(book, T0 + hour * HOUR)["input"] == price, hour
    assert paid(book, T0)["output"] == "7", "each meter by itself"
    assert paid(book, T0, T0 + 6 * HOUR)["input"] == "3", "re-priced by what was known at 6"


def test_a_part_follows_the_meter_that_it_is_a_part_of() -> None:
    late = PriceBook([known("input", "1", 0), known("input_audio", "9", 5)], {})
    assert "input_audio" not in paid(late, T0), "it was charged as text, and stays so"
    assert paid(late, T0 + 5 * HOUR)["input_audio"] == "9"
    both = PriceBook([known("input", "1", 5), known("input_audio", "9", 5)], {})
    assert paid(both, T0)["input_audio"] == "9"


def test_a_cheaper_fallback_that_was_known_beats_a_price_that_was_not() -> None:
    book = PriceBook([known("input", "1", 0), known("cache_read", "0.1", 5)], {})
    assert paid(book, T0)["cache_read"] == "1"


def test_a_line_that_was_mended_at_once_was_never_known() -> None:
    book = PriceBook([known("input", "9", 2, 2), known("input", "1", 3)], {})
    assert paid(book, T0)["input"] == "1"


def test_a_contract_beats_the_list_and_the_supplement_prices_what_both_lack() -> None:
    public = known("input", "2", 0, book=LIST)
    second = known("input", "3", 0, book=SUPPLEMENT)
    output = known("output", "4", 0, book=SUPPLEMENT)
    contract = known("input", "1", 0, book=CONTRACT)
    assert paid(PriceBook([public, second, output], {}), T0)["input"] == "2"
    assert paid(PriceBook([second, output], {}), T0)["input"] == "3"
    assert paid(PriceBook([public, second, output, contract], {}), T0)["input"] == "1"
    assert paid(PriceBook([public, second, output], {}), T0)["output"] == "4"


def test_steps_stand_beside_their_base_and_never_alone() -> None:
    base, step = known("input", "2", 0), known("input", "1", 0, above_monthly=10**9)
    asked: dict[str, Any] = {"band": 0, "at": T0, "known_at": T0}
    assert PriceBook([step, base], {}).steps(ROUTE, "input", **asked) == (base, step)
    assert PriceBook([step, base], {}).line(ROUTE, "input", **asked) == base
    assert PriceBook([step], {}).steps(ROUTE, "input", **asked) == ()
    later = replace(step, known_from=T0 + HOUR)
    assert PriceBook([later, base], {}).steps(ROUTE, "input", **asked) == (base,)


HOURS = st.integers(0, 8)
PASSED = st.lists(st.tuples(HOURS, HOURS, HOURS), max_size=5)


@given(PASSED)
def test_of_re_pricings_the_last_that_reached_a_slot_holds(
    passed: list[tuple[int, int, int]],
) -> None:
    done = [
        Repriced(number, T0 + start * HOUR, T0 + end * HOUR, T0 + (20 + known) * HOUR)
        for number, (start, end, known) in enumerate(passed)
    ]
    knowledge = Knowledge(reversed(done))
    for quarter in range(-1, 40):
        slot = T0 + quarter * SLOT
        holding = [each.known_at for each in done if each.starts <= slot < each.ends]
        expected = holding[-1] if holding else slot
        assert knowledge.of(slot) == knowledge.of(slot + SLOT / 2) == expected


LINES = st.lists(
    st.tuples(
        st.sampled_from(["input", "cache_read", "output", "input_audio"]),
        HOURS,
        st.one_of(st.none(), HOURS),
        st.sampled_from([CONTRACT, LIST]),
    ),
    max_size=10,
)


@given(LINES, HOURS, HOURS)
def test_what_becomes_known_later_changes_no_meter_that_was_priced(
    said: list[tuple[str, int, int | None, str]], slot: int, moment: int
) -> None:
    lines = [
        known(meter, str(number + 1), start, until, book=book)
        for number, (meter, start, until, book) in enumerate(said)
        if until is None or until > start
    ]
    at, now = T0 + slot * HOUR, T0 + moment * HOUR

    def as_of_now(each: PriceLine) -> PriceLine:
        ended = each.known_to is not None and each.known_to <= now
        return each if ended else replace(each, known_to=None)

    so_far = [as_of_now(each) for each in lines if each.known_from and each.known_from <= now]
    then, today = paid(PriceBook(so_far, {}), at), paid(PriceBook(lines, {}), at)
    if now < at:
        return  # nobody charges what is still to come
    whole = {meter: price for meter, price in then.items() if meter != "input_audio"}
    assert {meter: today[meter] for meter in whole} == whole
    if "input" in then:
        assert today.get("input_audio") == then.get("input_audio")


@pytest.mark.one_server
@given(order=st.permutations(range(8)), rounds=st.sets(st.integers(0, 8)))
@settings(
    max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_when_calls_come_and_jobs_run_never_matters(
    database: Database, order: list[int], rounds: set[int]
) -> None:
    """The history of the book and the re-pricings is one; all else comes in any order."""
    with database.write() as session:
        empty_ledger(session)
        for table in (cells, prices, asked_for):
            session.execute(table.delete())
    acts = [
        lambda session: _enter(session, "1", 0),
        lambda session: _enter(session, "3", 2),
        lambda session: _ask(session, 0, 2, 3),
        lambda session: _enter(session, "7", 4),
        lambda session: _ask(session, 1, 3, 5),
    ]
    done = iter(acts)
    for turn, hour in enumerate(order):
        with database.write() as session:
            put_cell(
                session,
                (T0 + (hour - 1) * HOUR).isoformat(),
                charged=False,
                unpriced=None,
                input=1_000_000,
            )
        act = next(done, None) if turn % 2 else None
        if act:
            with database.write() as session:
                act(session)
        if turn in rounds:
            _round(database)
    for act in done:
        with database.write() as session:
            act(session)
    _round(database)
    _round(database)
    with database.read() as session:
        found = session.execute(
            select(charges.c.slot, func.sum(charges.c.amount)).group_by(charges.c.slot)
        )
        cost = {int((row[0] - T0) / HOUR): int(row[1]) for row in found}
    # Before anything was known; re-priced at 3, at 5, at 5; and by what was known then.
    assert cost == {-1: 1, 0: 3, 1: 7, 2: 7, 3: 3, 4: 7, 5: 7, 6: 7}


def _enter(session: Session, price: str, hour: int) -> None:
    said = line("input", price, valid_from=T0 - timedelta(days=1))
    books.enter_contract(session, TENANT, [said], now=T0 + hour * HOUR)


def _ask(session: Session, start: int, end: int, hour: int) -> None:
    bounds = T0 + start * HOUR, T0 + end * HOUR
    repricings.request(session, TENANT, *bounds, dry_run=False, now=T0 + hour * HOUR)


def _round(database: Database) -> None:
    context = JobContext(database=database, now=T0 + 9 * HOUR)
    charge.run(context)
    reprice.run(context)
