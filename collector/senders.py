"""Who may send: keys are asked of the database once a minute, and remembered while it is away."""

import hashlib
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from psycopg import Error as PsycopgError
from sqlalchemy.exc import SQLAlchemyError

from collector.errors import Busy, Denied
from collector.kept_senders import KeptSender, KeptSenders
from store.access.keys import find_key, is_news, list_keys, used
from store.access.refused_keys import BadKey, Why, looked_at
from store.postgres.sessions import Database
from store.tenants import TENANT

_KIND: Final = "ingest"
GOOD_FOR: Final = 60.0
"""Seconds. So long a revoked key goes on working."""
BAD_FOR: Final = 5.0
"""Seconds that a key is not looked up again which was not found: it may have been made since."""
MOST_KNOWN: Final = 10_000
NO_KEY: Final = ""
"""In the place of a key's id: of this machine, as long as nobody has made a key."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sent a request."""

    tenant: int
    team: str | None
    """Whose spans they are unless they say otherwise."""


@dataclass(frozen=True, slots=True)
class _Verdict:
    sender: Sender | None
    until: float
    key_id: str = NO_KEY
    expires_at: datetime | None = None
    """Of the key (UTC): then it is good no more, whoever says so."""
    key_name: str | None = None
    bad: BadKey | None = None
    """What is wrong with it, where the database said that it is not good."""


class Gate:
    """Lets senders in. Used by many threads; ``admit`` may ask the database, so it may block."""

    def __init__(
        self,
        database: Database,
        pepper: bytes,
        *,
        clock: Callable[[], datetime],
        kept: KeptSenders | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """``clock`` gives the present moment, UTC."""
        self._database = database
        self._kept = kept or KeptSenders(None, pepper)
        self._pepper = pepper
        self._clock = clock
        self._monotonic = monotonic
        # By digest of the key, so that a dump of our memory holds none; b"" is the sender who
        # shows no key.
        self._verdicts: dict[bytes, _Verdict] = {}
        self._review_at = monotonic() + GOOD_FOR

    def remembered(self, key: str | None, *, local: bool, away: bool = False) -> Sender | None:
        """Who that is, if it was asked within the last minute; or ever, if the database is away."""
        for name in _names(key, local=local):
            verdict = self._verdicts.get(name)
            if verdict and not self._expired(verdict):
                if verdict.sender and (away or self._monotonic() < verdict.until):
                    return verdict.sender
            elif away and verdict is None and (kept := self._remembered_on_disk(name)):
                return kept.sender
        return None

    def admit(self, key: str | None, *, local: bool) -> Sender:
        """Who that is. ``local``: the request comes from this machine.

        As long as nobody has made a key for sending, this machine may send without one. Raises
        Denied, or Busy where the database cannot say; what it said before goes on being true then.
        """
        bad = BadKey(Why.NONE)
        for name in _names(key, local=local):
            verdict = self._verdict(name, key)
            if verdict.sender:
                return verdict.sender
            bad = verdict.bad or bad
        if key is None:
            raise Denied("a key is needed: send it as 'Authorization: Bearer KEY'", bad)
        raise Denied("this key is not known, was revoked, expired, or is not one for sending", bad)

    def _verdict(self, name: bytes, key: str | None) -> _Verdict:
        known = self._verdicts.get(name)
        if known and self._expired(known):
            bad = BadKey(Why.EXPIRED, known.key_id, known.key_name, known.expires_at)
            return _Verdict(None, 0, bad=bad)
        if known and self._monotonic() < known.until:
            return known
        try:
            found = self._ask(key) if name else self._ask_whether_open()
        except (SQLAlchemyError, PsycopgError):
            known = known or self._remembered_on_disk(name)
            if known is None or known.sender is None:
                raise Busy("the key cannot be looked up at the moment") from None
            # To ask again at once would only take as long again.
            return self._noted(name, known, BAD_FOR)
        self._review()
        sender = found.sender
        if sender is None:
            self._kept.forget(name)
            return self._noted(name, found, BAD_FOR)
        self._kept.keep(
            name, KeptSender(sender.tenant, sender.team, found.key_id, found.expires_at)
        )
        return self._noted(name, found, GOOD_FOR)

    def _remembered_on_disk(self, name: bytes) -> _Verdict | None:
        kept = self._kept.find(name)
        if kept is None:
            return None
        found = _Verdict(Sender(kept.tenant, kept.team), 0, kept.key_id, kept.expires_at)
        return None if self._expired(found) else found

    def _expired(self, verdict: _Verdict) -> bool:
        return verdict.expires_at is not None and verdict.expires_at <= self._clock()

    def _noted(self, name: bytes, verdict: _Verdict, seconds: float) -> _Verdict:
        if len(self._verdicts) >= MOST_KNOWN:
            self._verdicts.clear()
        self._verdicts[name] = replace(verdict, until=self._monotonic() + seconds)
        return verdict

    def _review(self) -> None:
        """Forget, once a minute, whose keys were revoked: also where nobody shows them any more.

        Otherwise they would be good again as soon as the database is away.
        """
        if self._monotonic() < self._review_at:
            return
        self._review_at = self._monotonic() + GOOD_FOR
        with suppress(SQLAlchemyError, PsycopgError), self._database.read() as session:
            made = [key for key in list_keys(session, tenant=TENANT) if key.kind == _KIND]
            now = self._clock()
            good = {key.id for key in made if key.in_force(now)} if made else {NO_KEY}
            self._kept.forget_all_but(good)
            for name, verdict in list(self._verdicts.items()):
                if verdict.sender and verdict.key_id not in good:
                    self._verdicts.pop(name, None)

    def _ask(self, key: str | None) -> _Verdict:
        now, text = self._clock(), key or ""
        with self._database.read() as session:
            found = find_key(session, text, pepper=self._pepper, now=now)
            if found is None or found[1].kind != _KIND:
                bad = looked_at(session, text, kinds=(_KIND,), pepper=self._pepper, now=now)
                return _Verdict(None, 0, bad=bad)
        tenant, its = found
        if is_news(its, now):
            with suppress(SQLAlchemyError, PsycopgError), self._database.write() as session:
                used(session, its.id, tenant=tenant, now=now)
        return _Verdict(Sender(tenant, its.team), 0, its.id, its.expires_at, its.name)

    def _ask_whether_open(self) -> _Verdict:
        # Revoked ones too: whoever revokes the last key does not mean to open the door.
        with self._database.read() as session:
            made = any(key.kind == _KIND for key in list_keys(session, tenant=TENANT))
        return _Verdict(None if made else Sender(tenant=TENANT, team=None), 0)


def _names(key: str | None, *, local: bool) -> list[bytes]:
    own = [hashlib.blake2b(key.encode("utf-8", "replace")).digest()] if key else []
    return [*own, b""] if local else own
