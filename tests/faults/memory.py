"""Fault: a worker is given too little memory, and the kernel kills it. It needs root."""

import http.client
import os
import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path

from faults.house import House, wait
from faults.stage import Fault, Stage
from serving import eventually, is_gone

GROUPS = Path("/sys/fs/cgroup/memory")
ROOM = 12 * 2**20
"""Bytes that the worker may take beside those it has."""
LARGE = b"\xff" * (16 * 2**20)
"""A request that has to be held to be refused: it is no protobuf."""


def why_not() -> str | None:
    if not sys.platform.startswith("linux") or os.geteuid():
        return "it needs root on Linux"
    known = (GROUPS / "memory.limit_in_bytes").exists()
    return None if known else "it needs the memory controller of cgroups, version 1"


def worker_out_of_memory(stage: Stage) -> Counter[str]:
    house = stage.house
    eventually(house.collector.workers, "there is one")
    worker, *others = house.collector.workers()
    group = GROUPS / f"spanledger-soak-{os.getpid()}"
    group.mkdir()
    try:
        (group / "memory.limit_in_bytes").write_text(str(ROOM))
        (group / "cgroup.procs").write_text(str(worker))
        wait(stage.long(40, 20), lambda: killed(group) > 0 or not large(house))
        fired = Counter({"killed by the kernel": killed(group)})
        alive = [pid for pid in others if not is_gone(pid)]
        if len(alive) < len(others):
            stage.oracle.is_broken("a worker without a limit died of another's memory")
        eventually(lambda: worker not in house.collector.workers(), "it is replaced")
    finally:
        # Whoever lives goes back where it was; a group with processes cannot be removed.
        for pid in (group / "cgroup.procs").read_text().split():
            with suppress(OSError):
                (GROUPS / "cgroup.procs").write_text(pid)
        eventually(lambda: removed(group), "the group is removed")
    house.until_it_hears()
    return fired


def killed(group: Path) -> int:
    """How many processes of a group the kernel has killed."""
    lines = dict(line.split() for line in (group / "memory.oom_control").read_text().splitlines())
    return int(lines.get("oom_kill", 0))


def large(house: House) -> bool:
    """Sends a large request, whatever becomes of it."""
    connection = http.client.HTTPConnection(house.http.address, timeout=10)
    with suppress(OSError, http.client.HTTPException):
        connection.request("POST", "/v1/traces", LARGE, {"content-type": "application/x-protobuf"})
        connection.getresponse().read()
    connection.close()
    return True


def removed(group: Path) -> bool:
    with suppress(OSError):
        group.rmdir()
    return not group.exists()


MEMORY = [Fault("worker out of memory", worker_out_of_memory, why_not)]
