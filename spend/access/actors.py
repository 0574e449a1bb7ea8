"""Who does something, for the record of changes."""

from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["person", "key", "machine", "command", "job"]


@dataclass(frozen=True, slots=True)
class Actor:
    """Whoever changes something, as they were known then."""

    kind: Kind
    """``machine``: anybody on this machine, where no keys exist. ``command``: at the command
    line. ``job``: spanledger itself."""
    name: str
    """For people: a person's or a key's name, an account of the operating system."""
    id: str | None = None
    """Of the person or the key."""
    address: str | None = None
    """Where the request came from: an IP address; None: no request, or not known."""


JOB: Final = Actor("job", "spanledger")
ANYBODY: Final = Actor("machine", "anybody on this machine")
"""Whoever is on this machine, where no keys exist."""
