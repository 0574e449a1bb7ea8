"""An answer's values are made without looking for garbage among them."""

import subprocess
import sys
from typing import Final

_LOOKS: Final = """
import gc
from app.garbage import MADE_BEFORE, look_seldom
look_seldom()
looked = []
gc.callbacks.append(lambda phase, _told: looked.append(phase))
kept = [[number] for number in range(MADE_BEFORE - 5_000)]
assert not looked, looked
kept += [[number] for number in range(10_000)]
assert looked
"""


def test_python_looks_for_garbage_when_more_was_made_than_for_a_statement() -> None:
    told = [sys.executable, "-c", _LOOKS]
    subprocess.run(told, check=True, timeout=60)  # noqa: S603 - the test's own script, with this Python
