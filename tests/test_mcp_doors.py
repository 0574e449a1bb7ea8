"""``spanledger mcp`` where the API is not as it should be: a stand-in answers in its place."""

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import anyio
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from certificates import Authority
from click.testing import CliRunner
from mcp_types import CallToolResult
from model_clients import Model, http_server, over_http, over_stdio
from starlette.testclient import TestClient
from test_startup import loaded_by

from app.addresses import Address
from app.cli import cli
from app.mcp import asking
from app.mcp.offered import TOOLS
from app.mcp.server import mcp_server
from app.mcp.transports import MOST_BODY, application

ASKED: Final[dict[str, dict[str, Any]]] = {
    "explain_call": {"trace_id": "f" * 32, "span_id": "f" * 16},
    "why_it_changed": {"month": "2026-10"},
    "statement": {"month": "2026-10"},
    "reconciliation": {"month": "2026-10"},
    "budget_forecast": {"budget_id": 1},
    "pool_economics": {"pool_id": 1},
    "what_if": {"targets": [{"to": "openai/gpt-4o"}]},
}
"""What tools need at least."""
OF_CALLERS: Final = ("Authorization", "Cookie", "X-Forwarded-For")
WHAT_IF: Final = ("POST", "/v1/what-if")


class Heard(NamedTuple):
    """What the API was asked with."""

    method: str
    path: str
    key: str | None
    cookie: str | None
    came_from: str | None


@dataclass
class StandIn:
    """An API that answers what a test wants, and remembers what it was asked."""

    url: str = ""
    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    heard: list[Heard] = field(default_factory=list)
    hangs: bool = False
    drips: bool = False
    waiting: threading.Event = field(default_factory=threading.Event)
    left: threading.Event = field(default_factory=threading.Event)
    """Whoever asked while it hung has gone."""


@contextmanager
def standing_in(signed: tuple[Path, Path] | None = None) -> Iterator[StandIn]:
    """One that answers; with a certificate and its key, over TLS."""
    state = StandIn()

    class Door(BaseHTTPRequestHandler):
        def answer(self) -> None:
            told = [self.headers.get(name) for name in OF_CALLERS]
            state.heard.append(Heard(self.command, self.path.partition("?")[0], *told))
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if state.hangs:
                state.waiting.set()
                # Nothing more is sent on it: it only ever ends.
                self.connection.settimeout(30)
                if self.connection.recv(1) == b"":
                    state.left.set()
                return
            if state.drips:
                self.send_response(200)
                self.end_headers()
                with suppress(OSError):
                    while not state.left.wait(0.05):
                        self.wfile.write(b" ")
                return
            body = state.body if isinstance(state.body, bytes) else json.dumps(state.body).encode()
            self.send_response(state.status)
            for name, value in state.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815  # http.server's names

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    if signed:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*signed)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    state.url = f"{'https' if signed else 'http'}://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join(60)


@pytest.fixture(scope="module")
def portal() -> Iterator[BlockingPortal]:
    with start_blocking_portal() as portal:
        yield portal


@pytest.fixture(scope="module")
def door() -> Iterator[StandIn]:
    with standing_in() as state:
        yield state


@pytest.fixture
def api(door: StandIn) -> StandIn:
    """The stand-in, as new."""
    door.status, door.body, door.headers, door.hangs, door.drips = 200, None, {}, False, False
    door.left.clear()
    door.heard.clear()
    return door


@pytest.fixture(scope="module")
def model(
    door: StandIn, portal: BlockingPortal, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Model]:
    log = tmp_path_factory.mktemp("mcp") / "stderr"
    with over_stdio(portal, door.url, "sl_read_of_this_test", log) as model:
        yield model
    assert "Traceback" not in log.read_text()


