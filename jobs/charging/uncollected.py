"""Work on many small values, without Python looking for cycles among them."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """For a second's work: rows and lines hold no cycles, and to look for some takes a quarter.

    Of several at once, in threads, the first to end lets the collector run again.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
