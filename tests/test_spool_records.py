"""A record says the same when it is read again, also by a program that has learned meanwhile."""

import json
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deliveries import sent
from doors import PEPPER, Doors, call, open_doors, request
from serving import eventually
from spooled import conserved, counted, open_spool, put, small_disk
from test_intake import Request, Seen

from app.examination.findings import State
from app.examination.spooled import spool_finding
from app.settings import Settings
from collector.kept_senders import KeptSender, KeptSenders
from collector.signals import Signal
from collector.spool import drain
from collector.spool.codec import NotUnderstood, decode, encode
from collector.spool.folders import QUARANTINE, segments_in
from collector.spool.state import SPOOL, Bounds, Place, look
from collector.understanding.by_signal import understand_signal
from store.intake.intake import Heard
from store.postgres.sessions import Database, open_database
from store.tenants import TENANT

NOON = datetime(2026, 11, 22, 12, 0, 0, 1, UTC)
LENGTH = struct.Struct("<I")


def said(heard: Heard) -> list[object]:
    parts = [replace(part, readings=list(part.readings)) for part in heard.parts]
    return [parts, heard.owners, heard.routes, heard.emitters, heard.counters]


@pytest.mark.parametrize("signal", [Signal.TRACES, Signal.LOGS, Signal.METRICS])
def test_what_was_understood_is_read_as_it_was(signal: Signal) -> None:
    bodies = [body for _, body in sent("gemini-cli/http", [signal])]
    heard = understand_signal(signal, bodies, tenant=TENANT, received_at=NOON, key_team="search")
    assert any(part.heard for part in heard.parts)
    again = decode(encode(heard, NOON))
    assert again.received_at == NOON
    assert said(again.heard) == said(heard)
    assert again.heard.sightings.equals(heard.sightings)
    assert again.heard.part_of.tolist() == heard.part_of.tolist()


def test_what_cannot_be_written_as_utf_8_is_kept_too() -> None:
    heard = Request([Seen(1)], refused={"cut in an emoji: \ud83d": 1}).heard()
    assert said(decode(encode(heard, NOON)).heard) == said(heard)


def changed(
    body: bytes,
    told: Callable[[dict[str, Any]], None] = lambda _: None,
    sightings: Callable[[pa.Table], pa.Table] = lambda it: it,
) -> bytes:
    """A record as another version of this program would write it."""
    (length,) = LENGTH.unpack_from(body)
    words = json.loads(body[4 : 4 + length])
    told(words)
    table = sightings(pa.ipc.open_stream(body[4 + length :]).read_all())
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    text = json.dumps(words).encode()
    return LENGTH.pack(len(text)) + text + sink.getvalue().to_pybytes()


def test_a_record_of_a_version_that_knew_less_is_read() -> None:
    def forget(words: dict[str, Any]) -> None:
        for _, owner in words["owners"]:
            del owner["feature"]
        for _, emitter in words["emitters"]:
            del emitter["signal"]
        for part in words["parts"]:
            del part["usage_conflicts"]

    heard = Request([Seen(1), Seen(2)]).heard()
    old = changed(encode(heard, NOON), forget, lambda it: it.drop_columns(["kin_id", "ttft_us"]))
    again = decode(old).heard
    assert said(again) == said(heard)
    assert again.sightings.schema == heard.sightings.schema
    assert again.sightings.column("kin_id").null_count == 2


STRANGE: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda body: body[:0],
    "cut off in what is told": lambda body: body[:10],
    "cut off in the sightings": lambda body: body[:-100],
    "of a later version": lambda body: changed(body, lambda words: words.update(version=2)),
    "sightings of no request": lambda body: changed(body, lambda words: words["part_of"].pop()),
    "a field that is unknown": lambda body: changed(
        body, lambda words: words["owners"][0][1].update(planet="Mars")
    ),
    "no span ids": lambda body: changed(body, sightings=lambda it: it.drop_columns(["span_id"])),
    "a column that is unknown": lambda body: changed(
        body, sightings=lambda it: it.append_column("x", it["span_id"])
    ),
}


@pytest.mark.parametrize("how", STRANGE)
def test_a_record_that_cannot_be_understood_is_said_to_be_so(how: str) -> None:
    with pytest.raises(NotUnderstood):
        decode(STRANGE[how](encode(Request([Seen(1)]).heard(), NOON)))


