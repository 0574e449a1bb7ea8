"""Who asks, and what of the ledger they may see."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever holds the key that a request came with, or anybody, where no keys exist."""

    may_write: bool
    team: str | None = None
    """The only team that it may see; None: all of them."""
