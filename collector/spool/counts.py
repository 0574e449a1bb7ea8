"""What all workers of a machine counted: each writes its counts into its folder of the spool.

A worker goes on from the counts that it finds in its folder, so what was told of them never falls
back. One that is killed leaves out what it counted in its last second and told nobody.
"""

import json
import os
from collections import Counter
from contextlib import suppress
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Final

from collector.spool.folders import put_file
from collector.spool.spool import Spool
from collector.tally import Counts, Tally
from spend.durations import REQUESTS, Durations
from spend.metric_names import STARTED, Metric
from store.metrics.metric_text import of_process

_NAME: Final = "counts"
_WRITING: Final = Lock()
"""Held from counting to writing, so that what was counted later is written later."""


def go_on(spool: Spool, tally: Tally) -> None:
    """Go on from what the last process counted that had our folder, with all that waits in it."""
    if spool.folder:
        tally.take_over(_read(spool.folder), spool.state().spans)


def inherit(folder: Path, spans: int, spool: Spool, tally: Tally) -> None:
    """Count on for a process that is gone, whose folder with so many spans is ours now."""
    with _WRITING:
        tally.take_over(_read(folder), spans)
        _written(spool, tally)
        with suppress(OSError):
            (folder / _NAME).unlink(missing_ok=True)


def write(spool: Spool, tally: Tally) -> None:
    """For the others, and for whoever comes after us."""
    with _WRITING:
        _written(spool, tally)


def of_all(spool: Spool, tally: Tally) -> Counts:
    """What all workers counted until now, those included that are gone.

    Ours is written first: nobody who is asked next, whichever of us that is, tells less.
    """
    with _WRITING:
        counts = _written(spool, tally)
        counts.add(_of_others(spool.root, spool.folder))
    return counts


def workers(spool: Spool) -> dict[str, dict[Metric, float]]:
    """Folder -> what Linux says of the worker that has it; of those only that live."""
    found = {}
    with suppress(OSError):
        for folder in spool.root.iterdir():
            its = _process(folder) if folder.name.isdecimal() else {}
            if its:
                found[folder.name] = its
    return dict(sorted(found.items(), key=lambda each: int(each[0])))


def _process(folder: Path) -> dict[Metric, float]:
    with suppress(OSError, ValueError, KeyError, TypeError):
        pid, began = json.loads((folder / _NAME).read_text())["process"]
        its = of_process(int(pid))
        # Another process may have that number meanwhile.
        return its if its.get(STARTED) == began else {}
    return {}


@cache
def _began_at() -> float | None:
    return of_process().get(STARTED)


def _written(spool: Spool, tally: Tally) -> Counts:
    counts = tally.counts()
    counts.waiting = spool.state().waiting
    if spool.folder:
        _write(spool.folder, counts)
    return counts


def _write(folder: Path, counts: Counts) -> None:
    told = {
        "heard": counts.heard,
        "spans": counts.spans,
        "drained": counts.drained,
        "waiting": counts.waiting,
        "answers": [[*name, count] for name, count in counts.answers.items()],
        "refused": counts.refused,
        "denied": counts.denied,
        "own_lost": counts.own_lost,
        "took": {door: [each.counts, each.seconds] for door, each in counts.took.items()},
        "commits": [counts.commits.counts, counts.commits.seconds],
        "process": [os.getpid(), _began_at()],
    }
    with suppress(OSError):
        put_file(folder / _NAME, json.dumps(told))


def _of_others(root: Path, ours: Path | None) -> Counts:
    counts = Counts()
    with suppress(OSError):
        for folder in root.iterdir():
            if folder != ours and folder.name.isdecimal():
                counts.add(_read(folder))
    return counts


def _read(folder: Path) -> Counts:
    with suppress(OSError, ValueError, KeyError, TypeError):
        told = json.loads((folder / _NAME).read_text())
        answers = Counter({(door, answer): count for door, answer, count in told["answers"]})
        spans, drained, waiting = (Counter(told[it]) for it in ("spans", "drained", "waiting"))
        # Of a version before, which did not count them, they are not there.
        refused, took = Counter(told.get("refused", {})), told.get("took", {})
        return Counts(
            answers=answers,
            spans=spans,
            drained=drained,
            heard=told["heard"],
            waiting=waiting,
            refused=refused,
            denied=Counter(told.get("denied", {})),
            own_lost=Counter(told.get("own_lost", {})),
            took={door: Durations(REQUESTS, *each) for door, each in took.items()},
            commits=Durations(REQUESTS, *told.get("commits", ())),
        )
    return Counts()
