"""What /metrics says of all workers of a machine never falls back, whoever is asked or killed."""

from pathlib import Path

import pytest
from doors import NOON, call, open_doors, request
from serving import eventually
from spooled import conserved, counted, open_spool, put
from test_intake import Request, Seen
from test_spool_records import cut_off

from collector.spool import drain
from collector.spool.codec import encode
from collector.spool.folders import segments_in
from collector.spool.segments import Segment
from collector.spool.spool import Spool
from collector.spool.state import Bounds, Place, look
from store.postgres.sessions import Database

pytestmark = pytest.mark.one_server


def test_no_worker_tells_less_than_was_told_before(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drain, "_TICK", 3600)
    place = Place(tmp_path, Bounds())
    with open_doors(database, spool=place) as one, open_doors(database, spool=place) as other:
        for number, doors in enumerate((one, other, one, other), 1):
            assert doors.post(request(call(number))).status == 200
            for asked in (doors, one, other):
                counts = counted(asked)
                assert counts["spans_heard_total"] == counts["spans_total:stored"] == number


def test_who_is_killed_after_the_drain_leaves_the_counts_of_it(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = tmp_path / "0" / "counts"
    left: list[bytes] = []
    remove = Spool.remove

    def removed(self: Spool, segment: Segment) -> None:
        remove(self, segment)
        left.append(counts.read_bytes())

    monkeypatch.setattr(Spool, "remove", removed)
    monkeypatch.setattr(drain, "_TICK", 3600)
    place = Place(tmp_path, Bounds())
    with open_spool(tmp_path) as spool:
        put(spool, encode(Request([Seen(1)]).heard(), NOON))
    with open_doors(database, spool=place) as doors:
        eventually(lambda: look(tmp_path).waiting == 0, "the spool is stored")
        before = counted(doors)
        assert before["spans_heard_total"] == before["drained_spans_total:stored"] == 1
    counts.write_bytes(left[0])
    with open_doors(database, spool=place) as doors:
        after = counted(doors)
        conserved(after)
        assert after["spans_heard_total"] == after["drained_spans_total:stored"] == 1


def test_what_is_damaged_while_nobody_runs_is_told_as_such(
    database: Database, tmp_path: Path
) -> None:
    with cut_off(tmp_path, Bounds()) as doors:
        for number in range(1, 5):
            assert doors.post(request(call(number))).status == 200
    segments = segments_in(tmp_path / "0")
    assert len(segments) < 4, "one of them holds more than one record"
    for segment in segments:
        data = bytearray(segment.read_bytes())
        data[0] ^= 1
        segment.write_bytes(data)
    with open_doors(database, spool=Place(tmp_path, Bounds())) as doors:
        eventually(lambda: look(tmp_path).waiting == 0, "the spool is stored")
        counts = counted(doors)
        conserved(counts)
        assert counts["spans_heard_total"] == 4
        assert counts["drained_spans_total:quarantined"] == len(segments)
        assert doors.stored() == 4 - len(segments)
