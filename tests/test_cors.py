"""Web pages of listed origins may send from a browser; nobody else's, and none unless asked."""

from collections.abc import Iterator

import pytest
from doors import JSON, Answer, Doors, call, open_doors, request

from collector.limits import Limits
from store.postgres.sessions import Database

pytestmark = pytest.mark.one_server

OURS = "https://app.example"


def asks(doors: Doors, origin: str, path: str = "/v1/traces") -> Answer:
    """A preflight, as a browser sends it before it sends OTLP."""
    return doors.post(
        b"",
        None,
        path=path,
        method="OPTIONS",
        origin=origin,
        access_control_request_method="POST",
        access_control_request_headers="content-type,x-api-key",
    )


def cors(answer: Answer) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if "access-control" in name}


@pytest.fixture
def doors(database: Database) -> Iterator[Doors]:
    with open_doors(database, Limits(origins=frozenset({OURS}))) as opened:
        yield opened


def test_without_the_setting_no_web_page_may_send(database: Database) -> None:
    with open_doors(database) as doors:
        answer = asks(doors, OURS)
        assert (answer.status, cors(answer)) == (405, {})
        sent = doors.post(request(call(1)), origin=OURS)
        assert (sent.status, cors(sent), "vary" in sent.headers) == (200, {}, False)


def test_a_listed_page_may_send_and_reads_every_answer(doors: Doors) -> None:
    answer = asks(doors, OURS)
    assert (answer.status, answer.body, answer.headers["vary"]) == (204, b"", "Origin")
    assert cors(answer) == {
        "access-control-allow-origin": OURS,
        "access-control-allow-methods": "POST",
        "access-control-allow-headers": "content-type, content-encoding, authorization, x-api-key",
        "access-control-max-age": "7200",
        "access-control-expose-headers": "retry-after",
    }
    for body, status in ((request(call(1)), 200), (b"\xff", 400)):
        sent = doors.post(body, origin=OURS)
        assert (sent.status, sent.headers["access-control-allow-origin"]) == (status, OURS)
        assert sent.headers["vary"] == "Origin"
    assert doors.stored() == 1


def test_a_page_that_is_not_listed_is_told_nothing(doors: Doors) -> None:
    for origin in ("https://other.example", "null", "", "*", f"{OURS}.evil.example", OURS[:4]):
        answer = asks(doors, origin)
        assert (answer.status, cors(answer), answer.headers["vary"]) == (405, {}, "Origin")
        assert answer.headers["content-type"] == JSON
        assert cors(doors.post(b"", origin=origin)) == {}


def test_cookies_are_never_asked_for_and_other_paths_never_opened(doors: Doors) -> None:
    assert "access-control-allow-credentials" not in asks(doors, OURS).headers
    assert asks(doors, OURS, "/v1development/profiles").status == 404
    plain = doors.post(b"", None, method="OPTIONS", origin=OURS)
    assert (plain.status, plain.headers["allow"]) == (405, "POST")
