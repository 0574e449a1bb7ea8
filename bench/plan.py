"""What all measures are told."""

from collections.abc import Callable
from dataclasses import dataclass

from app.local_postgres import LocalPostgres


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