@pytest.mark.one_server
def test_what_cannot_be_stored_goes_to_quarantine_and_the_next_ones_go_on(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drain, "_AGAIN", 0.05)
    good = [encode(Request([Seen(n, trace=n)]).heard(), NOON) for n in range(1, 4)]
    unaccounted = Request([Seen(9)]).heard()
    object.__setattr__(unaccounted.parts[0], "heard", 99)
    strange = changed(good[0], lambda words: words.update(version=2))
    with open_spool(tmp_path) as spool:
        put(spool, good[0], strange, good[1], encode(unaccounted, NOON), good[2])
    [segment] = segments_in(tmp_path / "0")
    data = bytearray(segment.read_bytes())
    data[-1] ^= 1
    segment.write_bytes(data)
    with open_doors(database, spool=Place(tmp_path, Bounds())) as doors:
        eventually(lambda: doors.stored() == 2, "the good ones are stored")
        assert doors.post(request(call(1, trace=7))).status == 200
        eventually(lambda: look(tmp_path).waiting == 0, "nothing holds up the others")
        assert doors.stored() == 3
        conserved(counted(doors))
    assert len(segments_in(tmp_path / QUARANTINE)) == 3, "of another version, refused, damaged"


@contextmanager
def cut_off(root: Path, bounds: Bounds) -> Iterator[Doors]:
    """A collector that cannot reach its database."""
    KeptSenders(root / "senders", PEPPER).keep(b"", KeptSender(TENANT, None, "", None))
    nowhere = open_database("postgresql://127.0.0.1:1/none", application="tests")
    with open_doors(nowhere, spool=Place(root, bounds)) as doors:
        yield doors


def asked(doors: Doors, path: str, **headers: str) -> int:
    return doors.post(b"", None, path=path, method="GET", **headers).status


@pytest.mark.one_server
def test_a_disk_that_is_full_is_told_as_busy_and_everything_answered_is_stored_later(
    database: Database, tmp_path: Path
) -> None:
    with small_disk(tmp_path / "disk") as disk:
        number = 0
        with cut_off(disk, Bounds()) as doors:
            assert asked(doors, "/readyz") == 200
            while doors.post(many(number)).status == 200:
                number += 1
            assert number > 2
            answer = doors.post(many(number))
            assert (answer.status, answer.headers["retry-after"]) == (503, "3")
            assert asked(doors, "/readyz") == 503
            assert asked(doors, "/livez") == 200
        with open_doors(database, spool=Place(disk, Bounds())) as doors:
            eventually(lambda: look(disk).waiting == 0, "the spool is stored")
            assert doors.stored() == 500 * number
            assert asked(doors, "/readyz") == 200


def many(number: int) -> bytes:
    return request(*(call(span, trace=number + 1) for span in range(1, 501)))


def test_a_spool_that_takes_nothing_more_is_told_as_busy_and_not_ready(tmp_path: Path) -> None:
    with cut_off(tmp_path, Bounds(size=0)) as doors:
        assert doors.post(request(call(1))).status == 503
        assert asked(doors, "/readyz") == 503


@pytest.mark.one_server
def test_metrics_speak_for_all_workers_and_outlive_each(database: Database, tmp_path: Path) -> None:
    place = Place(tmp_path, Bounds())
    with cut_off(tmp_path, Bounds()) as away, open_doors(database, spool=place) as there:
        assert there.post(request(call(1))).status == 200
        assert away.post(request(call(2), call(3))).status == 200
        for doors in (away, there):
            eventually(lambda doors=doors: counted(doors)["spans_heard_total"] == 3, "of both")  # type: ignore[misc]  # a default, not a parameter
            conserved(counted(doors))
    with open_doors(database, spool=place) as doors:
        eventually(
            lambda: counted(doors)["drained_spans_total:stored"] == 2, "what was left is stored"
        )
        counts = counted(doors)
        assert (counts["spans_heard_total"], counts["requests_total:stored:http"]) == (3, 2)
        conserved(counts)


def test_only_who_may_send_reads_the_metrics_and_anybody_the_health(tmp_path: Path) -> None:
    with cut_off(tmp_path, Bounds()) as doors:
        assert asked(doors, "/metrics") == 200
        for path, status in [("/metrics", 401), ("/readyz", 200), ("/livez", 200)]:
            assert asked(doors, path, x_forwarded_for="192.0.2.1") == status
        assert doors.post(b"", path="/readyz").status == 405


def test_doctor_tells_of_what_waits_and_of_what_somebody_must_look_at(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, spool_bytes=2**20)

    def doctor(now: datetime = NOON) -> tuple[State, str]:
        finding = spool_finding(settings, now)
        return finding.state, finding.said

    assert doctor() == (State.WELL, "nothing waits")
    with open_spool(tmp_path / SPOOL, now=lambda: NOON) as spool:
        put(spool, b"some")
        assert doctor() == (
            State.LOOK, "28 bytes wait for Postgres, since 2026-11-22 12:00 UTC",
        )  # fmt: skip
        assert doctor(NOON + timedelta(hours=20))[0] is State.WRONG, "it is nearly too old"
        put(spool, bytes(900_000))
        assert doctor()[0] is State.WRONG, "it is nearly full"
        segment = spool.oldest()
        assert segment
        for piece in segment.read():
            spool.set_aside(segment, piece, "a test")
        spool.remove(segment)
        assert doctor() == (
            State.WRONG, f"2 records could not be stored: {tmp_path / SPOOL / QUARANTINE}",
        )  # fmt: skip
