"""What a spool acknowledged is there after any crash, whatever the disk does to its neighbours."""

import errno
import multiprocessing
import os
import shutil
import signal
import threading
from contextlib import suppress
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from serving import eventually
from spooled import NOON, open_spool, put, small_disk, taken, ticking

from collector.spool import folders
from collector.spool.folders import QUARANTINE, segments_in
from collector.spool.frames import Damage, Record, frame, walk
from collector.spool.spool import Full
from collector.spool.state import look

MARKER = b"\x01\xff\x00mark\x02"
BODIES = [b"first" * 3, b"", bytes(40), MARKER * 2, b"last"]
WRITTEN = b"".join(frame(MARKER, body, 1) for body in BODIES)
ENDS = [len(b"".join(frame(MARKER, body, 1) for body in BODIES[:n])) for n in range(6)]


def test_a_file_torn_at_any_byte_gives_what_was_whole_and_nothing_else() -> None:
    for length in range(len(WRITTEN) + 1):
        pieces = list(walk(WRITTEN[:length], MARKER))
        whole = sum(end <= length for end in ENDS[1:])
        assert pieces == [Record(ENDS[n], 1, BODIES[n]) for n in range(whole)], length


def test_room_that_was_given_and_never_filled_is_no_damage() -> None:
    assert len(list(walk(WRITTEN + bytes(5000), MARKER))) == len(BODIES)


def test_a_changed_byte_costs_its_record_and_no_other() -> None:
    for place in range(len(WRITTEN)):
        for change in (0x01, 0x80, 0xFF):
            data = bytearray(WRITTEN)
            data[place] ^= change
            pieces = list(walk(bytes(data), MARKER))
            hit = max(n for n in range(5) if ENDS[n] <= place)
            rest = [Record(ENDS[n], 1, BODIES[n]) for n in range(5) if n != hit]
            assert [piece for piece in pieces if isinstance(piece, Record)] == rest, place
            damaged = [piece for piece in pieces if isinstance(piece, Damage)]
            assert damaged == [Damage(ENDS[hit], bytes(data[ENDS[hit] : ENDS[hit + 1]]))], place


def test_what_was_put_is_taken_out_in_order_also_by_the_next_process(tmp_path: Path) -> None:
    now = ticking()
    with open_spool(tmp_path, now=now) as spool:
        put(spool, b"one", b"two")
        assert spool.oldest()
        put(spool, b"three")
    with open_spool(tmp_path, now=now) as spool:
        put(spool, b"four")
        assert spool.state().records == 4
        assert taken(spool) == [b"one", b"two", b"three", b"four"]
        assert spool.state().size == spool.state().records == 0
    assert look(tmp_path).size == 0


def test_only_the_owner_reads_what_is_kept(tmp_path: Path) -> None:
    with open_spool(tmp_path / "spool") as spool:
        put(spool, b"one")
        for path in [tmp_path / "spool", *(tmp_path / "spool").rglob("*")]:
            assert path.stat().st_mode & 0o077 == 0, path


def test_a_damaged_record_is_kept_aside_and_told(tmp_path: Path) -> None:
    with open_spool(tmp_path) as spool:
        put(spool, b"one", b"two", b"three")
    [path] = segments_in(tmp_path / "0")
    path.write_bytes(path.read_bytes().replace(b"two", b"TWO"))
    with open_spool(tmp_path) as spool:
        assert taken(spool) == [b"one", b"three"]
        assert spool.state().quarantined == 1
        assert spool.state().size == 0
        spool.tend()
        assert spool.state().size > 0, "what is in quarantine takes its room"
    [kept] = segments_in(tmp_path / QUARANTINE)
    assert b"TWO" in kept.read_bytes()
    assert (look(tmp_path).quarantined, look(tmp_path).waiting) == (1, 0)


def test_what_is_in_quarantine_can_be_put_back(tmp_path: Path) -> None:
    with open_spool(tmp_path) as spool:
        put(spool, b"one", b"two")
        segment = spool.oldest()
        assert segment
        for piece in segment.read():
            spool.set_aside(segment, piece, "a test")
        spool.remove(segment)
    for kept in segments_in(tmp_path / QUARANTINE):
        kept.rename(tmp_path / "0" / kept.name)
    with open_spool(tmp_path) as spool:
        assert sorted(taken(spool)) == [b"one", b"two"]


