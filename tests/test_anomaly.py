"""Spend that is out of the ordinary is told, with what it comes from; what is ordinary is not."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
import watching
from filled_ledger import CLAUDE, GPT, at, put_charge
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session
from watching import facts, levels, measured, written

from spend import money
from spend.alerts.anomalies import Judged, Piece, drivers, explained, judged, median
from spend.alerts.rule_terms import rule_of_fields
from spend.alerts.same_hours import can_be_compared, hours_name, last_hours, weeks_before
from spend.calls import Owner, Route
from spend.checked_fields import TermsRefused
from spend.periods import Period
from store.postgres.sessions import Database
from store.tables.rates import rates
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

BERLIN = ZoneInfo("Europe/Berlin")
NOW = at("2026-11-18T12:20")
"""A Wednesday."""
AMOUNTS = st.integers(0, 10**16)
WEEKS = st.lists(AMOUNTS, min_size=3, max_size=12)


def judge(value: int, past: list[int], sensitivity: str = "4", ratio: str = "2") -> Judged:
    found = judged(value, past, sensitivity=Decimal(sensitivity), ratio=Decimal(ratio))
    assert found is not None
    return found


@given(AMOUNTS, WEEKS, st.integers(1, 1000), st.randoms())
@settings(max_examples=60)
def test_neither_the_order_of_weeks_nor_the_coin_makes_a_difference(
    value: int, past: list[int], times: int, chance: object
) -> None:
    shuffled = list(past)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]  # random.Random
    assert judge(value, past) == judge(value, shuffled)
    # A median of an even number is rounded to the coin: one more has none.
    odd = past if len(past) % 2 else [*past, past[0]]
    assert (
        judge(value, odd).stands_out
        == judge(value * times, [each * times for each in odd]).stands_out
    )


@given(AMOUNTS, WEEKS, AMOUNTS)
@settings(max_examples=60)
def test_whoever_spends_more_stands_out_no_less(value: int, past: list[int], more: int) -> None:
    found = judge(value, past)
    assert found.stands_out <= judge(value + more, past).stands_out
    assert found.expected == money.amount(median(past))
    assert min(past) <= money.atoms(found.expected) <= max(past)
    if value <= median(past):
        assert not found.stands_out


@given(WEEKS, AMOUNTS)
@settings(max_examples=60)
def test_one_bad_week_hides_no_other(past: list[int], bad: int) -> None:
    """Of seven weeks or more that are alike, one may be anything: what is expected stays."""
    alike = [past[0]] * 6
    assert judge(past[0], [*alike, bad]).expected == money.amount(past[0])
    assert judge(past[0], [*alike, bad]).deviation == 0


def test_what_stands_out_is_above_both_bounds() -> None:
    assert not judge(15, [10] * 6).stands_out  # not twice as much
    assert judge(20, [10] * 6).stands_out
    assert not judge(20, [4, 8, 12, 16, 6, 10]).stands_out  # weeks are that far apart
    assert judge(1, [0] * 6).stands_out  # nothing was ever spent
    assert judged(10**9, [1, 1], sensitivity=Decimal(4), ratio=Decimal(2)) is None


PIECES = st.lists(
    st.builds(
        Piece,
        st.dictionaries(st.sampled_from(["feature", "model", "customer"]), st.sampled_from("abc")),
        AMOUNTS,
        st.tuples(AMOUNTS, AMOUNTS, AMOUNTS),
    ),
    max_size=12,
)


@given(PIECES)
@settings(max_examples=60)
def test_drivers_rose_and_share_nothing(pieces: list[Piece]) -> None:
    named = drivers(pieces)
    assert len(named) <= 3
    assert all(each.more > 0 for each in named)
    assert sum(money.atoms(each.now) for each in named) <= sum(each.now for each in pieces)
    assert 0 <= explained(named, Decimal(1)) <= 100


def test_a_driver_is_named_where_the_rise_is_concentrated() -> None:
    def piece(feature: str, model: str, now: int, was: int) -> Piece:
        names = {"feature": feature, "model": model, "provider": "openai"}
        return Piece(names, now, (was, was, was))

    of_feature = [piece("chat", "gpt", 500, 500), piece("rerank", "gpt", 415, 3)]
    assert [
        (each.dimension, each.value, money.atoms(each.more)) for each in drivers(of_feature)
    ] == [("feature", "rerank", 412)]
    of_model = [piece("chat", "new", 300, 0), piece("rerank", "new", 200, 0), *of_feature[:1]]
    assert [(each.dimension, each.value) for each in drivers(of_model)] == [("model", "new")]
    alone = [Piece({"model": "gpt", "provider": "openai"}, 90, (10, 10, 10))]
    assert [(each.dimension, each.value) for each in drivers(alone)] == [("model", "gpt")]


@pytest.mark.parametrize(
    ("now", "hours", "told"),
    [
        ("2026-11-18T12:20", 3, "Wednesday 2026-11-18, 10:00 to 13:00 (Europe/Berlin)"),
        ("2026-11-18T01:59", 3, "Tuesday 2026-11-17, 23:00 to 2026-11-18 02:00 (Europe/Berlin)"),
        # The clock goes forward at 01:00 UTC, by an hour, and back.
        ("2026-03-29T01:10", 3, "Saturday 2026-03-28, 23:00 to 2026-03-29 03:00 (Europe/Berlin)"),
        ("2026-10-25T01:10", 3, "Sunday 2026-10-25, 00:00 to 02:00 (Europe/Berlin)"),
    ],
)
def test_hours_are_those_of_the_zone(now: str, hours: int, told: str) -> None:
    window = last_hours(at(now), hours, BERLIN)
    assert hours_name(window, BERLIN) == told
    assert window.start < window.end <= at(now)


@given(
    st.integers(1_600_000_000, 1_900_000_000),
    st.integers(1, 24),
    st.sampled_from(["Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe", "UTC"]),
)
@settings(max_examples=60)
def test_weeks_before_have_the_same_hours_by_the_clock(moment: int, hours: int, name: str) -> None:
    zone = ZoneInfo(name)
    now = datetime.fromtimestamp(moment, UTC)
    window = last_hours(now, hours, zone)
    assert window.end <= now < window.end + timedelta(hours=2)
    assert window.end - window.start == timedelta(hours=hours)
    for each in weeks_before(window, 6, zone):
        assert each.end - each.start == timedelta(hours=hours)
        clocks = {moment.astimezone(zone).time() for moment in (window.start, each.start)}
        # A time that the clock skipped is some minutes later.
        assert len(clocks) == 1 or zone.dst(each.start.astimezone(zone)) != timedelta()


def test_hours_in_which_the_clock_changes_are_not_compared_alone() -> None:
    alone = [
        can_be_compared(last_hours(at(f"2026-10-25T{hour:02d}:30"), 3, BERLIN), BERLIN)
        for hour in range(6)
    ]
    assert alone == [True, False, False, False, True, True]
    assert can_be_compared(last_hours(at("2026-10-25T12:00"), 24, BERLIN), BERLIN)


def test_a_change_of_the_clock_shifts_nothing() -> None:
    # Noon by the clock in Berlin, before and after the 25th.
    window = last_hours(at("2026-10-26T11:00"), 3, BERLIN)
    assert window == Period(at("2026-10-26T08:00"), at("2026-10-26T11:00"))
    assert weeks_before(window, 1, BERLIN) == [
        Period(at("2026-10-19T07:00"), at("2026-10-19T10:00"))
    ]


# --- on a ledger


def put_weeks(
    session: Session, amount: str, owner: Owner, route: Route = GPT, *, weeks: int = 6
) -> None:
    """The same each Wednesday at ten, of six weeks."""
    for number in range(1, weeks + 1):
        slot = at("2026-11-18T10:15") - timedelta(weeks=number)
        put_charge(session, slot.isoformat(), amount, owner, route)


SEARCH = Owner(team="search", feature="chat")
RERANK = Owner(team="search", feature="rerank", customer="acme")
ADS = Owner(team="ads")


def test_a_rise_is_told_with_what_it_comes_from(database: Database) -> None:
    with database.write() as session:
        put_weeks(session, "100", SEARCH)
        put_weeks(session, "3.10", RERANK)
        put_weeks(session, "50", ADS)
        put_charge(session, "2026-11-18T09:00", "104", SEARCH)
        put_charge(session, "2026-11-18T11:45", "415.10", RERANK)
        put_charge(session, "2026-11-18T10:00", "60", ADS, CLAUDE)
        # Not of these hours.
        put_charge(session, "2026-11-18T12:00", "1000", ADS, CLAUDE)
        put_charge(session, "2026-11-11T12:00", "1000", SEARCH)
    watched = written("anomaly", over="100")
    found = measured(database, watched, NOW)
    assert levels(watched, found) == {"team=search": "over", "team=ads": "ok"}
    search = found["team=search"]
    assert (search.value, search.unit, search.team) == (Decimal("416.00"), "USD", "search")
    assert (search.start, search.end) == (at("2026-11-18T09:00"), at("2026-11-18T12:00"))
    assert facts(search) == {
        "Hours": "Wednesday 2026-11-18, 09:00 to 12:00 (UTC)",
        "Spent": "519.10 USD",
        "Usual": "103.10 USD (of 6 weeks; give or take 0.00 USD)",
        "Most of it": "feature rerank +412.00 USD (was 3.10)",
        "They explain": "99 % of the difference",
    }
    assert search.detail["drivers"] == [
        {
            "dimension": "feature",
            "value": "rerank",
            "more": "412.00",
            "now": "415.10",
            "was": "3.10",
        }
    ]
    assert "drivers" not in found["team=ads"].detail


def test_what_never_was_before_needs_a_past_of_anything(database: Database) -> None:
    watched = written("anomaly", over="100", filter={"team": ["search"]}, by=[])
    with database.write() as session:
        put_charge(session, "2026-11-18T10:00", "500", SEARCH)
        put_weeks(session, "1", ADS, weeks=2)
    assert levels(watched, measured(database, watched, NOW)) == {"": "no data"}
    with database.write() as session:
        # Within a day before the same hours of the third week.
        put_charge(session, "2026-10-27T18:00", "1", ADS)
    assert levels(watched, measured(database, watched, NOW)) == {"": "over"}
    assert levels(watched, measured(database, watched, at("2026-11-18T14:00"))) == {"": "ok"}


def test_lumps_are_not_out_of_the_ordinary(database: Database) -> None:
    """What was paid for a commitment, or is unused of one, is no usage of an hour."""
    with database.write() as session:
        put_weeks(session, "1", ADS)
        put_charge(session, "2026-11-18T10:00", "9000", ADS, commitment_id=1, meter="unused")
        put_charge(session, "2026-11-18T10:00", "300", ADS, pool_id=1, meter="pool")
    found = measured(database, written("anomaly", over="100"), NOW)
    assert found["team=ads"].value == Decimal(299)


def test_other_currencies_count_at_the_rate_of_their_day(database: Database) -> None:
    with database.write() as session:
        put_weeks(session, "1", ADS)
        put_charge(session, "2026-11-18T10:00", "100", ADS, currency="EUR")
        put_charge(session, "2026-11-18T10:00", "70", ADS, currency="SEK")
        session.execute(
            rates.insert().values(
                tenant_id=TENANT,
                from_currency="EUR",
                to_currency="USD",
                day=at("2026-11-17").date(),
                rate=Decimal("1.5"),
                source="test",
                known_from=at("2026-11-17"),
            )
        )
    found = measured(database, written("anomaly", over="100"), NOW)["team=ads"]
    assert found.value == Decimal(149)
    assert facts(found)["Not counted, as there is no rate"] == "70.00 SEK"
    assert found.detail["without_rate"] == {"SEK": "70.00"}


def test_a_rise_is_told_once_and_that_it_is_over(database: Database) -> None:
    with database.write() as session:
        for number in range(1, 7):
            slot = watching.NOW - timedelta(weeks=number, hours=1)
            put_charge(session, slot.isoformat(), "20", RERANK)
        put_charge(session, "2026-10-20T10:15", "400", RERANK)
    watching.rule(database, "anomaly", over="100", name="odd spend")
    for minute in (0, 1, 20, 180, 200, 240):
        watching.go_round(database, later=minute)
    risen, over = watching.told(database)
    assert risen.summary == (
        "odd spend: Spend of team search is 380.00 USD above the same hours of past weeks,"
        " from 2026-10-20 09:00 to 12:00 UTC. Over from 100.00 USD on. Alert 1."
    )
    assert ("Most of it", "feature rerank +380.00 USD (was 20.00)") in risen.facts
    assert (risen.team, risen.data["explained_percent"]) == ("search", 100)
    assert over.title == (
        "odd spend has recovered: Spend of team search is 0.00 USD above the same hours of past"
        " weeks"
    )


def test_currency_and_clock_are_the_ledgers_unless_said_otherwise() -> None:
    said = {"name": "odd", "kind": "anomaly", "over": "50"}
    usual = {"currency": "EUR", "timezone": "Asia/Kathmandu"}
    settings_of = rule_of_fields(said, usual=usual).settings
    assert {name: settings_of[name] for name in usual} == usual
    assert rule_of_fields(said | {"currency": "SEK"}, usual=usual).settings["currency"] == "SEK"


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({}, "over"),
        ({"over": "10", "currency": "dollars"}, "currency"),
        ({"over": "10", "timezone": "Berlin"}, "timezone"),
        ({"over": "10", "weeks": 2}, "weeks"),
        ({"over": "10", "window_minutes": 90}, "window_minutes"),
        ({"over": "10", "window_minutes": 1500}, "window_minutes"),
        ({"over": "10", "sensitivity": 1.5}, "sensitivity"),
        ({"over": "10", "ratio": "-1"}, "ratio"),
        ({"over": "10", "by": ["day"]}, "by"),
    ],
)
def test_what_makes_no_sense_is_refused_by_its_field(said: dict[str, object], field: str) -> None:
    with pytest.raises(TermsRefused) as refused:
        written("anomaly", **said)
    assert refused.value.field == field
