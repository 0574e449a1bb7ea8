"""What holds on every page: no name runs, nobody sees or changes what is not theirs.

The pages are those that the application has: one that is added is tried here without being named.
"""

import html
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode

import odd_ledger
import pytest
from conftest import fresh_database
from fastapi.testclient import TestClient
from filled_ledger import asking
from httpx2 import Response
from odd_ledger import ODD, PEPPER
from test_pages_preferences import token

from api.app import PAGES
from api.pages import shell
from api.pages.shell import CSP
from app.local_postgres import LocalPostgres
from store.postgres.sessions import Database, open_database

pytestmark = pytest.mark.one_server

OURS: Final = {"Sec-Fetch-Site": "same-origin", "Origin": "http://testserver"}
SIGNING_IN: Final = {"/sign-in", "/sign-in/provider", "/sign-in/callback", "/sign-out"}
OPEN: Final = {*SIGNING_IN, "/docs", "/channels", "/assets/{name}"}
"""They tell nothing of the ledger."""
ASKING: Final = {"/settings/preferences", "/settings/ownership/preview", "/budgets/preview"}
"""Their forms change nothing but the browser's cookies, or only ask: a read key will do."""
ONES_OWN: Final = {"/sign-in", "/sign-out", "/sign-out/everywhere", "/act-as"}
FOR_ALL: Final = {*ASKING, *ONES_OWN, "/settings/ownership/edit"}
ASKED_WITH: Final = {
    "/models/one": {"provider": ODD[2], "model": ODD[2]},
    "/prices/unpriced/price": {"provider": ODD[1], "model": ODD[1]},
}
"""Pages that are of something which stands in the query."""
TEMPLATES: Final = Path(shell.__file__).parent / "templates"
SIGNS: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")


class Ledger:
    """The odd ledger, its keys, and what stands in the paths of its pages."""

    def __init__(self, database: Database) -> None:
        self.keys = odd_ledger.fill(database)
        self.database = database
        self.parts: dict[str, Any] = {
            "team": ODD[0],
            "month": "2026-10",
            "name": "2026-10",
            "key_id": self.keys["ingest"][len("sl_ingest_") :][:8],
            "trace_id": f"{1:032x}",
            "span_id": f"{1:016x}",
        }

    def client(self, key: str | None = "admin") -> TestClient:
        """Somebody who reads pages, with a key or without."""
        client = asking(self.database, key_pepper=PEPPER)
        client.headers["Accept"] = "text/html"
        if key:
            client.headers["Authorization"] = f"Bearer {self.keys[key]}"
        return client

    def places(self, method: str) -> Iterator[tuple[str, str]]:
        """Route and address of each page."""
        for module in PAGES:
            for route in module.router.routes:
                if method in route.methods:
                    yield route.path, self._address(route.path)

    def _address(self, path: str) -> str:
        def part(found: re.Match[str]) -> str:
            return quote(str(self.parts.get(found[1], 1)), safe="")

        asked = ASKED_WITH.get(path)
        return re.sub(r"{(\w+)(:\w+)?}", part, path) + (f"?{urlencode(asked)}" if asked else "")


@pytest.fixture(scope="module")
def ledger(postgres: LocalPostgres) -> Iterator[Ledger]:
    with fresh_database(postgres) as url:
        database = open_database(url, application="tests")
        yield Ledger(database)
        database.engine.dispose()