@pytest.fixture(scope="module")
def server(door: StandIn, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with http_server(door.url, tmp_path_factory.mktemp("mcp") / "stderr") as url:
        yield url


def test_nothing_but_get_and_what_if_is_ever_sent(api: StandIn, model: Model) -> None:
    bodies = {"budgets": {"budgets": [{"id": n, "filter": {}} for n in range(3)]}}
    for tool in TOOLS:
        api.body = {"complete_until": None} | bodies.get(tool, {})
        model.call(tool, **ASKED.get(tool, {}))
    assert len(api.heard) >= len(TOOLS)
    assert {heard[:2] for heard in api.heard if heard.method != "GET"} == {WHAT_IF}
    assert {heard.key for heard in api.heard} == {"Bearer sl_read_of_this_test"}
    assert {heard.came_from for heard in api.heard} == {None}
    assert all(heard.path.startswith("/v1/") for heard in api.heard)


@pytest.mark.parametrize(
    ("status", "body", "headers", "told"),
    [
        (503, {"title": "The database is away"}, {"Retry-After": "3"}, "Ask again in 3 seconds."),
        (401, {"title": "A key is needed", "field": "Authorization"}, {}, "SPANLEDGER_READ_KEY"),
        (403, {"title": "Not yours to see", "detail": "x"}, {}, "The key decides"),
        (500, {"title": "spanledger failed", "detail": "See its log."}, {}, "See its log."),
        (
            422,
            {"title": "No", "errors": [{"field": "a", "detail": "is bad"}, {"field": "b"}]},
            {},
            "a: is bad\nb: ",
        ),
        (200, b"<html>", {}, "is not spanledger's API: SPANLEDGER_API_URL is wrong"),
        (200, b'{"rows":' * 900 + b"1" + b"}" * 900, {}, "is not spanledger's API"),
        (404, {"detail": "Not Found"}, {}, "is not spanledger's API"),
        (502, b"<html>", {}, "it is not there (HTTP 502). Ask again in a moment."),
        (429, b"<html>", {}, "too much is asked (HTTP 429). Ask again in a minute."),
        (414, b"<html>", {}, "too long to ask (HTTP 414). Give fewer or shorter values."),
        (302, b"", {"Location": "https://attacker.example"}, "is not spanledger's API"),
        (200, {"rows": []}, {}, "another version"),
        (422, {"title": "No", "detail": "\x1b[31mred\u202e"}, {}, "\ufffd[31mred\ufffd"),
    ],
)
def test_an_answer_that_is_none_is_told_with_what_to_do(
    status: int, body: Any, headers: dict[str, str], told: str, api: StandIn, model: Model
) -> None:
    api.status, api.body, api.headers = status, body, headers
    assert told in model.refused("performance")
    assert len(api.heard) == 1


def test_a_key_that_is_repeated_is_told_to_nobody(api: StandIn, model: Model) -> None:
    api.status, api.body = 400, {"title": "No", "detail": "You said Bearer sl_read_of_this_test"}
    assert "You said Bearer sl_..." in model.refused("spend")


def test_a_question_that_is_too_long_is_told_so_and_not_asked(api: StandIn, model: Model) -> None:
    for asked in ({"from": "x" * 70_000}, {"team": ["é" * 1000] * 50}):
        assert "too long to ask" in model.refused("spend", **asked)
    assert api.heard == []


def test_an_answer_that_drips_has_an_end(
    api: StandIn, portal: BlockingPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "PATIENCE", 0.5)
    api.drips = True

    async def ask() -> None:
        async with asking.client_of(api.url) as client:
            await asking.Api(client, None).get("spend")

    with pytest.raises(asking.Refused, match="did not answer within"):
        portal.call(ask)


def test_a_certificate_that_is_not_trusted_is_told_and_can_be(
    portal: BlockingPortal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority(tmp_path, "authority")
    with standing_in(authority.sign("api")) as api:
        api.status, api.body = 503, {"title": "Later"}
        with over_stdio(portal, api.url, None, tmp_path / "log") as model:
            told = model.refused("months")
            assert "a certificate that is not trusted here: " in told
            assert "SSL_CERT_FILE" in told
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
        with over_stdio(portal, api.url, None, tmp_path / "log") as model:
            assert "Later" in model.refused("months")


def test_an_amount_that_is_a_number_is_refused_not_rounded(api: StandIn, model: Model) -> None:
    api.body = {"currency": "USD", "period": None, "expected": 0.1, "low": None, "high": None}
    api.body |= {"through": None, "method": None, "points": [], "reason": None}
    api.body |= {"complete_until": None}
    assert "(expected)" in model.refused("budget_forecast", budget_id=1)


def test_who_stops_asking_is_not_asked_for_any_longer_and_the_next_one_is(
    api: StandIn, model: Model, portal: BlockingPortal
) -> None:
    stops_asking(api, model, portal)


def test_over_http_who_closes_the_answer_stops_asking(
    api: StandIn, server: str, portal: BlockingPortal
) -> None:
    with over_http(portal, server, "sl_read_one") as caller:
        stops_asking(api, caller, portal)


def stops_asking(api: StandIn, model: Model, portal: BlockingPortal) -> None:
    api.hangs = True
    api.waiting.clear()
    api.left.clear()
    assert portal.call(gives_up, model, api.waiting) is None
    assert api.left.wait(30), "the API is still asked"
    api.hangs, api.status, api.body = False, 503, {"title": "Later"}
    assert "Later" in model.refused("spend")


async def gives_up(model: Model, waiting: threading.Event) -> CallToolResult | None:
    """Asks, and cancels once the API is at it."""
    async with anyio.create_task_group() as tasks:

        async def cancel() -> None:
            await anyio.to_thread.run_sync(waiting.wait, 30)
            tasks.cancel_scope.cancel()

        tasks.start_soon(cancel)
        return await model.client.call_tool("spend", {})
    return None


def test_an_api_that_is_away_is_told_and_found_when_it_is_back(
    portal: BlockingPortal, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    log = tmp_path / "log"
    with over_stdio(portal, f"http://127.0.0.1:{port}", None, log) as model:
        told = model.refused("spend")
        assert f"spanledger's API is not there: http://127.0.0.1:{port}" in told
        assert "SPANLEDGER_API_URL" in told
    assert "Traceback" not in log.read_text()


def test_each_caller_over_http_is_asked_for_with_their_own_key(
    api: StandIn, server: str, portal: BlockingPortal
) -> None:
    api.status, api.body = 503, {"title": "Later"}
    api.headers = {"Set-Cookie": "who=somebody; Path=/"}
    for key in ("sl_read_one", "sl_read_two", None, "sl_read_one"):
        with over_http(portal, server, key) as caller:
            assert "Later" in caller.refused("spend")
    keys = ["Bearer sl_read_one", "Bearer sl_read_two", None, "Bearer sl_read_one"]
    assert [heard.key for heard in api.heard] == keys
    # Who shows no key is this process to the API: it answers no proxy without one.
    where = ["127.0.0.1", "127.0.0.1", None, "127.0.0.1"]
    assert [heard.came_from for heard in api.heard] == where
    assert {heard.cookie for heard in api.heard} == {None}


def test_beyond_this_machine_nobody_is_answered_without_a_key() -> None:
    asked = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
    accept = {"Accept": "application/json, text/event-stream"}
    app = application(
        mcp_server("http://127.0.0.1:9", lambda _: None),
        Address("192.0.2.7", 8322),
        ["mcp.example"],
    )
    with TestClient(app, "http://mcp.example") as stranger:
        answer = stranger.post("/mcp", json=asked, headers=accept)
        assert (answer.status_code, "Bearer" in answer.headers["WWW-Authenticate"]) == (401, True)
        wrong = {**accept, "Authorization": "Basic sl_read_x"}
        assert stranger.post("/mcp", json=asked, headers=wrong).status_code == 401
        known = {**accept, "Authorization": "Bearer sl_read_x"}
        assert stranger.post("/mcp", json=asked, headers=known).status_code == 200
        elsewhere = {**known, "Host": "other.example"}
        assert stranger.post("/mcp", json=asked, headers=elsewhere).status_code == 421
        long = {**asked, "params": {"x": "x" * MOST_BODY}}
        assert stranger.post("/mcp", json=long, headers=known).status_code == 413


def test_a_key_that_cannot_be_sent_on_is_refused_and_blanks_around_one_are_none_of_it(
    api: StandIn, server: str
) -> None:
    asked = {"name": "spend", "arguments": {}}
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": asked})
    sent = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
    api.status, api.body = 503, {"title": "Later"}
    for key, status in ((b"sl_read_\xc3\xa9", 401), (b"sl_read_\x80", 401), (b"sl_read_x \t", 200)):
        with closing(HTTPConnection(urlsplit(server).netloc, timeout=20)) as connection:
            connection.request("POST", "/mcp", body, {**sent, "Authorization": b"Bearer " + key})
            answer = connection.getresponse()
            assert (answer.status, b"Later" in answer.read()) == (status, status == 200), key
    assert [heard.key for heard in api.heard] == ["Bearer sl_read_x"]


@pytest.mark.parametrize(
    ("arguments", "told_by", "says"),
    [
        ([], {"READ_KEY": "sl_ingest_x"}, "this key sends, and reads nothing"),
        ([], {"READ_KEY": "secret-of-mine"}, "not a key of spanledger"),
        (["--api", "spend.example"], {}, "write http://host:port or https://host"),
        (["--api", "http://[::1"], {}, "write http://host:port or https://host"),
        (["--api", "http://spend.example:99999"], {}, "write http://host:port or https://host"),
        (["--api", "http://spend\nexample"], {}, "write http://host:port or https://host"),
        (["--api", "https://me:secret-of-mine@spend.example"], {}, "without user"),
        ([], {"SSL_CERT_FILE": "/nowhere"}, "SSL_CERT_FILE"),
        (["--http", "8322"], {}, "write host:port"),
        (["--name", "mcp.example"], {}, "goes with --http"),
    ],
)
def test_what_is_set_wrongly_is_told_at_once_and_no_secret_with_it(
    arguments: list[str],
    told_by: dict[str, str],
    says: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("API_URL", "READ_KEY"):
        monkeypatch.delenv(f"SPANLEDGER_{name}", raising=False)
    told_by = {_variable(name): value for name, value in told_by.items()}
    ended = CliRunner(env=told_by).invoke(cli, ["mcp", *arguments])
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert says in ended.stderr
    assert "secret-of-mine" not in ended.stderr
    assert "Traceback" not in ended.stderr


def _variable(name: str) -> str:
    return name if name.startswith("SSL_") else f"SPANLEDGER_{name}"


def test_it_loads_nothing_of_a_database_or_of_the_api() -> None:
    modules = loaded_by("import app.cli, app.commands.mcp")
    assert "mcp" in modules
    assert not modules & {"sqlalchemy", "psycopg", "pandas", "pyarrow", "fastapi", "numpy", "grpc"}
    assert not {name for name in modules if name.split(".")[0] in {"api", "store", "collector"}}
