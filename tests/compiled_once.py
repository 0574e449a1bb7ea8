"""What SQLAlchemy makes of statements, kept for all tests of a server: a tenth of their time."""

from typing import Any

from sqlalchemy import Engine
from sqlalchemy.util import LRUCache


class CompiledOnce:
    """Of one server: what its dialect found out of it holds for no other."""

    def __init__(self) -> None:
        self._first: Engine | None = None
        self._compiled: LRUCache[Any, Any] = LRUCache(2_000)

    def shared_with(self, engine: Engine) -> None:
        """Gives a new engine what those before it compiled."""
        if self._first is None:
            # A dialect asks the server once, when the engine that it was made for first connects:
            # which may be never, or after others connected with it.
            with engine.connect():
                self._first = engine
        # It is kept by dialect, of which each engine would have its own.
        engine.dialect = self._first.dialect
        engine.update_execution_options(compiled_cache=self._compiled)
