"""A budget's chart shows what is known of its period, and is drawn without asking anybody."""

import struct
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from budgeted import NOW, budget, charge, evaluate
from filled_ledger import at

from jobs.budgets import budget_picture
from jobs.budgets.budget_picture import curve_of, picture_of
from jobs.context import JobContext
from reports.charts.budget_chart import BudgetCurve, Spec, budget_chart
from reports.pictures import png
from spend.channels.notices import Notice
from spend.forecasts.forecast import Forecast
from store.budgets import forecasts
from store.postgres.sessions import Database
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

START = datetime(2026, 11, 1)  # noqa: DTZ001  # by the clock of the budget's zone


def curve(**changes: object) -> BudgetCurve:
    usual: dict[str, object] = {
        "title": "Budget search · month 2026-11",
        "subtitle": "40.00 of 100.00 USD spent",
        "starts": START,
        "ends": START + timedelta(days=30),
        "spent": tuple((START + timedelta(days=day), Decimal(day * 4)) for day in range(11)),
        "limit": Decimal(100),
        "thresholds": (80, 100),
        "expected": Decimal(120),
        "low": Decimal(110),
        "high": Decimal(135),
    }
    return BudgetCurve(**(usual | changes))  # type: ignore[arg-type]  # the test's to get right


def texts(spec: Spec) -> list[str]:
    return [each["mark"]["text"] for each in spec["layer"] if each["mark"]["type"] == "text"]


def test_each_line_is_named_where_it_ends_and_has_its_own_stroke() -> None:
    spec = budget_chart(curve())
    assert sorted(texts(spec)) == ["80 %", "even rate", "expected", "limit"]
    lines = [each["mark"] for each in spec["layer"] if each["mark"]["type"] == "line"]
    strokes = {(str(line.get("strokeDash")), line.get("strokeWidth")) for line in lines}
    assert len(strokes) == len(lines) == 5


def test_names_of_lines_do_not_stand_on_each_other() -> None:
    spec = budget_chart(curve(thresholds=(90, 95, 98, 100), expected=Decimal(101), low=None))
    [top] = [spec["encoding"]["y"]["scale"]["domain"][1]]
    heights = sorted(
        each["data"]["values"][0]["amount"] * spec["height"] / top
        for each in spec["layer"]
        if each["mark"]["type"] == "text" and each["mark"]["text"] != "even rate"
    )
    assert min(high - low for low, high in pairwise(heights)) > 14


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"limit": Decimal(0), "thresholds": (100,)},
        {"limit": None, "thresholds": (), "expected": None, "low": None, "high": None},
        {"spent": ((START, Decimal(0)),), "expected": None, "low": None, "high": None},
    ],
)
def test_whatever_is_known_it_is_drawn_twice_as_fine(changes: dict[str, object]) -> None:
    drawn = png(budget_chart(curve(**changes)))
    width, height = struct.unpack(">II", drawn[16:24])
    assert width > 2 * 560
    assert height > 2 * 260


def test_nothing_is_fetched_for_a_picture() -> None:
    spec = budget_chart(curve())
    spec["layer"][0]["data"] = {"url": "http://127.0.0.1:9/secret.json"}
    with pytest.raises(ValueError, match="not allowed"):
        png(spec)


def test_a_budgets_notice_comes_with_its_period_so_far(database: Database) -> None:
    made = budget(database, timezone="Europe/Berlin")
    charge(database, "30", "2026-11-03T08:00")
    charge(database, "54.25", "2026-11-10")
    evaluate(database)
    forecast = Forecast(
        version=1,
        made_at=NOW,
        through=NOW,
        expected=Decimal(120),
        low=Decimal(110),
        high=Decimal(135),
        past_error=None,
        days=14,
        method="seasonal-1",
    )
    with database.write() as session:
        forecasts.put(session, TENANT, {(made.id, at("2026-10-31T23:00")): forecast})
    told = Notice("actual", "warning", "title", "summary", budget_id=made.id)
    with database.read() as session:
        found = curve_of(session, told, NOW)
    assert found
    assert found.subtitle == (
        "84.25 of 100.00 USD spent by 15 November, 13:00 (Europe/Berlin)"
        " · expected 120.00 (110.00 to 135.00)"
    )
    assert found.spent[0] == (START, 0)
    assert found.spent[3] == (START + timedelta(days=3), 30)
    assert found.spent[-1] == (NOW.replace(hour=13, tzinfo=None), Decimal("84.25"))
    assert found.expected == 120


def test_a_chart_that_cannot_be_drawn_does_not_stop_the_message(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = budget(database)
    context = JobContext(database, NOW)
    assert picture_of(context, Notice("digest", "info", "title", "summary")) is None
    assert picture_of(context, Notice("actual", "over", "title", "it", budget_id=99)) is None

    def broken(_spec: Spec) -> bytes:
        raise ValueError

    monkeypatch.setattr(budget_picture, "png", broken)
    assert picture_of(context, Notice("actual", "over", "title", "it", budget_id=made.id)) is None
