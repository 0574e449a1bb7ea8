"""What all workers of a machine counted: each writes its counts into its folder of the spool.

A worker goes on from the counts that it finds in its folder, so they never fall back. One that is
killed leaves them a second behind.
"""

import json
import os
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Final

from collector.tally import Counts, Tally

_NAME: Final = "counts"


def go_on(folder: Path, tally: Tally, waiting: int) -> None:
    """Add to a tally what another process counted, whose folder with so many spans is ours now."""
    tally.take_over(_read(folder), waiting)


def forget(folder: Path) -> None:
    """Somebody has taken these counts over."""
    with suppress(OSError):
        (folder / _NAME).unlink(missing_ok=True)


def write(folder: Path, counts: Counts) -> None:
    """For the others."""
    told = {
        "heard": counts.heard,
        "spans": counts.spans,
        "drained": counts.drained,
        "waiting": counts.waiting,
        "answers": [[*name, count] for name, count in counts.answers.items()],
    }
    draft = folder / f"{_NAME}.{os.getpid()}"
    with suppress(OSError):
        draft.write_text(json.dumps(told))
        draft.replace(folder / _NAME)


def of_others(root: Path, ours: Path | None) -> Counts:
    """What the other folders' processes counted, those included that are gone."""
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
        return Counts(answers, spans, drained, told["heard"], waiting)
    return Counts()
