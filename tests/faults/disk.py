"""Faults: disks that are full. They need root, who alone mounts a small one."""

import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from faults.house import house, wait
from faults.stage import Fault, Stage, acknowledges_now, sending
from faults.verdicts import judge
from serving import eventually

from app.errors import PostgresUnavailable

SPOOL_MIB = 64
DATA_MIB = 170
"""What a new Postgres takes, and little beside it."""


def why_not() -> str | None:
    """Why no small disk can be had here."""
    if not sys.platform.startswith("linux"):
        return "it needs Linux"
    return None if os.geteuid() == 0 else "it needs root, to mount a small disk"


@contextmanager
def small_disk(folder: Path, mebibytes: int) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    size = f"size={mebibytes}m"
    subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", folder], check=True)  # noqa: S603, S607  # whichever mount there is
    try:
        yield
    finally:
        # Lazily: whoever has a file open there may end a moment later.
        subprocess.run(["umount", "-l", folder], check=True)  # noqa: S603, S607  # as above


@contextmanager
def filled(folder: Path, *, but: int = 0) -> Iterator[int]:
    """The disk of a folder full, ``but`` so many bytes; gives how many it took."""
    filler = folder / "filler"
    piece = bytes(65_536)
    taken = 0
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            taken += file.write(piece)
    if but:
        os.truncate(filler, max(0, taken - but))
    try:
        yield taken
    finally:
        filler.unlink()


def spool_disk_full(stage: Stage) -> Counter[str]:
    """Postgres is away, and the disk of the spool has room for a second or two."""
    house = stage.house
    spool = house.data / "spool"
    fired: Counter[str] = Counter()
    house.end_postgres(signal.SIGKILL)
    with filled(spool, but=stage.chance.randrange(0, 2**20)) as taken:
        fired["bytes taken"] = taken
        chapter = stage.oracle.chapters[stage.oracle.now]
        refused = chapter.refused.total()
        wait(stage.long(10, 3), lambda: chapter.refused.total() > refused + 3)
        fired["requests refused"] = chapter.refused.total() - refused
        if not fired["requests refused"]:
            fired.clear()
    house.recover_postgres()
    return fired


def data_disk_full(stage: Stage) -> Counter[str]:
    """In a house of its own, whose Postgres has a small disk: until it is full, and then room."""
    fired: Counter[str] = Counter()
    with spare_house(stage) as (other, disk):
        with filled(disk, but=stage.chance.randrange(2**20, 12 * 2**20)):
            wait(30, lambda: refuses_to_grow(other))
            fired["full"] = refuses_to_grow(other)
            wait(stage.long(4, 2))
            fired["Postgres died of it"] = not other.house.server.alive()
        with suppress(PostgresUnavailable):
            other.house.recover_postgres()
        eventually(lambda: acknowledges_now(other), "requests are acknowledged again")
    return fired


def refuses_to_grow(stage: Stage) -> bool:
    log = stage.house.server.folder / "postgres.log"
    return not stage.house.server.alive() or "No space left" in log.read_text(errors="replace")


@contextmanager
def spare_house(stage: Stage) -> Iterator[tuple[Stage, Path]]:
    """Another stage, judged at the end of the block; what is found there counts here."""
    folder = stage.house.folder / "spare"
    disk = folder / "postgres"
    chance = random.Random(stage.chance.random())
    with (
        small_disk(disk, DATA_MIB),
        house(folder, chance) as opened,
    ):
        with sending(opened, chance.getrandbits(32), short=stage.short, sdk=False) as other:
            other.oracle.begin(stage.oracle.now)
            yield other, disk
        judge(opened.ledger, other.oracle)
        stage.oracle.adopt(other.oracle)


DISK = [
    Fault("disk of the spool full", spool_disk_full, why_not),
    Fault("disk of Postgres full", data_disk_full, why_not),
]
