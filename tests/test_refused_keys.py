"""The log says whose key is refused, and nothing that a key could be guessed from."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest
from doors import PEPPER, open_doors
from filled_ledger import asking
from structlog.testing import capture_logs

from collector.came_from import CameFrom
from store.access import refused_keys
from store.access.keys import create_key, revoke_key
from store.access.refused_keys import AGAIN, OURS, STRANGERS, BadKey, RefusalLog, Why, looked_at
from store.postgres.sessions import Database
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def made(database: Database, name: str, kind: str = "ingest", **other: Any) -> str:
    with database.write() as session:
        return create_key(
            session,
            tenant=TENANT,
            kind=kind,
            name=name,
            team=None,
            pepper=PEPPER,
            now=NOW - 2 * HOUR,
            **other,
        )


def revoked(database: Database, name: str) -> str:
    key = made(database, name)
    with database.write() as session:
        assert revoke_key(session, key[10:18], tenant=TENANT, now=NOW - HOUR)
    return key


def why(database: Database, text: str, pepper: bytes = PEPPER) -> BadKey:
    with database.read() as session:
        return looked_at(session, text, kinds=("ingest",), pepper=pepper, now=NOW)


@contextmanager
def refusals() -> Iterator[list[dict[str, Any]]]:
    """The lines about refused keys."""
    found: list[dict[str, Any]] = []
    with capture_logs() as logged:
        yield found
    found += [dict(line) for line in logged if line["event"] == "a key was refused"]


def test_it_is_known_what_is_wrong_with_a_key(database: Database) -> None:
    good, gone = made(database, "checkout"), revoked(database, "search")
    over = made(database, "batch", expires_at=NOW)
    board = made(database, "board", "read")
    key_id = good[10:18]
    assert why(database, gone) == BadKey(Why.REVOKED, gone[10:18], "search", NOW - HOUR)
    assert why(database, over) == BadKey(Why.EXPIRED, over[10:18], "batch", NOW)
    assert why(database, board) == BadKey(Why.KIND, board[8:16], "board")
    for cut in (good[:-1], good[:18], good[:-1] + ("a" if good[-1] != "a" else "b")):
        assert why(database, cut) == BadKey(Why.SECRET, key_id, "checkout")
    assert why(database, good, b"another") == BadKey(Why.SECRET, key_id, "checkout")
    assert why(database, f"sl_ingest_{'a' * 60}") == BadKey(Why.UNKNOWN, "a" * 8)
    for foreign in ("sk-proj-abcdefgh", "", "sl_ingest_abc", "YOUR_KEY", "sl_ingest_A234567B"):
        assert why(database, foreign) == BadKey(Why.FOREIGN)


def test_a_sender_that_is_refused_is_in_the_log_by_either_door_and_its_secret_is_not(
    database: Database,
) -> None:
    made(database, "checkout")
    gone = revoked(database, "search")
    said = {"authorization": f"Bearer {gone}", "user-agent": "OTel-OTLP-Exporter/1.2"}
    with refusals() as lines, open_doors(database) as doors:
        for _ in range(3):
            assert doors.post(b"", **said, x_forwarded_for="x, 192.0.2.7").status == 401
        assert doors.post(b"", x_api_key="sk-not-ours-at-all").status == 401
        with grpc.insecure_channel(doors.grpc) as channel:
            call = channel.unary_unary(
                "/opentelemetry.proto.collector.trace.v1.TraceService/Export", lambda _: b""
            )
            with pytest.raises(grpc.RpcError):
                call(None, metadata=[("authorization", f"Bearer {gone[:-4]}")], timeout=10)
            with pytest.raises(grpc.RpcError):
                call(None, timeout=10)
        good = made(database, "prometheus")
        shown = doors.post(
            b"", None, path="/metrics", method="GET", authorization=f"Bearer {good}"
        ).body.decode()
    about = {"event": "a key was refused", "log_level": "warning", "peer": "127.0.0.1"}
    first, foreign, cut, none = lines
    assert first == about | {
        "why": "revoked",
        "key_id": gone[10:18],
        "key_name": "search",
        "since": "2026-11-22T11:00Z",
        "forwarded_for": "192.0.2.7",
        "user_agent": "OTel-OTLP-Exporter/1.2",
    }
    assert foreign == about | {"why": "foreign"}
    assert (cut["why"], cut["key_name"]) == ("secret", "search")
    assert cut["user_agent"].startswith("grpc-python/")
    assert none["why"] == "none"
    assert gone[18:26] not in str(lines), "of the secret not even the beginning"
    assert "sk-not" not in str(lines)
    for name, count in (("revoked", 3), ("foreign", 1), ("secret", 1), ("none", 1), ("kind", 0)):
        assert f'spanledger_denied_requests_total{{why="{name}"}} {count}' in shown


def test_whoever_reads_with_a_key_that_is_none_is_in_the_log_of_the_api(
    database: Database,
) -> None:
    made(database, "admin", "admin")
    sends, gone = made(database, "sender"), revoked(database, "search")
    client = asking(database, key_pepper=PEPPER)
    with refusals() as lines:
        for key, status in ((gone, 401), (gone, 401), (sends, 403), ("x" * 40, 401)):
            said = {"Authorization": f"Bearer {key}", "User-Agent": "curl/8.0\n"[:8]}
            assert client.get("/v1/spend", headers=said).status_code == status
    told = [(line["why"], line.get("key_name"), line["user_agent"]) for line in lines]
    assert told == [
        ("revoked", "search", "curl/8.0"),
        ("kind", "sender", "curl/8.0"),
        ("foreign", None, "curl/8.0"),
    ]
    assert all(line["peer"] == "testclient" for line in lines)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_strangers_neither_fill_the_log_nor_hide_a_key_that_was_made_here() -> None:
    clock = Clock()
    log = RefusalLog(clock)
    ours = BadKey(Why.EXPIRED, "k3f9a2bq", "search", NOW)
    with refusals() as lines:
        for number in range(1000):
            log.note(BadKey(Why.UNKNOWN, f"{number:08}"), f"192.0.2.{number % 250}")
        for number in range(OURS + 5):
            for _ in range(4):
                log.note(ours, f"10.0.0.{number}")
        clock.now = 60
        log.note(ours, "10.0.0.1")
        log.note(ours, f"10.0.0.{OURS + 4}")
        clock.now = AGAIN
        log.note(ours, "10.0.0.1")
    assert [line["why"] for line in lines] == ["unknown"] * STRANGERS + ["expired"] * (OURS + 2)
    assert [line["peer"] for line in lines[-2:]] == [f"10.0.0.{OURS + 4}", "10.0.0.1"]
    assert sum(line.get("others_untold", 0) for line in lines) == 992 + 20


def test_what_is_remembered_of_who_was_told_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refused_keys, "_MOST_TOLD", 3)
    clock = Clock()
    log = RefusalLog(clock)
    for number in range(20):
        clock.now = number * 60
        log.note(BadKey(Why.NONE), f"192.0.2.{number}")
    assert len(log._told) <= 3


def test_only_addresses_are_believed_to_be_where_a_request_was_passed_on_from() -> None:
    said = "evil\n, 10.0.0.1, 2001:db8::1, <b>, 192.0.2.1:80, " * 40
    came = CameFrom.of({"x-forwarded-for": said}, "127.0.0.1", local=True)
    assert came.forwarded_for == "10.0.0.1, 2001:db8::1"
    assert not came.local
