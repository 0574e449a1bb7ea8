"""Why a key opens nothing, for the log of whoever runs us. Who shows it is told less.

What is logged is a key's id and name, which open nothing; never its secret, nor a part or a digest
of it, and of a text that is none of our keys nothing at all.
"""

import re
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from threading import Lock
from typing import Final

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from store.access.keys import BEGINS, is_the_text_of
from store.tables.access import keys

log = structlog.get_logger(__name__)

AGAIN: Final = 900.0
"""Seconds until the same is told again."""
OURS: Final = 10
"""Lines in a minute about keys that were made here."""
STRANGERS: Final = 2
"""And about all else, of which anybody can show any number."""
_MINUTE: Final = 60
_MOST_TOLD: Final = 4096
_LONGEST: Final = 100
"""Characters of what a sender says of itself."""
_ID: Final = re.compile(BEGINS + "[a-z2-7]*")


class Why(StrEnum):
    """What is wrong with what was shown."""

    NONE = "none"
    """No key was shown."""
    FOREIGN = "foreign"
    """It is not of the shape of our keys: another product's, or a placeholder."""
    UNKNOWN = "unknown"
    """No key has this id: of another ledger, say."""
    SECRET = "secret"  # noqa: S105  # a reason
    """There is a key with this id, and this is not it: cut, mistyped, or of another pepper."""
    REVOKED = "revoked"
    EXPIRED = "expired"
    KIND = "kind"
    """It is good, and not for what it was shown for."""


@dataclass(frozen=True, slots=True)
class BadKey:
    """What is known of a key that was refused."""

    why: Why
    key_id: str | None = None
    """The readable part of what was shown; None: it has none."""
    name: str | None = None
    """What people call the key of that id; None: there is none, or nobody could be asked."""
    since: datetime | None = None
    """When it was revoked, or expired (UTC)."""


def looked_at(
    session: Session, text: str, *, kinds: tuple[str, ...], pepper: bytes, now: datetime
) -> BadKey:
    """Why a text was refused that was to be a key in force of one of ``kinds``."""
    shape = _ID.fullmatch(text)
    if shape is None:
        return BadKey(Why.FOREIGN)
    key_id = shape[2]
    c = keys.c
    asked = select(c.name, c.kind, c.digest, c.revoked_at, c.expires_at).where(c.id == key_id)
    bad = BadKey(Why.UNKNOWN, key_id)
    for name, kind, digest, revoked_at, expires_at in session.execute(asked):
        if not is_the_text_of(text, digest, pepper):
            bad = BadKey(Why.SECRET, key_id, name)
        elif revoked_at is not None:
            return BadKey(Why.REVOKED, key_id, name, revoked_at)
        elif expires_at is not None and expires_at <= now:
            return BadKey(Why.EXPIRED, key_id, name, expires_at)
        elif kind not in kinds:
            return BadKey(Why.KIND, key_id, name)
    return bad


class RefusalLog:
    """Tells the log who is refused, each once in a quarter of an hour. Any thread may.

    However many are refused, it is so many lines a minute: strangers do not fill a disk, nor hide
    one of ours.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._told: dict[tuple[Why, str | None, str], float] = {}
        self._minute = 0
        self._lines: Counter[bool] = Counter()
        self._untold = 0
        self._lock = Lock()

    def note(self, bad: BadKey, peer: str, **said: str) -> None:
        """One was refused that came from ``peer``, and ``said`` of itself what may be untrue."""
        with self._lock:
            untold = self._turn(bad, peer)
        if untold is None:
            return
        known = {"key_id": bad.key_id, "key_name": bad.name}
        known["since"] = f"{bad.since:%Y-%m-%dT%H:%MZ}" if bad.since else None
        rest = {name: text[:_LONGEST] for name, text in said.items()}
        told = {name: text for name, text in {**known, "peer": peer, **rest}.items() if text}
        more = {"others_untold": untold} if untold else {}
        log.warning("a key was refused", why=bad.why.value, **told, **more)

    def _turn(self, bad: BadKey, peer: str) -> int | None:
        """How many were not told since the last line; None: this one is not either."""
        now = self._monotonic()
        this = bad.why, bad.key_id if bad.name else None, peer
        if now - self._told.get(this, -AGAIN) < AGAIN:
            return None
        if self._minute != now // _MINUTE:
            self._minute = int(now // _MINUTE)
            self._lines.clear()
        ours = bad.name is not None
        if self._lines[ours] >= (OURS if ours else STRANGERS):
            self._untold += 1
            return None
        self._lines[ours] += 1
        if len(self._told) >= _MOST_TOLD:
            self._told.clear()
        self._told[this] = now
        untold, self._untold = self._untold, 0
        return untold
