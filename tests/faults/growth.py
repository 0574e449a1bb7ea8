"""Nothing goes wrong for a while: does anything grow? Memory, open files, connections."""

import statistics
from collections import defaultdict
from pathlib import Path

from faults.house import House, wait
from faults.stage import Stage

STEP = 2.0
"""Seconds between two looks."""
ROOM = 8.0
A_MINUTE = 1.0
"""MiB that a process may grow by in all, and beside that in each minute: memory is given back in
pieces, and calls that wait for their twins are held a while."""
FEW = 3
"""Files or connections: one may be open at the moment of a look."""

Seen = dict[str, float]


def grown(stage: Stage, seconds: float) -> list[dict[str, object]]:
    """By what was looked at: what it was once all was warm, at the end, and whether it may."""
    looks: list[Seen] = []
    for _ in range(max(8, int(seconds / STEP))):
        wait(STEP)
        looks.append(look(stage.house))
    return judged(looks, minutes=seconds / 60)


def judged(looks: list[Seen], minutes: float) -> list[dict[str, object]]:
    """The second quarter of the looks against the last; the first is for warming up."""
    quarter = len(looks) // 4
    early, late = looks[quarter : 2 * quarter], looks[-quarter:]
    found: list[dict[str, object]] = []
    for name in sorted(set.intersection(*(set(seen) for seen in (*early, *late)))):
        first = statistics.median(seen[name] for seen in early)
        last = statistics.median(seen[name] for seen in late)
        most = ROOM + A_MINUTE * minutes if name.endswith("MiB") else FEW
        found.append(
            {
                "what": name,
                "at first": round(first, 1),
                "at last": round(last, 1),
                "grows": last - first > most,
            }
        )
    return found


def look(house: House) -> Seen:
    """Memory (MiB) and open files by process, connections by application."""
    seen: Seen = {}
    for name, pid in processes(house):
        memory, files = of_process(pid)
        seen[f"{name}, MiB"] = memory
        seen[f"{name}, files"] = files
    with house.asking() as connection:
        rows = connection.execute(
            "SELECT application_name, count(*) FROM pg_stat_activity"
            " WHERE application_name LIKE 'spanledger%' GROUP BY 1"
        ).fetchall()
    counts: defaultdict[str, float] = defaultdict(float)
    for application, count in rows:
        counts[f"connections of {application}"] += count
    return seen | counts


def processes(house: House) -> list[tuple[str, int]]:
    """By a name that stays, and its process id, which is part of it: who is replaced is another."""
    workers = [(f"worker {pid}", pid) for pid in house.collector.workers()]
    parts = [part for part in (house.collector, house.jobs, house.api) if part.wanted]
    return [(f"{part.name} {part.pid}", part.pid) for part in parts] + workers


def of_process(pid: int) -> tuple[float, int]:
    """Memory of its own (MiB), and open files."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
        files = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    except OSError:
        return 0.0, 0
    resident = next(line for line in status.splitlines() if line.startswith("RssAnon"))
    return int(resident.split()[1]) / 1024, files
