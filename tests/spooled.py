"""Opens spools in temporary folders."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from doors import Doors
from prometheus_client.parser import text_string_to_metric_families

from collector.spool.frames import Damage, Record
from collector.spool.spool import Spool
from collector.spool.state import Bounds

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@contextmanager
def open_spool(
    root: Path, *, size: int = Bounds().size, now: Callable[[], datetime] | None = None
) -> Iterator[Spool]:
    spool = Spool(root, replace(Bounds(), size=size), now or ticking())
    spool.start()
    try:
        yield spool
    finally:
        assert spool.stop(10)


def ticking() -> Callable[[], datetime]:
    """A clock that goes on by a millisecond whenever it is looked at."""
    moments = iter(NOON + timedelta(milliseconds=n) for n in range(10**6))
    return lambda: next(moments)


def put(spool: Spool, *bodies: bytes) -> None:
    """Put records; they are on the disk when it returns."""
    for done in [spool.put(lambda body=body: body, 1) for body in bodies]:  # type: ignore[misc]  # a default, not a parameter
        done.result(10)


def taken(spool: Spool) -> list[bytes]:
    """Take out all records, oldest first; what is damaged goes to quarantine."""
    bodies: list[bytes] = []
    while segment := spool.oldest():
        for piece in segment.read():
            if isinstance(piece, Record):
                bodies.append(piece.body)
            else:
                assert isinstance(piece, Damage)
                spool.set_aside(segment, piece, "damaged")
        spool.remove(segment)
    return bodies


@contextmanager
def small_disk(at: Path) -> Iterator[Path]:
    at.mkdir()
    mount = shutil.which("mount")
    if os.geteuid() or not mount:
        pytest.skip("only root can make a small disk")
    mounted = subprocess.run(  # noqa: S603 - of this test
        [mount, "-t", "tmpfs", "-o", "size=2m", "tmpfs", at], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no small disk here: {mounted.stderr.decode().strip()}")
    try:
        yield at
    finally:
        subprocess.run(["umount", at], check=True)  # noqa: S603, S607 - as above


def counted(doors: Doors) -> dict[str, int]:
    """What /metrics says, by name or by the value of its label."""
    answer = doors.post(b"", None, path="/metrics", method="GET")
    assert answer.status == 200
    return {
        ":".join([sample.name.removeprefix("spanledger_"), *sample.labels.values()]): int(
            sample.value
        )
        for family in text_string_to_metric_families(answer.body.decode())
        if family.name.startswith("spanledger_") and family.type != "histogram"
        for sample in family.samples
    }


def conserved(counts: dict[str, int]) -> None:
    fates = ("stored", "duplicate", "not_a_call", "refused", "spooled")
    assert counts["spans_heard_total"] == sum(counts.get(f"spans_total:{it}", 0) for it in fates)
    drained = sum(
        counts[f"drained_spans_total:{it}"]
        for it in ("stored", "duplicate", "refused", "quarantined")
    )
    assert counts["spans_total:spooled"] == drained + counts["spool_spans"]
