"""What all measures are told."""

from collections.abc import Callable
from dataclasses import dataclass

from app.local_postgres import LocalPostgres
from bench.bodies import MADE_UP


@dataclass(frozen=True, slots=True)
class Plan:
    """How much to measure, and on what."""

    server: LocalPostgres
    seconds: float
    """Of one load."""
    minutes: float
    """Of the long one; 0: none."""
    connections: int
    workers: int
    """As many as the product runs here."""
    tokens: list[tuple[int, int]]
    """(in, out) of the calls."""
    say: Callable[[str], None]
    """Tells whoever waits what comes next."""

    @property
    def how(self) -> dict[str, object]:
        """What the figures depend on, for whoever reads them later."""
        return {
            "postgres": self.server.binaries.version,
            "seconds": self.seconds,
            "minutes": self.minutes,
            "connections": self.connections,
            "workers": self.workers,
            "made_up_tokens": self.tokens is MADE_UP,
        }
