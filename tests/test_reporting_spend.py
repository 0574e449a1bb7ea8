"""Views of spend say what the API says, to the last digit."""

from typing import Any

import pytest
import reported
from closed_months import NOW, close, filled, settle, soft_close
from filled_ledger import (
    CLAUDE,
    GPT,
    LLAMA,
    SEARCH,
    SUPPORT,
    asking,
    at,
    put_cell,
    put_charge,
    put_names,
)
from owned import use
from sqlalchemy import insert, update

from jobs.charging.sum_days import sum_days
from jobs.context import JobContext
from spend.calls import Outcome, Owner, Route
from spend.ids import content_id
from store.postgres.sessions import Database
from store.tables.ownership import payers
from store.tables.rollups import cells
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

OCTOBER = "'2026-10-01' AND {} < '2026-11-01'"
DIMENSIONS: tuple[tuple[str, ...], ...] = (
    (),
    ("team",),
    ("provider", "model", "deployment"),
    ("team", "project", "service", "environment", "feature", "customer", "region", "operation"),
)
TIMED = Owner(team="batch")
ASKED_AS = Route(provider="openai", model="gpt-4o", request_model="gpt-4o", operation="chat")
ANSWERED_AS = Route(
    provider="openai", model="gpt-4o-2024-08-06", request_model="gpt-4o", operation="chat"
)


def fill(database: Database) -> None:
    """Usage on and around the edges of months: late, waiting, taken back, unpriced, in two
    currencies, paid for by others; most of it in the sums of days."""
    slots = (
        "09-30T23:45",
        "10-01T00:00",
        "10-24T22:30",
        "10-31T22:45",
        "10-31T23:45",
        "11-01T00:00",
    )
    with database.write() as session:
        for place, slot in enumerate(slots, 1):
            for owner, route in ((SEARCH, GPT), (SUPPORT, CLAUDE), (TIMED, ASKED_AS)):
                at_ = f"2026-{slot}"
                put_cell(session, at_, owner, route, calls=place, input=100 * place, output=7)
                put_charge(session, at_, f"{place}.000000000001", owner, route, listed=f"{place}.5")
        put_cell(session, "2026-10-05T10:00", TIMED, ANSWERED_AS, calls=2, reasoning=5, output=9)
        put_cell(session, "2026-10-05T10:00", outcome=Outcome.TIMEOUT, calls=3, seconds=4)
        put_charge(session, "2026-10-05T10:00", "3", SEARCH, GPT, currency="EUR", billed="2.5")
        # No price; not reported; and charged, then taken back.
        put_cell(session, "2026-10-06T10:00", SUPPORT, LLAMA, calls=4, unpriced=4, input=40)
        put_cell(session, "2026-10-06T11:00", SEARCH, LLAMA, calls=3, unpriced=3, unmetered=3)
        put_charge(session, "2026-10-06T10:00", "0.25", SUPPORT, LLAMA)
        put_charge(
            session, "2026-10-06T10:00", "-0.25", SUPPORT, LLAMA, kind="correction", quantity=-1
        )
        # Free is not unknown.
        put_cell(session, "2026-10-07T10:00", SEARCH, LLAMA, calls=1, input=5)
        put_charge(session, "2026-10-07T10:00", "0", SEARCH, LLAMA)
        # As the charge job says it of such a cell.
        session.execute(update(cells).where(cells.c.input == 40).values(unpriced_tokens=40))
        # Moved to another team and back: nothing is left.
        moved = Owner(team="moved")
        put_charge(session, "2026-10-08T10:00", "1", moved, LLAMA)
        put_charge(session, "2026-10-08T10:00", "-1", moved, LLAMA, kind="correction", quantity=-1)
    sum_days(JobContext(database, now=at("2026-11-02T12:00")))
    with database.write() as session:
        put_charge(session, "2026-10-03T10:00", "5", listed="7", booked="2026-11-01T00:00")
        put_cell(session, "2026-10-04T10:00", calls=6, input=1, booked="2026-11-01T00:00")
        put_charge(session, "2026-10-04T10:00", "0.5", listed="1", kind="correction")
        put_cell(session, "2026-10-31T23:30", calls=2, input=5, charged=False, unpriced=None)
        wait_for_another(session)


def wait_for_another(session: Any) -> None:
    """Calls that another pays for, in a part of the time, and that are still to be charged."""
    pays, waits = Owner(team="pays"), Owner(team="waits")
    put_names(session, pays, GPT)
    session.execute(
        insert(payers).values(
            tenant_id=TENANT,
            owner_id=content_id(waits),
            valid_from=at("2026-10-10"),
            valid_to=at("2026-10-20"),
            payer_id=content_id(pays),
        )
    )
    for day in ("09", "10", "20"):
        put_cell(session, f"2026-10-{day}T00:00", waits, charged=False, unpriced=None, output=8)


