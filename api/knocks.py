"""Counts keys that were refused, by the address they came from: who tries many waits.

To guess 256 random bits is hopeless; this keeps those who try from costing the database a query
each. Memory is bounded: addresses and keys share places in tables of a fixed size, chosen by a hash
that nobody outside can foresee. Each process counts for itself.
"""

import hashlib
import ipaddress
import secrets
import time
from collections import Counter
from collections.abc import Callable
from threading import Lock
from typing import Final

from fastapi import Request

from api.problems import Problem

MOST: Final = 30
"""Refused keys of one address in a minute."""
WINDOW: Final = 60
"""Seconds."""
PLACES: Final = 4096
BAD_FOR: Final = 5.0
"""Seconds that a refused key is refused without a look: it may have been made since."""
GOOD_FOR: Final = 3600.0
"""Seconds that a key which was good is looked up whoever else tries keys from its address."""
UNKNOWN: Final = "unknown"
WAIT: Final = "wait"
_WHOLE_NETWORK: Final = 64
"""Bits of an IPv6 address that one household has to itself."""


class Knocks:
    """Who was refused lately. Any thread may ask."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._salt = secrets.token_bytes(16)
        self._counts = [(0, 0)] * PLACES
        self._verdicts: list[tuple[bytes, bool, float] | None] = [None] * PLACES
        self._lock = Lock()
        self.refused: Counter[str] = Counter()
        """How often a key was none (unknown), and an address was told to wait, since the start."""

    def check(self, address: str, text: str) -> bool:
        """Whether a key is to be looked up; False: it was refused a moment ago. Problem 429."""
        digest = self._digest(text)
        verdict = self._verdicts[_place(digest)]
        now = self._monotonic()
        if verdict is not None and verdict[0] == digest:
            _, good, at = verdict
            if not good and now - at < BAD_FOR:
                self._count(UNKNOWN)
                return False
            if good and now - at < GOOD_FOR:
                return True
        self.admit(address)
        return True

    def admit(self, address: str) -> None:
        """Lets an address try; Problem 429 where too many of its keys were refused."""
        now = self._monotonic()
        window, count = self._counts[self._place_of(address)]
        if window == int(now // WINDOW) and count >= MOST:
            self._count(WAIT)
            wait = WINDOW - int(now % WINDOW)
            detail = f"Too many keys from this address were refused. Come again in {wait} s."
            raise Problem(429, "Too many refused keys", detail, headers={"Retry-After": str(wait)})

    def told(self, address: str, text: str, *, good: bool) -> None:
        """What the database said of a key."""
        digest = self._digest(text)
        now = self._monotonic()
        place = self._place_of(address)
        with self._lock:
            if good or not self._is_of_a_good_one(_place(digest), digest, now):
                self._verdicts[_place(digest)] = (digest, good, now)
            if good:
                return
            self.refused[UNKNOWN] += 1
            window, count = self._counts[place]
            this = int(now // WINDOW)
            self._counts[place] = (this, count + 1 if window == this else 1)

    def _count(self, answer: str) -> None:
        with self._lock:
            self.refused[answer] += 1

    def _is_of_a_good_one(self, place: int, digest: bytes, now: float) -> bool:
        """Whether another key that is good stands there: what is tried does not push it out."""
        there = self._verdicts[place]
        return there is not None and there[1] and there[0] != digest and now - there[2] < GOOD_FOR

    def _place_of(self, address: str) -> int:
        return _place(self._digest(_network(address)))

    def _digest(self, text: str) -> bytes:
        return hashlib.blake2b(text.encode("utf-8", "replace"), key=self._salt).digest()


def address_of(request: Request) -> str:
    """Where a request comes from (``api/proxies.py``); nothing where that is not known."""
    return "" if request.client is None else request.client.host


def _place(digest: bytes) -> int:
    return int.from_bytes(digest[:8]) % PLACES


def _network(address: str) -> str:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return address
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, _WHOLE_NETWORK), strict=False))
