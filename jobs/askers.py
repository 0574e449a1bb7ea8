"""Who may ask the jobs' process how it does: this machine without keys, else who reads everything.

As at the API's door; a key that sends, or of one team, is not enough.
"""

import hashlib
import ipaddress
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import Enum
from threading import Lock
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from spend.access.forwarded import is_our_own
from store.access.keys import find_key, has_keys
from store.postgres.pulse import Pulse
from store.postgres.sessions import Database

GOOD_FOR: Final = 60.0
"""Seconds for which a key that was good is let in without a look."""
BAD_FOR: Final = 5.0
_MOST: Final = 1000


class Verdict(Enum):
    """Whether somebody is let in."""

    MAY = 200
    UNKNOWN = 401
    MAY_NOT = 403
    NOBODY_KNOWS = 503
    """Postgres is away, and they were not let in before."""


class Askers:
    """Who was let in lately. Any thread may ask."""

    def __init__(
        self, database: Database, pulse: Pulse, pepper: bytes, clock: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._pulse = pulse
        self._pepper = pepper
        self._clock = clock
        # By digest, so that a dump of our memory holds no key.
        self._known: dict[bytes, tuple[Verdict, float]] = {}
        self._lock = Lock()

    def judge(self, headers: Mapping[str, str], peer: str) -> Verdict:
        """Whether whoever sent these headers (names in small letters) from there is let in."""
        scheme, _, shown = headers.get("authorization", "").partition(" ")
        key = shown.strip() if scheme.lower() == "bearer" else ""
        local = _is_local(peer) and is_our_own(headers)
        name = hashlib.blake2b(f"{local} {key}".encode("utf-8", "replace")).digest()
        known = self._known.get(name)
        if known is not None and time.monotonic() < known[1]:
            return known[0]
        found = self._look(key, local=local)
        if found is Verdict.NOBODY_KNOWS:
            return known[0] if known is not None else found
        with self._lock:
            if len(self._known) >= _MOST:
                self._known.clear()
            good_for = GOOD_FOR if found is Verdict.MAY else BAD_FOR
            self._known[name] = found, time.monotonic() + good_for
        return found

    def _look(self, key: str, *, local: bool) -> Verdict:
        if not self._pulse.up():
            return Verdict.NOBODY_KNOWS
        try:
            with self._database.read() as session:
                if not key:
                    may = local and not has_keys(session)
                    return Verdict.MAY if may else Verdict.UNKNOWN
                found = find_key(session, key, pepper=self._pepper, now=self._clock())
        except SQLAlchemyError:
            return Verdict.NOBODY_KNOWS
        if found is None:
            return Verdict.UNKNOWN
        its = found[1]
        whole = its.kind == "admin" or (its.kind == "read" and its.team is None)
        return Verdict.MAY if whole else Verdict.MAY_NOT


def _is_local(peer: str) -> bool:
    try:
        return ipaddress.ip_address(peer).is_loopback
    except ValueError:
        return False
