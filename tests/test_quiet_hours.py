"""Quiet hours end when the clock of their zone says so, in summer time and out of it."""

from datetime import UTC, datetime, timedelta

import pytest
from filled_ledger import at
from hypothesis import given, settings
from hypothesis import strategies as st

from spend.channels.quiet_hours import QuietHours, as_said, quiet_hours
from spend.checked_fields import TermsRefused
from spend.fiscal import WEEKDAYS

NIGHTS = {"from": "22:00", "to": "07:00"}
FRIDAY = NIGHTS | {"weekdays": ["friday"]}
TO_QUARTER, TO_HALF_PAST = NIGHTS | {"to": "02:15"}, NIGHTS | {"to": "02:30"}
LORD_HOWE = "Australia/Lord_Howe"
WEEKEND = {"from": "00:00", "to": "00:00", "weekdays": ["saturday", "sunday"]}


@pytest.mark.parametrize(
    ("times", "zone", "moment", "until"),
    [
        ([NIGHTS], "Europe/Berlin", "2026-11-16T21:00", "2026-11-17T06:00"),
        ([NIGHTS], "Europe/Berlin", "2026-11-17T05:59", "2026-11-17T06:00"),
        ([NIGHTS], "Europe/Berlin", "2026-11-17T06:00", None),
        ([NIGHTS], "Europe/Berlin", "2026-11-16T20:59", None),
        # Friday evening to Monday morning is one time.
        ([NIGHTS, WEEKEND], "Europe/Berlin", "2026-11-20T21:30", "2026-11-23T06:00"),
        ([WEEKEND], "Asia/Kathmandu", "2026-11-20T18:15", "2026-11-22T18:15"),
        ([FRIDAY], "UTC", "2026-11-21T23:00", None),
        # The night of the gap is an hour shorter, that of the fold an hour longer.
        ([NIGHTS], "Europe/Berlin", "2026-03-28T21:00", "2026-03-29T05:00"),
        ([NIGHTS], "Europe/Berlin", "2026-10-24T20:00", "2026-10-25T06:00"),
        # 02:30 is skipped: the skip is the end. Lord Howe skips half an hour.
        ([TO_HALF_PAST], "Europe/Berlin", "2026-03-29T00:59", "2026-03-29T01:00"),
        ([TO_QUARTER], LORD_HOWE, "2026-10-03T15:00", "2026-10-03T15:30"),
        # 02:30 comes twice: the first is the end.
        ([TO_HALF_PAST], "Europe/Berlin", "2026-10-25T00:29", "2026-10-25T00:30"),
        ([TO_HALF_PAST], "Europe/Berlin", "2026-10-25T01:10", None),
        # Nothing is quiet that lies in the skip alone.
        ([{"from": "02:10", "to": "02:50"}], "Europe/Berlin", "2026-03-29T01:00", None),
    ],
)
def test_a_quiet_time_ends_by_the_clock_of_its_zone(
    times: list[dict[str, object]], zone: str, moment: str, until: str | None
) -> None:
    found = quiet_hours(times, zone).until(at(moment))
    assert found == (None if until is None else at(until))


def test_hours_that_never_end_are_refused() -> None:
    halves = [{"from": "00:00", "to": "12:00"}, {"from": "12:00", "to": "00:00"}]
    for times in ([{"from": "09:00", "to": "09:00"}], halves):
        with pytest.raises(TermsRefused, match="nothing would ever be sent"):
            quiet_hours(times, "UTC")
    assert quiet_hours([{"from": "00:00", "to": "23:59"}], "UTC")


minutes = st.integers(0, 24 * 60 - 1).map(lambda minute: f"{minute // 60:02}:{minute % 60:02}")
some_times = st.lists(
    st.fixed_dictionaries(
        {
            "from": minutes,
            "to": minutes,
            "weekdays": st.lists(st.sampled_from(WEEKDAYS), min_size=1, max_size=3, unique=True),
        }
    ),
    min_size=1,
    max_size=2,
)
zones = st.sampled_from(
    ["UTC", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe", "America/Havana"]
)
moments = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)).map(  # noqa: DTZ001  # a zone follows
    lambda moment: moment.replace(tzinfo=UTC)
)


def shown(quiet: QuietHours, moment: datetime) -> bool:
    """Whether the wall clock shows a quiet minute; told from nothing but what it shows."""
    local = moment.astimezone(quiet.zone)
    minute = f"{local:%H:%M}"
    today, yesterday = WEEKDAYS[local.weekday()], WEEKDAYS[local.weekday() - 1]
    for each in as_said(quiet)["times"]:
        begins, ends = each["from"], each["to"]
        if begins < ends:
            if today in each["weekdays"] and begins <= minute < ends:
                return True
        elif (today in each["weekdays"] and minute >= begins) or (
            yesterday in each["weekdays"] and minute < ends
        ):
            return True
    return False


@settings(max_examples=100, deadline=None)
@given(times=some_times, zone=zones, moment=moments)
def test_laws_of_quiet_hours(times: list[dict[str, object]], zone: str, moment: datetime) -> None:
    quiet = quiet_hours(times, zone)
    assert quiet_hours(**as_said(quiet)) == quiet
    until = quiet.until(moment)
    day = timedelta(days=1)
    changed = (
        moment.astimezone(quiet.zone).utcoffset()
        != (moment - day).astimezone(quiet.zone).utcoffset()
    )
    if not changed:
        # Away from a change of the clock, quiet is what the clock shows.
        assert (until is not None) == shown(quiet, moment)
    if until is not None:
        assert moment < until <= moment + 8 * day
        assert quiet.until(until) is None
        assert quiet.until(moment + (until - moment) / 2) == until