class Seen(HTMLParser):
    """What a page has that could run, and where names with signs of direction stand."""

    VOID: Final = {"meta", "link", "input", "br", "hr", "img"}
    ISOLATED: Final = {"bdi", "title", "option", "textarea", "text", "script"}

    def __init__(self, text: str) -> None:
        super().__init__()
        self.wrong: list[str] = []
        self.specs: list[str] = []
        self.headings = 0
        self._open: list[tuple[str, dict[str, str | None]]] = []
        self._loose: dict[int, str] = {}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        self.headings += tag == "h1"
        told = f"<{tag} {said}>"[:200]
        for name, value in attrs:
            if name.startswith("on") or name in {"style", "srcdoc"} or "nonce" in name:
                self.wrong.append(told)
            leads = name in {"href", "src", "action", "formaction", "xlink:href"}
            if leads and not re.match(r"[/?#](?!/)|$|data:,$|https://", value or ""):
                self.wrong.append(told)
        json_of_ours = said.get("type") == "application/json"
        if tag == "script" and not ("src" in said or json_of_ours):
            self.wrong.append(told)
        if tag in {"style", "img", "iframe", "object", "embed", "base"}:
            self.wrong.append(told)
        if tag not in self.VOID:
            self._open.append((tag, said))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass
        # An element is a line of its own, or isolated in its line (styles/10-frame.css).
        self._loose = {at: name for at, name in self._loose.items() if at <= len(self._open)}

    def handle_data(self, data: str) -> None:
        if not data.strip():
            return
        depth = len(self._open)
        if self._open and self._open[-1][0] == "script":
            self.specs.append(data)
            return
        # What was left open in a line would turn around what comes after it there.
        for name in self._loose.values():
            self.wrong.append(f"{name!r} stands before {data.strip()[:40]!r}")
        self._loose.clear()
        if SIGNS.search(data) and not {tag for tag, _ in self._open} & self.ISOLATED:
            self._loose[depth] = data.strip()[:40]


def checked(answer: Response, place: str) -> None:
    """That an answer is a page as strict as every page."""
    headers = answer.headers
    assert headers["content-security-policy"] == CSP, place
    assert "unsafe" not in CSP
    assert headers["x-content-type-options"] == "nosniff", place
    assert headers["referrer-policy"] == "same-origin", place
    assert re.match("private, no-cache|no-store", headers["cache-control"]), place
    assert {"Cookie", "Authorization"} <= {each.strip() for each in headers["vary"].split(",")}
    seen = Seen(answer.text)
    assert seen.wrong == [], place
    assert seen.headings == 1, f"{place} has {seen.headings} headings of the first rank"
    for spec in seen.specs:
        assert "<" not in spec, place
        json.loads(spec)


def sheets(client: TestClient, answer: Response) -> list[Response]:
    """The first table of a page as CSV, if it has one."""
    names = re.findall(r'href="[^"]*[?&;]csv=([\w-]+)', answer.text)
    return [client.get(f"{answer.url.copy_set_param('csv', name)}") for name in names[:1]]


def test_no_page_runs_what_a_name_says(ledger: Ledger) -> None:
    client, told = ledger.client(), ""
    for path, place in ledger.places("GET"):
        if path == "/assets/{name}":
            continue
        answer = client.get(place)
        assert answer.status_code in {200, 404}, (place, answer.text[-2000:])
        checked(answer, place)
        told += answer.text
    for name in ("&lt;script&gt;alert(1)&lt;/script&gt;", "{{7*7}}", "שלום", "longxxxx"):
        assert name in told, "the pages tell of these names"


def test_pages_are_there_when_a_month_has_just_begun_and_jobs_are_behind(ledger: Ledger) -> None:
    client = asking(ledger.database, key_pepper=PEPPER, now="2026-11-01T00:05")
    client.headers["Authorization"] = f"Bearer {ledger.keys['admin']}"
    for place in ("/", "/teams", "/budgets", "/budgets/1", "/capacity", "/what-if", "/months"):
        assert client.get(place).status_code == 200, place


def test_without_a_key_every_page_asks_to_sign_in(ledger: Ledger) -> None:
    client = ledger.client(key=None)
    for path, place in ledger.places("GET"):
        if path not in OPEN:
            answer = client.get(place)
            assert answer.url.path == "/sign-in", place
            assert answer.url.params["back"].startswith("/"), place
    for place in ("/sign-in", "/sign-out"):
        checked(client.get(place), place)
    checked(client.get("/budgets", params={"team": ODD[0]}), "where a name goes back to")