def test_spend_by_day_is_what_the_api_answers(database: Database) -> None:
    fill(database)
    client = asking(database, now="2026-11-02T12:00")
    which = f"day >= {OCTOBER.format('day')}"
    for dimensions in DIMENSIONS:
        spent, used = reported.asked(
            client, dimensions, **{"from": "2026-10-01", "to": "2026-11-01"}
        )
        assert reported.money(database, "spend_by_day", which, dimensions) == spent
        assert reported.usage(database, "spend_by_day", which, dimensions) == used
    assert spent
    days = {"from": "2026-09-30", "to": "2026-11-02"}
    spent, used = reported.asked(client, ("day", "team", "model"), **days)
    shown = reported.rows(
        database,
        "SELECT day::text, team, model, currency, sum(cost) AS cost, sum(calls) AS calls"
        " FROM reporting.spend_by_day GROUP BY 1, 2, 3, 4",
    )
    for row in shown:
        key = (row["day"], row["team"], row["model"])
        money = spent.get((key, row["currency"]))
        assert row["cost"] == (money and money["cost"]), key
    assert sum(row["calls"] for row in shown) == sum(each["calls"] for each in used.values())


def test_what_is_unknown_is_null_and_what_is_free_is_zero(database: Database) -> None:
    fill(database)
    llama = reported.rows(
        database,
        "SELECT day::text, team, currency, cost, list_cost, calls, unpriced_calls, unpriced_tokens"
        " FROM reporting.spend_by_day WHERE model = 'llama-3.3-70b' ORDER BY day, team",
    )
    assert [tuple(row.values()) for row in llama] == [
        ("2026-10-06", "search", None, None, None, 3, 3, 0),
        ("2026-10-06", "support", "USD", None, None, 4, 4, 40),
        ("2026-10-07", "search", "USD", 0, None, 1, 0, 0),
    ]
    # Usage stands once, beside the first of two currencies.
    gpt = reported.rows(
        database,
        "SELECT currency, cost, calls, tokens FROM reporting.spend_by_day"
        " WHERE day = '2026-10-05' AND team = 'search' ORDER BY currency",
    )
    assert [tuple(row.values()) for row in gpt] == [("EUR", 3, 3, 0)]


@pytest.mark.parametrize("view", ["spend_by_month", "booked_by_month"])
def test_a_month_by_use_and_as_booked_is_what_the_api_answers(
    database: Database, view: str
) -> None:
    fill(database)
    client = asking(database, now="2026-11-02T12:00")
    asked = {"period": "billing"} if view.startswith("booked") else {}
    for month, ends in (("09", "10-01"), ("10", "11-01"), ("11", "12-01")):
        params = {"from": f"2026-{month}-01", "to": f"2026-{ends}"} | asked
        which = f"month = '2026-{month}-01'"
        for dimensions in DIMENSIONS:
            spent, used = reported.asked(client, dimensions, **params)
            assert reported.money(database, view, which, dimensions) == spent
            assert reported.usage(database, view, which, dimensions) == used


def test_quarter_hours_tell_days_of_any_zone_and_any_books(database: Database) -> None:
    fill(database)
    client = asking(database, now="2026-11-02T12:00")
    bounds = "{0} >= '2026-10-01 Europe/Berlin' AND {0} < '2026-11-01 Europe/Berlin'"
    berlin = {"from": "2026-10-01", "to": "2026-11-01", "timezone": "Europe/Berlin"}
    for column, more in (("slot", {}), ("booked_slot", {"period": "billing"})):
        for dimensions in DIMENSIONS:
            spent, used = reported.asked(client, dimensions, **berlin, **more)
            found = ("spend_by_quarter_hour", bounds.format(column), dimensions)
            assert reported.money(database, *found) == spent
            assert reported.usage(database, *found) == used


def test_what_the_jobs_make_of_closed_months_is_what_the_api_answers(database: Database) -> None:
    filled(database)
    soft_close(database, "2026-08")
    close(database, "2026-08")
    use(database, "2026-08-12T08:00", SEARCH, 7)
    settle(database)
    client = asking(database, now=f"{NOW:%Y-%m-%dT%H:%M}")
    found = {}
    for view, params in (("spend_by_month", {}), ("booked_by_month", {"period": "billing"})):
        for month in range(8, 12):
            which = f"month = '2026-{month:02}-01'"
            bounds = {"from": f"2026-{month:02}-01", "to": f"2026-{month + 1:02}-01"}
            spent, used = reported.asked(client, ("team",), **bounds, **params)
            assert reported.money(database, view, which, ("team",)) == spent
            assert reported.usage(database, view, which, ("team",)) == used
            found[view, month] = spent[("search",), "USD"]["cost"]
    assert found["spend_by_month", 8] == 17, "of August's use, whenever it was told"
    assert found["booked_by_month", 8] == 10, "its books are closed"
    assert found["booked_by_month", 9] == 27, "and September's were the first that were open"


def test_what_is_looked_at_again_waits_also_where_its_books_are_closed(database: Database) -> None:
    filled(database)
    soft_close(database, "2026-08")
    with database.write() as session:
        session.execute(update(cells).values(charged=False))
    client = asking(database, now=f"{NOW:%Y-%m-%dT%H:%M}")
    bounds = "slot >= '2026-08-01 Europe/Berlin' AND slot < '2026-09-01 Europe/Berlin'"
    august = {"from": "2026-08-01", "to": "2026-09-01", "timezone": "Europe/Berlin"}
    _spent, used = reported.asked(client, ("team",), **august)
    assert used[("search",)]["waiting_calls"] == 1
    assert reported.usage(database, "spend_by_quarter_hour", bounds, ("team",)) == used
