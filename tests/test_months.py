"""Months close in order and for good, and only once all of them is settled."""

import pytest
from closed_months import (
    NOW,
    UTC_MONTHS,
    broken,
    close,
    filled,
    reopen,
    settle,
    soft_close,
    states,
)
from filled_ledger import SEARCH, at
from owned import use
from sqlalchemy import func, select

from spend.fiscal import Calendar, FiscalYear
from spend.months.months import (
    LedgerMonth,
    MonthRefusedError,
    MonthUnknownError,
    next_open,
    period_before,
    period_of,
)
from spend.zones import zone_named
from store import closing
from store.months import months
from store.postgres.sessions import Database
from store.tables.ledger import charges
from store.tenants import TENANT

pytestmark = pytest.mark.one_server


def booked(database: Database) -> dict[str, int]:
    """Dollars by the month that they are booked in."""
    month = func.to_char(func.coalesce(charges.c.booked_slot, charges.c.slot), "YYYY-MM")
    with database.read() as session:
        rows = session.execute(select(month, func.sum(charges.c.amount)).group_by(month))
        return {row[0]: int(row[1]) for row in rows if row[1]}


def open_from(database: Database) -> object:
    with database.read() as session:
        return closing.open_from(session, TENANT)


def test_a_month_is_soft_closed_and_closed_and_what_is_late_is_booked_in_the_open_one(
    database: Database,
) -> None:
    filled(database)
    soft_close(database, "2026-09")
    assert open_from(database) == at("2026-10-01")
    use(database, "2026-09-11T08:00", SEARCH, 5)
    settle(database)
    assert booked(database) == {"2026-08": 10, "2026-09": 20, "2026-10": 35, "2026-11": 40}
    done = close(database, "2026-09")
    assert (done.state, len(done.hash or "")) == ("closed", 64)
    close(database, "2026-10")
    use(database, "2026-08-11T08:00", SEARCH, 7)
    settle(database)
    assert booked(database) == {"2026-08": 10, "2026-09": 20, "2026-10": 35, "2026-11": 47}
    assert states(database) == {"2026-09": "closed", "2026-10": "closed"}


def test_what_is_booked_while_a_month_is_soft_closed_stays_there_when_it_is_opened_again(
    database: Database,
) -> None:
    filled(database)
    soft_close(database, "2026-09")
    use(database, "2026-09-11T08:00", SEARCH, 5)
    settle(database)
    reopen(database, "2026-09")
    assert (states(database), open_from(database)) == ({"2026-09": "open"}, None)
    use(database, "2026-09-12T08:00", SEARCH, 6)
    settle(database)
    assert booked(database) == {"2026-08": 10, "2026-09": 26, "2026-10": 35, "2026-11": 40}
    close(database, "2026-09")
    assert open_from(database) == at("2026-10-01")


def test_what_waits_is_settled_first(database: Database) -> None:
    filled(database)
    use(database, "2026-09-11T08:00", SEARCH, 5)
    for attempt in (soft_close, close):
        with pytest.raises(MonthRefusedError, match="1 calls in 1 cells wait to be charged; run"):
            attempt(database, "2026-09")
    assert states(database) == {}
    settle(database)
    close(database, "2026-09")


def test_months_close_in_order_and_once_they_are_over(database: Database) -> None:
    filled(database)
    refused = {
        "2026-11": "2026-11 is not over: it ends 2026-12-01 00:00 UTC",
        "2026-12": "2026-12 is not over: it ends 2027-01-01 00:00 UTC",
    }
    for name, why in refused.items():
        with pytest.raises(MonthRefusedError, match=why):
            soft_close(database, name)
    soft_close(database, "2026-09")
    refused = {
        "2026-08": "2026-08 was closed with 2026-09, the first month to be closed",
        "2026-09": "2026-09 is soft-closed already",
        "2026-11": "2026-10 comes first: months close in order",
    }
    for name, why in refused.items():
        with pytest.raises(MonthRefusedError, match=why):
            soft_close(database, name)
    soft_close(database, "2026-10")
    with pytest.raises(MonthRefusedError, match="2026-09 comes first: months close in order"):
        close(database, "2026-10")
    with pytest.raises(MonthRefusedError, match="2026-10 is soft-closed after it: open that"):
        reopen(database, "2026-09")
    with pytest.raises(MonthRefusedError, match="for a reason: say it"):
        reopen(database, "2026-10", " ")
    with pytest.raises(MonthRefusedError, match="2026-11 is open"):
        reopen(database, "2026-11")
    close(database, "2026-09")
    for attempt in (soft_close, close):
        with pytest.raises(MonthRefusedError, match="2026-09 is closed already"):
            attempt(database, "2026-09")
    with pytest.raises(MonthRefusedError, match="2026-09 is closed for good"):
        reopen(database, "2026-09")
    assert states(database) == {"2026-09": "closed", "2026-10": "soft-closed"}
    assert open_from(database) == at("2026-11-01")
    assert at("2026-11-01") < NOW


def test_who_changes_the_calendar_moves_no_closed_month_and_leaves_no_gap(
    database: Database,
) -> None:
    filled(database)
    close(database, "2026-09")
    for zone, fiscal, following, starts, ends in (
        ("Europe/Berlin", FiscalYear(), "2026-10", "2026-10-01T00:00", "2026-10-31T23:00"),
        # Its September ends four hours after the one that is closed.
        ("America/New_York", FiscalYear(), "2026-10", "2026-10-01T00:00", "2026-11-01T04:00"),
        ("UTC", FiscalYear("4-4-5"), "FY2026-P10", "2026-10-01T00:00", "2026-10-26T00:00"),
    ):
        calendar = Calendar(zone_named(zone), fiscal)
        with database.read() as session:
            held = months.held(session, TENANT)
            named = months.period_named(session, TENANT, "2026-09", calendar)
        found = next_open(held, calendar)
        assert found is not None
        told = (found.name, found.period.start, found.period.end)
        assert told == (following, at(starts), at(ends))
        assert named == (UTC_MONTHS, UTC_MONTHS.named("2026-09"))
    berlin = Calendar(zone_named("Europe/Berlin"))
    done = close(database, "2026-10", calendar=berlin)
    assert (done.period.start, done.calendar) == (at("2026-10-01"), berlin)
    assert broken(database) == []
    assert open_from(database) == at("2026-10-31T23:00")
    with pytest.raises(MonthUnknownError, match="the books are kept in periods such as 2026-07"):
        soft_close(database, "FY2026-Q3")


def test_after_another_calendar_the_next_month_is_told_without_what_is_closed() -> None:
    weeks = Calendar(zone_named("Europe/Berlin"), FiscalYear("4-4-5", 2))
    closed = LedgerMonth("FY2027-P09", weeks.named("FY2027-P09").period, weeks, "closed")
    for calendar, name in (
        (UTC_MONTHS, "2026-10"),
        (Calendar(zone_named("UTC"), FiscalYear("13x4", 2)), "FY2027-P10"),
        (weeks, "FY2027-P10"),
    ):
        _calendar, told = period_of(name, [closed], calendar)
        assert told.start == closed.period.end
        before = period_before(told, [closed], calendar)
        assert (before.name, before.period) == (closed.name, closed.period)
        assert period_of(closed.name, [closed], calendar)[1].period == closed.period
    assert period_before(weeks.named("FY2027-Q4"), [closed], weeks) == weeks.named("FY2027-Q3")
