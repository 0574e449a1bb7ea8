"""How often Python looks for garbage in a process that answers: seldom, and among what is new."""

import gc
from typing import Final

MADE_BEFORE: Final = 50_000
"""Values that are made and kept before Python looks among them: a statement's thousand lines are as
many. 700 is usual, and has it look two hundred times meanwhile, for a fifth of the time; what is
not held in a circle is given back at once all the same. It is some MiB that may wait."""


def look_seldom() -> None:
    """Once all modules are there: they stay, and are not looked through again."""
    gc.freeze()
    gc.set_threshold(MADE_BEFORE)
