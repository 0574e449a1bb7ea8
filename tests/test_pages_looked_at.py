"""Every page in headless Chromium, over a company's ledger: readable, whole, and quiet.

``make screenshots`` keeps the pictures. Without Chromium these tests are skipped, and say so.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from fastapi.testclient import TestClient
from looking import CHROMIUM, WITHOUT, Watched, chromium, looking, served
from playwright.sync_api import Browser
from shown_pages import PAGES, addresses

from api.app import create_app
from api.settings import ApiSettings
from store.postgres.sessions import Database

pytestmark = [
    pytest.mark.one_server,
    pytest.mark.skipif(CHROMIUM is None, reason=WITHOUT),
]

SERIOUS = {"serious", "critical"}
DRAWN_AGAIN = {"overview", "explore", "performance", "pool", "budget", "bill"}
"""Where Vega draws too, one of each kind of chart; elsewhere what the server drew is looked at,
which spares half a second a page. For pictures it draws everywhere."""


@pytest.fixture(scope="module")
def pictures(request: pytest.FixtureRequest) -> Path | None:
    """Where pictures are kept; None: nowhere."""
    folder = request.config.getoption("--screenshots")
    if folder is None:
        return None
    Path(folder).mkdir(parents=True, exist_ok=True)
    return Path(folder)


@pytest.fixture(scope="module")
def site(company: Database) -> Iterator[str]:
    app = create_app(company, ApiSettings(), lambda: datetime.now(UTC))
    with served(app) as address:
        yield address


@pytest.fixture(scope="module")
def places(company: Database) -> dict[str, str]:
    app = create_app(company, ApiSettings(), lambda: datetime.now(UTC))
    with TestClient(app) as api:
        return addresses(api)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.mark.parametrize("name", PAGES)
def test_a_page_can_be_read_and_worked_by_everybody(
    name: str, site: str, places: dict[str, str], browser: Browser, pictures: Path | None
) -> None:
    with looking(browser, site) as visitor:
        redrawn = pictures is not None or name in DRAWN_AGAIN
        if not redrawn:
            visitor.page.route(
                "**/assets/vega-*",
                lambda route: route.fulfill(body="", content_type="text/javascript"),
            )
        answer = visitor.page.goto(places[name], wait_until="load")
        assert answer is not None
        assert answer.status == (404 if name == "no such page" else 200)
        if redrawn:
            visitor.drawn()
        assert accessible(visitor) == []
        kept(visitor, pictures, f"{name} 1280 light")
        in_the_dark_and_in_all_widths(visitor, pictures, name)
        assert visitor.wrong == [] or answer.status != 200
        assert [url for url in visitor.asked if not url.startswith((site, "data:"))] == []


def in_the_dark_and_in_all_widths(visitor: Watched, pictures: Path | None, name: str) -> None:
    page = visitor.page
    page.emulate_media(color_scheme="dark")
    assert accessible(visitor, only=("color-contrast",)) == []
    kept(visitor, pictures, f"{name} 1280 dark")
    page.emulate_media(color_scheme="light")
    for width in (360, 2560):
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_function("() => new Promise(done => requestAnimationFrame(() => done(true)))")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, width
        if pictures:
            page.reload(wait_until="load")
            visitor.drawn()
            kept(visitor, pictures, f"{name} {width} light")


def accessible(visitor: Watched, only: tuple[str, ...] = ()) -> list[str]:
    """What axe finds serious, each with where."""
    # What is well is not gathered: of a long page it is megabytes.
    options: dict[str, Any] = {"resultTypes": ["violations"]}
    if only:
        options["runOnly"] = {"type": "rule", "values": list(only)}
    found = Axe().run(visitor.page, options=options).response["violations"]
    return [
        f"{each['id']}: {node['html'][:200]}"
        for each in found
        if each["impact"] in SERIOUS
        for node in each["nodes"][:3]
    ]


def kept(visitor: Watched, pictures: Path | None, name: str) -> None:
    if pictures is not None:
        visitor.page.screenshot(path=pictures / f"{name}.png", full_page=True)