@pytest.mark.parametrize("failing", ["fsync", "write", "short write"])
def test_a_disk_that_fails_is_told_and_its_file_never_written_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    with open_spool(tmp_path) as spool:
        put(spool, b"one")
        write = os.write

        def fail(*_: object) -> int:
            raise OSError(errno.EIO, "the disk is ill")

        with monkeypatch.context() as ill:
            if failing == "short write":
                ill.setattr(os, "write", lambda file, data: write(file, data[: len(data) // 2]))
            else:
                ill.setattr(os, failing, fail)
            with pytest.raises(Full):
                put(spool, b"two")
            with pytest.raises(Full):
                put(spool, b"three")
            assert spool.state().refuses
        spool.tend()
        assert spool.state().refuses is None
        put(spool, b"four")
        assert len(segments_in(tmp_path / "0")) == 2
        assert taken(spool) == [b"one", b"four"]


def test_a_full_disk_refuses_and_loses_nothing(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk, open_spool(disk) as spool:
        kept = 0
        while spool.state().refuses is None:
            with suppress(Full):
                put(spool, bytes([kept]) * 100_000)
                kept += 1
        assert kept > 5
        spool.tend()
        assert spool.state().refuses, "there is still no room"
        assert taken(spool) == [bytes([n]) * 100_000 for n in range(kept)]
        spool.tend()
        put(spool, b"there is room again")


def test_bounds_in_bytes_and_age_refuse_and_drop_nothing(tmp_path: Path) -> None:
    now = [NOON]
    with open_spool(tmp_path, size=1000, now=lambda: now[0]) as spool:
        put(spool, b"a" * 600)
        with pytest.raises(Full):
            put(spool, b"b" * 600)
        put(spool, b"c" * 300)
        now[0] += timedelta(days=1, seconds=1)
        with pytest.raises(Full, match="oldest record is of 2026-11-22 12:00:00"):
            put(spool, b"d")
        assert taken(spool) == [b"a" * 600, b"c" * 300]
        put(spool, b"d")


def test_where_there_is_no_room_for_what_comes_it_says_that_it_refuses(tmp_path: Path) -> None:
    with open_spool(tmp_path, size=1000) as spool:
        with pytest.raises(Full):
            put(spool, b"never fits" * 1000)
        assert spool.state().refuses is None
        with pytest.raises(Full):
            put(spool, b"a" * 600, b"b" * 600)
        assert spool.state().refuses, "or a balancer would go on sending here"
        put(spool, b"c" * 300)
        assert spool.state().refuses
        assert taken(spool) == [b"a" * 600, b"c" * 300]
        assert spool.state().refuses is None
        put(spool, b"b" * 600)


def test_it_says_once_that_it_is_nearly_full(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_spool(tmp_path, size=1000) as spool:
        put(spool, b"a" * 850)
        spool.tend()
        spool.tend()
    assert capsys.readouterr().out.count("the spool is nearly full") == 1


def test_processes_share_a_spool_and_not_a_folder(tmp_path: Path) -> None:
    with open_spool(tmp_path) as one, open_spool(tmp_path) as other:
        put(one, b"one")
        put(other, b"other")
        one.tend()
        assert one.state().size == look(tmp_path).size > 0
        assert taken(one) == [b"one"], "what a living process has is its own"
        assert taken(other) == [b"other"]


def test_processes_share_one_bound_and_know_of_each_other_at_once(tmp_path: Path) -> None:
    with open_spool(tmp_path, size=1000) as one, open_spool(tmp_path, size=1000) as other:
        put(one, bytes(600))
        with pytest.raises(Full):
            put(other, bytes(600))
        assert look(tmp_path).size <= 1000
        put(other, bytes(200))


def test_what_a_dead_process_left_is_taken_over_by_whoever_runs(tmp_path: Path) -> None:
    with open_spool(tmp_path) as spool:
        put(spool, b"mine")
        ours, theirs = multiprocessing.Pipe()
        process = multiprocessing.get_context("spawn").Process(
            target=put_and_wait, args=[tmp_path, theirs]
        )
        process.start()
        assert ours.recv() == "safe"
        spool.tend()
        assert spool.state().records == 1, "its owner lives"
        assert process.pid
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        eventually(lambda: spool.tend() > 0, "its folder is taken over")
        assert taken(spool) == [b"mine", b"theirs"]


def put_and_wait(root: Path, parent: Connection) -> None:
    with open_spool(root, now=lambda: NOON + timedelta(hours=1)) as spool:
        put(spool, b"theirs")
        parent.send("safe")
        parent.recv()


def test_a_folder_that_is_removed_is_noticed_before_anybody_is_told(tmp_path: Path) -> None:
    root = tmp_path / "spool"
    with open_spool(root) as spool:
        put(spool, b"one")
        shutil.rmtree(root)
        with pytest.raises(Full):
            put(spool, b"two")
        spool.tend()
        put(spool, b"three")
        assert taken(spool) == [b"three"]


def test_what_else_lies_in_the_folder_is_no_trouble(tmp_path: Path) -> None:
    (tmp_path / "7").write_text("somebody's")
    with open_spool(tmp_path) as spool:
        spool.tend()
        put(spool, b"one")
        assert taken(spool) == [b"one"]


def test_a_folder_of_another_user_is_left_to_that_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_spool(tmp_path) as theirs:
        put(theirs, b"theirs")
    opens = os.open

    def refuses(path: Path, flags: int, mode: int = 0o777) -> int:
        if Path(path).parent.name == "0":
            raise PermissionError(errno.EACCES, "Permission denied")
        return opens(path, flags, mode)

    monkeypatch.setattr(folders.os, "open", refuses)
    with open_spool(tmp_path) as spool:
        assert spool.folder == tmp_path / "1"
        spool.tend()
        put(spool, b"ours")
        assert taken(spool) == [b"ours"]


def test_who_gives_up_before_it_is_written_costs_nobody_else_anything(tmp_path: Path) -> None:
    begun, goes_on = threading.Event(), threading.Event()

    def slow() -> bytes:
        begun.set()
        assert goes_on.wait(10)
        return b"one"

    with open_spool(tmp_path) as spool:
        first = spool.put(slow, 1)
        assert begun.wait(10)
        given_up, third = spool.put(lambda: b"two", 1), spool.put(lambda: b"three", 1)
        assert given_up.cancel()
        goes_on.set()
        for done in (first, third):
            done.result(10)
        assert taken(spool) == [b"one", b"three"]


def test_a_folder_that_is_made_is_on_the_disk_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[Path] = []
    monkeypatch.setattr(folders, "sync", synced.append)
    with open_spool(tmp_path / "spool"):
        assert synced == [tmp_path, tmp_path / "spool"]


def test_a_folder_that_cannot_be_had_refuses_until_it_can(tmp_path: Path) -> None:
    root = tmp_path / "spool"
    root.write_text("a file is in the way")
    with open_spool(root) as spool:
        with pytest.raises(Full):
            put(spool, b"one")
        root.unlink()
        spool.tend()
        put(spool, b"two")
        assert taken(spool) == [b"two"]
