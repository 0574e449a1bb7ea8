"""Steps of our own work, for whoever traces us: nobody, unless somebody switched that on.

What does the work knows no library of traces. Where a step begins it opens one, and says in numbers
and words of ours what came of it; app/telemetry/ makes spans of them. Nothing that a sender or a
person wrote is told: no names of teams, no texts, no addresses.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import Final

Told = dict[str, int | str]
"""What came of a step, by name: ``{"stored": 512, "outcome": "sent"}``."""

Steps = Callable[[str, datetime | None], AbstractContextManager[Told]]
"""Opens a step: what it is called, and since when (UTC) it goes on, where it began before. A step
whose block raises has failed. Steps that are opened inside of it are parts of it."""


LOST_FOR: Final = ("queue", "receiver")
"""Why what was told of steps reached nobody: no room where it waits, or it was not taken."""

Lost = Callable[[], Mapping[str, int]]
"""How many spans of ours were lost since the process began, by LOST_FOR."""


def none_lost() -> Mapping[str, int]:
    """Of a process that nobody traces."""
    return {}


def untold(_name: str, _began: datetime | None = None) -> AbstractContextManager[Told]:
    """A step that nobody is told of."""
    return nullcontext({})
