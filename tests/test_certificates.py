"""How long the certificates are good that our doors show: told before they end, and by whom."""

import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from certificates import Authority
from doors import open_doors
from filled_ledger import asking
from serving import eventually
from test_tls import authority, got
from told_metrics import told

from app import tls
from app.addresses import parse_address
from app.certificates import of_authorities, of_file, shown_at
from app.examination.certificates import certificates
from app.examination.findings import State
from app.jobs_door import jobs_door
from app.settings import Settings
from jobs.run_counts import RunCounts
from store.metrics.metric_text import Validity
from store.postgres.sessions import Database

pytestmark = pytest.mark.one_server

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY = timedelta(days=1)
ENDS = "spanledger_certificate_expires_timestamp_seconds"

__all__ = ["authority"]


def test_a_certificate_is_known_by_the_one_that_is_shown(tmp_path: Path) -> None:
    own = Authority(tmp_path, "own", begins=NOW, days=90)
    older = Authority(tmp_path, "older", begins=NOW - DAY, days=10)
    cert, _ = own.sign("server")
    good = Validity(NOW, NOW + 90 * DAY)
    assert of_file(cert) == good
    cert.write_bytes(cert.read_bytes() + older.file.read_bytes())
    assert of_file(cert) == good, "what it is signed with may be over"
    older.file.write_bytes(older.file.read_bytes() + own.file.read_bytes())
    assert of_authorities(older.file) == good, "one authority that is good will do"
    cert.write_text("none")
    assert of_file(cert) is of_authorities(tmp_path / "nowhere") is None


def test_of_a_certificate_that_is_shown_and_cannot_be_read_nothing_is_known(tmp_path: Path) -> None:
    cert, key = Authority(tmp_path, "own", days=90).sign("server")
    der = ssl.PEM_cert_to_DER_cert(cert.read_text())
    version, at = b"\xa0\x03\x02\x01\x02", der.index(b"\x17\x0d")
    of_the_future = der.replace(version, version[:-1] + b"\x03", 1)
    in_another_zone = der[: at + 2] + b"2611231200+01" + der[at + 15 :]
    for odd in (of_the_future, in_another_zone):
        cert.write_text(ssl.DER_cert_to_PEM_cert(odd))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        with socket.create_server(("127.0.0.1", 0)) as listener:

            def show(listener: socket.socket, context: ssl.SSLContext) -> None:
                context.wrap_socket(listener.accept()[0], server_side=True).close()

            door = threading.Thread(target=show, args=[listener, context])
            door.start()
            shown = shown_at(parse_address(f"127.0.0.1:{listener.getsockname()[1]}"))
            door.join()
        assert of_file(cert) is of_authorities(cert) is shown is None


def test_doctor_says_how_long_a_certificate_is_good(tmp_path: Path) -> None:
    def judged(days_ago: float, lasts: float) -> tuple[State, str]:
        made = Authority(tmp_path, "own", begins=NOW - days_ago * DAY, days=lasts)
        cert, key = made.sign("server")
        nowhere = dict.fromkeys(("otlp_http_addr", "otlp_grpc_addr", "api_addr"), "127.0.0.1:1")
        [finding] = certificates(Settings(tls_cert=cert, tls_key=key, **nowhere), NOW)
        return finding.state, finding.said

    assert judged(1, 90) == (State.WELL, "SPANLEDGER_TLS_CERT is good until 2027-02-17 12:00 UTC")
    assert judged(80, 90) == (State.LOOK, "SPANLEDGER_TLS_CERT ends 2026-11-30 12:00 UTC")
    assert judged(90, 90) == (State.WRONG, "SPANLEDGER_TLS_CERT ended 2026-11-20 12:00 UTC")
    assert judged(-1, 90)[0] is State.WRONG
    assert judged(4, 6)[0] is State.WELL, "it is good for days alone, and renewed in time"
    assert judged(5, 6)[0] is State.LOOK
    assert list(certificates(Settings(), NOW)) == []


def test_a_door_tells_until_when_the_one_is_good_that_it_shows(
    database: Database, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls, "_LOOK", 0.02)
    stop = threading.Event()
    cert, key = authority.sign("server")
    settings = Settings(tls_cert=cert, tls_key=key)
    made = tls.doors_tls(settings, stop)
    before = of_file(cert)
    assert before
    next_one = Authority(tmp_path / "next", "next", days=30)
    with open_doors(database, tls=made) as doors:

        def ends(ca: Path) -> dict[tuple[str, ...], float]:
            return told(got(doors.http, ca, path="/metrics").text)[ENDS]

        both = {("http",): before.ends.timestamp(), ("grpc",): before.ends.timestamp()}
        assert ends(authority.file) == both
        for old, new in zip((cert, key), next_one.sign("server"), strict=True):
            old.write_bytes(new.read_bytes())
        after = of_file(cert)
        assert after
        http, grpc = (parse_address(each) for each in (doors.http, doors.grpc))
        eventually(lambda: shown_at(http) == after, "the new one is shown")
        assert shown_at(grpc) == before, "this door reads it when it is opened"
        told_now = both | {("http",): after.ends.timestamp()}
        eventually(lambda: ends(next_one.file) == told_now, "and told, a moment later")
        known = Settings(
            tls_cert=cert,
            tls_key=key,
            otlp_http_addr=http,
            otlp_grpc_addr=grpc,
            api_addr="127.0.0.1:1",
        )
        (file, door) = certificates(known, datetime.now(UTC))
        assert file.state is State.WELL
        assert (door.state, door.do) == (
            State.LOOK,
            "SIGUSR2 to collector or serve: docs/access.md#tls",
        )
        assert door.said.startswith("OTLP_GRPC_ADDR still shows one that ends ")
        (_, late) = certificates(known, before.ends)
        assert late.state is State.WRONG
    stop.set()


def test_the_api_and_the_jobs_tell_it_too(database: Database, authority: Authority) -> None:
    cert, key = authority.sign("server")
    good = of_file(cert)
    assert good
    client = asking(database, certificates=lambda: {"api": good})
    text = client.get("/metrics").text
    assert told(text)[ENDS] == {("api",): good.ends.timestamp()}
    stop = threading.Event()
    settings = Settings(jobs_addr="127.0.0.1:0", tls_cert=cert, tls_key=key, key_pepper="x" * 32)
    with jobs_door(settings, database, RunCounts(), stop) as address:
        assert address
        shown = told(got(address, authority.file, path="/metrics").text)
    assert shown[ENDS] == {("jobs",): good.ends.timestamp()}
    begins = shown["spanledger_certificate_begins_timestamp_seconds"]
    assert begins == {("jobs",): good.begins.timestamp()}
    stop.set()
