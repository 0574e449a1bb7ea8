"""What Prometheus is told: of whom, by whom it may be asked, and that all of it is listed."""

from pathlib import Path

import pytest
from doors import JSON, Doors, call, open_doors, other_span, request
from told_metrics import (
    OPEN,
    assert_is_listed,
    assert_is_open_metrics,
    assert_promtool_has_no_complaint,
    told,
)
from two_teams import ledger_of_two

from collector import metric_list as collector_list
from collector.refused_for import REASONS, in_short
from collector.spool.state import Bounds, Place
from store.postgres.sessions import Database

pytestmark = pytest.mark.one_server


made = ledger_of_two


def metrics_of(doors: Doors, accept: str | None = None) -> str:
    headers = {} if accept is None else {"accept": accept}
    answer = doors.post(b"", None, path="/metrics", method="GET", **headers)
    assert answer.status == 200, answer.body
    return answer.body.decode()


def test_a_collector_tells_what_is_listed_and_promtool_has_no_complaint(
    database: Database, tmp_path: Path
) -> None:
    with open_doors(database, spool=Place(tmp_path, Bounds())) as doors:
        assert doors.post(request(call(1), other_span(2))).status == 200
        text = metrics_of(doors)
        assert_is_listed(text, collector_list.METRICS)
        assert_is_open_metrics(metrics_of(doors, OPEN))
        assert_promtool_has_no_complaint(text)
        assert metrics_of(doors, "application/openmetrics-text; version=none, x/é;;").endswith(
            "EOF\n"
        )
    with open_doors(database) as doors:
        assert_is_listed(metrics_of(doors), collector_list.METRICS, but=collector_list.OF_SPOOL)


def test_a_request_is_counted_with_how_long_it_took_by_the_door_it_came_through(
    database: Database,
) -> None:
    with open_doors(database) as doors:
        assert doors.post(request(call(1))).status == 200
        assert doors.post(b"no protobuf").status == 400
        found = told(metrics_of(doors))
    counts = found["spanledger_request_duration_seconds_count"]
    assert counts == {("http",): 2, ("grpc",): 0}
    assert 0 < found["spanledger_request_duration_seconds_sum"]["http",] < 20
    assert found["spanledger_request_duration_seconds_bucket"]["http", "+Inf"] == 2
    assert found["spanledger_commit_duration_seconds_count"][()] == 1
    # In the order of the names: answer, door.
    assert found["spanledger_requests_total"]["stored", "http"] == 1
    assert found["spanledger_requests_total"]["malformed", "http"] == 1


def test_what_is_refused_is_counted_by_a_reason_that_no_sender_chose(database: Database) -> None:
    bad_id, bad_time = call(3), call(4)
    bad_id.trace_id = b"short"
    bad_time.start_time_unix_nano = 1
    named = b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"spanId":{"amber":1}}, {"x":1}]}]}]}'
    with open_doors(database) as doors:
        assert doors.post(request(call(1), bad_id, bad_time)).status == 200
        assert doors.post(named, JSON).status in {200, 400}
        text = metrics_of(doors)
    found = told(text)
    refused = found["spanledger_refused_spans_total"]
    assert set(refused) == {(each,) for each in REASONS}
    assert (refused["id",], refused["time",]) == (1, 1)
    assert sum(refused.values()) == found["spanledger_spans_total"]["refused",]
    assert "amber" not in text


def test_every_reason_that_a_sender_is_told_has_a_word() -> None:
    told_to_senders = {
        "trace_id: not 16 bytes, or all zero": "id",
        "start: before 2000": "time",
        "time_unix_nano: too_old, its day is not kept any more": "too_old",
        "start: too_old, its day is not kept any more": "too_old",
        "value: tokens are whole": "value",
        "unit: none of energy": "value",
        "log records: bytes that cannot be read": "unreadable",
        "logRecords: attributes[] must be an object": "unreadable",
        "cannot be stored (SQLSTATE 22P05)": "unstorable",
        "something that comes one day": "other",
    }
    for reason, word in told_to_senders.items():
        assert in_short({reason: 3}) == {word: 3}


def test_each_worker_of_a_machine_is_told_as_a_process_and_their_counts_as_one(
    database: Database, tmp_path: Path
) -> None:
    place = Place(tmp_path, Bounds())
    with open_doors(database, spool=place) as one, open_doors(database, spool=place) as other:
        assert one.post(request(call(1))).status == 200
        assert other.post(request(call(2))).status == 200
        for asked in (one, other, one):
            metrics_of(asked)
        for asked in (one, other):
            found = told(metrics_of(asked))
            # Both are this process, in a test.
            assert set(found["process_resident_memory_bytes"]) == {("0",), ("1",)}
            assert found["spanledger_collector_workers"][()] == 2
            assert found["spanledger_request_duration_seconds_count"]["http",] == 2
            assert found["spanledger_commit_duration_seconds_count"][()] == 2
    # Who is gone is told no more, and what they counted stays.
    (tmp_path / "1" / "counts").write_text(
        (tmp_path / "1" / "counts").read_text().replace('"process": [', '"process": [1')
    )
    with open_doors(database, spool=place) as doors:
        found = told(metrics_of(doors))
        assert set(found["process_resident_memory_bytes"]) == {("0",)}
        assert found["spanledger_request_duration_seconds_count"]["http",] == 2
