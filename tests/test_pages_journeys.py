"""What people come for, by click and by keyboard, in headless Chromium."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from fastapi import FastAPI
from filled_ledger import described
from looking import CHROMIUM, WITHOUT, chromium, looking, served
from playwright.sync_api import Browser, Page, expect

from api.app import create_app
from api.settings import ApiSettings
from store.access.keys import create_key
from store.postgres.sessions import Database
from store.tenants import TENANT

pytestmark = [
    pytest.mark.one_server,
    pytest.mark.skipif(CHROMIUM is None, reason=WITHOUT),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def site(company: Database) -> Iterator[str]:
    with served(app_on(company)) as address:
        yield address


@pytest.fixture
def page(browser: Browser, site: str) -> Iterator[Page]:
    with looking(browser, site) as visitor:
        yield visitor.page
        # A form that is refused is answered 422, which Chromium tells of as an error.
        assert [each for each in visitor.wrong if "422" not in each] == []


def app_on(database: Database) -> FastAPI:
    app = create_app(database, ApiSettings(key_pepper=b"p"), lambda: datetime.now(UTC))
    described(app)
    return app


def heading(page: Page) -> str:
    return page.locator("h1").inner_text()


def test_a_figure_is_followed_down_to_how_one_call_came_about(page: Page) -> None:
    # Not of this month: it may just have begun.
    page.goto("/explore?range=30-days&group_by=team")
    page.get_by_role("main").get_by_role("link", name="support", exact=True).first.click()
    expect(page.locator("main").get_by_role("link", name="support").first).to_be_visible()
    page.get_by_role("link", name="Calls behind this").first.click()
    page.wait_for_url("**/calls?**")
    page.locator("main table tbody a[href^='/calls/']").first.click()
    page.wait_for_url("**/calls/*/*")
    expect(page.get_by_text("How the cost came about").first).to_be_visible()


def test_a_trace_shows_what_was_seen_twice_and_can_hide_it(page: Page) -> None:
    page.goto("/traces?order=dearest&last=7d")
    page.locator("main table tbody a[href^='/traces/']").first.click()
    page.wait_for_url("**/traces/*")
    assert page.locator("main svg").count() > 0
    if page.get_by_role("link", name="Hide them").count():
        page.get_by_role("link", name="Hide them").click()
        page.wait_for_url("**again=hide*")


def test_a_budget_is_tried_on_the_past_and_set_by_keyboard_alone(page: Page) -> None:
    page.goto("/budgets/new?team=search")
    page.get_by_label("Name").focus()
    page.keyboard.type("search, by keyboard")
    page.get_by_label("Amount").focus()
    page.keyboard.type("no number")
    page.keyboard.press("Enter")
    problem = page.locator("[aria-invalid]")
    expect(problem).to_be_focused()
    assert problem.input_value() == "no number"
    page.keyboard.press("Control+A")
    page.keyboard.type("90")
    page.get_by_role("button", name="Try it on the past").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("in 6 months").first).to_be_visible()
    page.get_by_role("button", name="Set").first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Created")
    assert heading(page).startswith("search, by keyboard")


def test_an_alert_is_acknowledged_by_keyboard(page: Page) -> None:
    page.goto("/alerts")
    page.locator("main table tbody a[href^='/alerts/']").first.focus()
    page.keyboard.press("Enter")
    page.get_by_label("Note").first.focus()
    page.keyboard.type("we know")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Acknowledged")
    expect(page.get_by_text("we know").first).to_be_visible()


def test_a_dead_letter_is_sent_again(page: Page) -> None:
    page.goto("/alerts/deliveries")
    page.get_by_role("button", name="Resend").first.click()
    expect(page.get_by_role("status")).to_contain_text("Queued again")


def test_zone_language_and_look_are_the_reader_s_and_the_address_tells_the_zone(
    page: Page,
) -> None:
    page.goto("/settings/preferences?back=/teams")
    page.get_by_label("Zone").select_option("Asia/Tokyo")
    page.get_by_label("Numbers").select_option("de-DE")
    page.get_by_label("Dark").check()
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/teams?timezone=Asia%2FTokyo**")
    assert page.locator("html").get_attribute("data-theme") == "dark"
    assert "\N{NO-BREAK SPACE}$" in page.locator("main").inner_text()
    expect(page.get_by_text("Asia/Tokyo").first).to_be_visible()


def test_a_model_without_a_price_is_priced_as_another_before_it_is_saved(page: Page) -> None:
    page.goto("/prices/unpriced")
    page.get_by_role("link", name="Enter a price").first.click()
    page.locator("input[name=price_input]").fill("-1")
    page.get_by_role("button", name="See what it comes to").click()
    expect(page.locator("[aria-invalid]").first).to_be_visible()
    page.locator("input[name=price_input]").fill("2")
    page.get_by_role("button", name="See what it comes to").click()
    expect(page.get_by_text("Nothing is saved yet").first).to_be_visible()


def test_an_hour_of_a_pool_adds_up_exactly(page: Page) -> None:
    today = datetime.now(UTC).date()
    page.goto(f"/capacity?from={today - timedelta(days=7)}&to={today}")
    page.locator("main table tbody a[href^='/capacity/']").first.click()
    page.get_by_role("link", name="Hours").first.click()
    page.locator("main table tbody a").first.click()
    expect(page.get_by_text("exact, to the last digit").first).to_be_visible()


def test_without_scripts_a_question_is_asked_and_its_chart_is_there(
    browser: Browser, site: str
) -> None:
    with looking(browser, site, scripts=False) as visitor:
        page = visitor.page
        page.goto("/explore?range=30-days")
        page.locator("select[name=group_by]").first.select_option("team")
        page.get_by_role("button", name="Show").first.click()
        page.wait_for_url("**group_by=team**")
        expect(page.locator("figure.chart svg.marks").first).to_be_visible()
        assert page.locator("main table tbody tr").count() > 3


def test_on_a_phone_the_menu_opens_by_keyboard(browser: Browser, site: str) -> None:
    with looking(browser, site, width=360) as visitor:
        page = visitor.page
        page.goto("/budgets")
        expect(page.get_by_role("link", name="Traces")).to_be_hidden()
        page.locator("summary", has_text="Menu").focus()
        page.keyboard.press("Enter")
        page.get_by_role("link", name="Traces").focus()
        page.keyboard.press("Enter")
        page.wait_for_url("**/traces")


def test_with_keys_a_visitor_signs_in_sees_their_team_and_signs_out(
    browser: Browser, database: Database
) -> None:
    with database.write() as session:
        key = create_key(
            session,
            tenant=TENANT,
            kind="read",
            name="reader",
            team="search",
            pepper=b"p",
            now=datetime.now(UTC),
        )
    with served(app_on(database)) as address, looking(browser, address) as visitor:
        page = visitor.page
        page.goto("/budgets?state=over")
        page.wait_for_url("**/sign-in?back=**")
        page.keyboard.type("sl_read_none")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("no such key")
        page.get_by_label("Key").fill(key)
        page.keyboard.press("Enter")
        page.wait_for_url("**/budgets?state=over")
        assert page.get_by_role("link", name="Prices").count() == 0
        assert page.goto("/prices").status == 403  # type: ignore[union-attr] # a page is answered
        page.goto("/sign-out")
        page.get_by_role("button", name="Sign out", exact=True).click()
        page.wait_for_url("**/sign-in")
        page.goto("/budgets")
        page.wait_for_url("**/sign-in?back=**")