def test_a_key_of_one_team_sees_nothing_of_others(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What is drawn stands in the specification, too.
    monkeypatch.setattr("api.pages.charts._drawn", lambda _spec: "<svg></svg>")
    client = ledger.client("read team")
    others = [name[:40] for name in ODD[1:]]
    shown = 0
    for path, place in ledger.places("GET"):
        if path in OPEN:
            continue
        answer = client.get(place)
        assert answer.status_code in {200, 403, 404}, place
        shown += answer.status_code == 200
        texts = [html.unescape(answer.text)]
        for sheet in sheets(client, answer):
            assert sheet.headers["content-type"].startswith("text/csv"), place
            assert sheet.headers["x-content-type-options"] == "nosniff", place
            texts.append(sheet.text)
        assert [name for name in others for text in texts if name in text] == [], place
        assert 'method="post"' not in answer.text or path in FOR_ALL, place
    assert shown > len(OPEN)


def test_every_form_is_refused_but_from_a_page_of_ours(ledger: Ledger) -> None:
    admin, read = ledger.client(), ledger.client("read")
    elsewhere = ledger.client()
    good, others = token(admin, "/sign-in"), token(elsewhere, "/sign-in")
    of_reader = token(read, "/sign-in")
    refused: list[tuple[dict[str, str], dict[str, str]]] = [
        ({"name": "x"}, OURS),
        ({"form_token": others}, OURS),
        ({"form_token": good[:-1]}, OURS),
        ({"form_token": good}, {}),
        ({"form_token": good}, {"Origin": "https://evil.example"}),
        ({"form_token": good}, {"Origin": "null"}),
        ({"form_token": good}, OURS | {"Sec-Fetch-Site": "cross-site"}),
        ({"form_token": good}, OURS | {"Sec-Fetch-Site": "same-site"}),
    ]
    for number, (path, place) in enumerate(ledger.places("POST")):
        # All of them take their fields in one way: that each does is seen by two of these.
        for fields, headers in refused if number == 0 else (refused[1], refused[3]):
            assert admin.post(place, data=fields, headers=headers).status_code == 403, place
        json_sent = admin.post(place, json={"form_token": good}, headers=OURS)
        assert json_sent.status_code == 415, place
        if path not in FOR_ALL:
            answer = read.post(place, data={"form_token": of_reader}, headers=OURS)
            assert answer.status_code == 403, place
        taken = admin.post(
            place, data={"form_token": good}, headers=OURS, follow_redirects=False
        ).status_code
        assert taken in {200, 303, 400, 404, 409, 422} or path == "/sign-in", (place, taken)


def test_every_form_is_sent_in_the_zone_that_its_page_was_asked_in() -> None:
    for template in TEMPLATES.glob("*.html"):
        for form in re.findall("<form[^>]*>|formaction=[^ >]*", template.read_text()):
            asks = 'method="get"' in form
            action = re.search('action="(/|{{ (?!to\\(|here\\(|action))', form)
            # Of a question the fields are the address: parts.zone() is one of them.
            assert asks or "sign" in template.stem or not action, (template.name, form)
        for form in re.findall('<form[^>]*method="get".*?</form>', template.read_text(), re.DOTALL):
            keeps = ("parts.zone()", "ranges.same_time(", "its.currency_choice()")
            assert any(each in form for each in keeps), (template.name, form[:100])


def test_a_page_goes_back_to_pages_of_ours_only(ledger: Ledger) -> None:
    client = ledger.client(key=None)
    for back in (
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "///evil.example",
        "javascript:alert(1)",
        " //evil.example",
        "budgets",
        "",
    ):
        sent = {"form_token": token(client, "/sign-in"), "key": ledger.keys["read"], "back": back}
        answer = client.post("/sign-in", data=sent, headers=OURS, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, "/"), back
        client.cookies.clear()


def test_a_browser_keeps_a_key_where_no_script_reads_it(ledger: Ledger) -> None:
    client = ledger.client(key=None)
    first = client.get("/sign-in")
    assert re.fullmatch(
        r"spanledger_form=[\w-]{32}; HttpOnly; Path=/; SameSite=strict", first.headers["set-cookie"]
    )
    one, two = token(client, "/sign-in"), token(client, "/sign-in")
    assert one != two, "so that the size of a packed page tells nothing of it"
    wrong = {"form_token": one, "key": "sl_read_x", "back": "/teams"}
    refused = client.post("/sign-in", data=wrong, headers=OURS)
    assert (refused.status_code, "no such key" in refused.text) == (401, True)
    assert 'value="/teams"' in refused.text
    assert "sl_read_x" not in refused.text
    sent = {"form_token": two, "key": ledger.keys["read"], "back": "/teams"}
    https = asking(ledger.database, key_pepper=PEPPER, base_url="https://testserver")
    for asks, secure in ((client, False), (https, True)):
        sent["form_token"] = token(asks, "/sign-in")
        ours = {"Sec-Fetch-Site": "same-origin"}
        answer = asks.post("/sign-in", data=sent, headers=ours, follow_redirects=False)
        cookie = answer.headers["set-cookie"]
        assert ledger.keys["read"] not in cookie
        assert cookie.startswith(f"{'__Host-' if secure else ''}spanledger_session=")
        for flag in ("HttpOnly", "SameSite=lax", "Path=/"):
            assert flag in cookie
        assert ("Secure" in cookie) is secure
        assert "Domain" not in cookie


def test_the_cookie_opens_v1_for_pages_of_ours_and_changes_nothing_for_others(
    ledger: Ledger,
) -> None:
    client = ledger.client(key=None)
    key = ledger.keys["admin"]
    sent = {"form_token": token(client, "/sign-in"), "key": key, "back": "/teams"}
    client.post("/sign-in", data=sent, headers=OURS, follow_redirects=False)
    asked = client.get("/v1/spend")
    assert asked.status_code == 200
    program = asking(ledger.database, key_pepper=PEPPER)
    told = program.get("/v1/spend", headers={"Authorization": f"Bearer {key}"})
    for name in ("etag", "vary", "cache-control", "content-type"):
        assert told.headers[name] == asked.headers[name]
    assert told.headers["vary"] == "Accept, Authorization, Cookie, Accept-Encoding"
    assert "content-security-policy" not in told.headers
    known = {"If-None-Match": told.headers["etag"]}
    assert client.get("/v1/spend", headers=known).status_code == 304
    assert client.get("/v1/spend", headers={"Authorization": "Bearer x"}).status_code == 401
    budget = {"name": "b", "filter": {}, "amount": "1", "period": "month", "thresholds": [50]}
    for headers in ({}, {"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "same-site"}):
        assert client.post("/v1/budgets", json=budget, headers=headers).status_code == 401
    assert client.post("/v1/budgets", json=budget, headers=OURS).status_code == 201


def test_what_nobody_would_ask_is_answered_with_a_page_that_says_so(ledger: Ledger) -> None:
    client = ledger.client()
    sent = {"form_token": token(client, "/sign-in")}
    for status, place, fields in (
        (404, f"/budgets/{'9' * 5000}", None),
        (404, f"/alerts/deliveries/{'9' * 5000}/resend", sent),
        (404, "/budgets/preview", sent | {"budget": "²"}),
        (422, "/alerts/silences", sent | {"kind": "mute", "subject": "rule:²"}),
        (413, "/settings/keys", sent | {"name": "x" * 4_200_000}),
    ):
        answer = (
            client.get(place) if fields is None else client.post(place, data=fields, headers=OURS)
        )
        assert answer.status_code == status, place[:100]
        checked(answer, place[:100])
