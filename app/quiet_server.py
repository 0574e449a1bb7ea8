"""uvicorn, as every door of ours runs it."""

from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn


class QuietServer(uvicorn.Server):
    """uvicorn without its signal handlers: ``app/life.py`` has ours."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leaves signals as they are."""
        yield
