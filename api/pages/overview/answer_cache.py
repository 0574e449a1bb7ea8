"""What a page worked out of the ledger's past, for whoever asks for the same soon after.

It is kept under what it depends on: a line that is posted makes it out of date at once, and what
no line tells of, such as a name or an exchange rate, within a minute.
"""

from collections.abc import Callable, Hashable
from datetime import datetime
from typing import Any, Final, TypeVar

from fastapi import Request
from sqlalchemy.orm import Session

from store.ledger.ledger import last_id

MOST_KEPT: Final = 64

_Made = TypeVar("_Made")


class Kept:
    """Of one application. Any thread may ask; two that ask at once both work it out."""

    def __init__(self) -> None:
        self._made: dict[Hashable, tuple[Hashable, Any]] = {}

    def get(self, key: Hashable, version: Hashable, make: Callable[[], _Made]) -> _Made:
        """What was made of ``key`` when it had this version, or is made now."""
        known = self._made.get(key)
        if known is not None and known[0] == version:
            found: _Made = known[1]
            return found
        made = make()
        if len(self._made) >= MOST_KEPT:
            self._made = {}
        self._made[key] = version, made
        return made


def kept_of(request: Request) -> Kept:
    """That of the application that was asked."""
    state = request.app.state
    if not hasattr(state, "kept"):
        state.kept = Kept()
    found: Kept = state.kept
    return found


def version_of(session: Session, tenant: int, now: datetime) -> Hashable:
    """Changes with every line that is posted, and every minute."""
    return last_id(session, tenant), now.replace(second=0, microsecond=0)
