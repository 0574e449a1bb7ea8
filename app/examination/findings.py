"""What a check is given, and what it finds."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from sqlalchemy.orm import Session

from app.settings import Settings


class State(Enum):
    """How it is."""

    WELL = "ok"
    LOOK = "look"
    """Nothing is broken, but somebody should know."""
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the examination."""

    what: str
    state: State
    said: str
    do: str = ""
    """What helps; empty where nothing has to be done, or ``said`` tells."""


@dataclass(frozen=True, slots=True)
class Looking:
    """What checks of the database look at: on one snapshot, which they cannot change."""

    session: Session
    settings: Settings
    now: datetime
    """UTC."""


Check = Callable[[Looking], Iterator[Finding]]
