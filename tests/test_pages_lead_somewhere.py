"""From the overview on, every link of every page leads to a page, and every CSV link to a table."""

import re
from collections import deque
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urldefrag, urljoin, urlsplit

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.settings import ApiSettings
from store.postgres.sessions import Database

pytestmark = pytest.mark.one_server

OF_A_KIND = 1
"""How many pages are asked that differ only in what stands at the variable places."""
MOST = 250


class Read(HTMLParser):
    """What a page holds that can be wrong without anybody seeing it."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: list[str] = []
        self.headings: list[int] = []
        self.labelled: set[str] = set()
        self.not_allowed: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told: dict[str, Any] = dict(attrs)
        if tag == "a" and told.get("href"):
            self.links.append(told["href"])
        if told.get("id"):
            self.ids.append(told["id"])
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        for name, value in attrs:
            if name == "style" or name.startswith("on"):
                self.not_allowed.append(f"{tag} {name}")
            if name in {"href", "src", "action"} and not safe(value or ""):
                self.not_allowed.append(f"{tag} {name}={value}")
        inline = tag == "script" and "src" not in told and told.get("type") != "application/json"
        if inline or tag == "style":
            self.not_allowed.append(tag)


def safe(address: str) -> bool:
    return urlsplit(address).scheme in {"", "http", "https", "data", "mailto"}


def kind(address: str) -> str:
    """An address without what is particular: ids, names, months."""
    parts = urlsplit(address)
    path = re.sub(r"(?<=/)[^/]*[0-9%][^/]*", "*", parts.path)
    names = sorted({pair.partition("=")[0] for pair in parts.query.split("&")} - {"timezone"})
    return f"{path}?{'&'.join(names)}"


def test_every_link_leads_somewhere(company: Database) -> None:
    app = create_app(company, ApiSettings(), lambda: datetime.now(UTC))
    asked: dict[str, int] = {}
    waiting, seen = deque([("/", "")]), {"/"}
    wrong = []
    with TestClient(app, raise_server_exceptions=False) as client:
        while waiting and sum(asked.values()) < MOST:
            address, found_on = waiting.popleft()
            answer = client.get(address, headers={"Accept": "text/html"})
            if answer.status_code != 200:
                wrong.append(f"{address} ({answer.status_code}), on {found_on}")
                continue
            if not answer.headers["content-type"].startswith("text/html"):
                continue
            page = Read()
            page.feed(answer.text)
            wrong += [f"{address}: {each}" for each in faults(page)]
            for link in page.links:
                place, _ = urldefrag(urljoin(address, link))
                if urlsplit(place).netloc or not place or place in seen:
                    continue
                seen.add(place)
                if asked.get(kind(place), 0) < OF_A_KIND:
                    asked[kind(place)] = asked.get(kind(place), 0) + 1
                    waiting.append((place, address))
    assert wrong == []
    assert len(asked) > 20, sorted(asked)


def faults(page: Read) -> list[str]:
    found = list(page.not_allowed)
    found += [f"id {each} twice" for each in {x for x in page.ids if page.ids.count(x) > 1}]
    if page.headings.count(1) != 1:
        found.append(f"{page.headings.count(1)} headings of the first level")
    return found
