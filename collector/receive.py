"""From the bytes of a request to what became of it, the same way through both doors.

bytes -> read (out of compression and JSON) -> understood together with those that wait
(``groups.py``) -> put down together with others (``batches.py``), or kept on this disk while
Postgres is away (``keeping.py``) -> account. Nothing is answered before it is safe.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

import structlog

from collector.batches import Writer
from collector.came_from import CameFrom
from collector.content_switch import ContentSwitch
from collector.deadlines import Deadlines
from collector.errors import Busy, Denied, Malformed, TooLarge
from collector.groups import Groups, Pending
from collector.health import Health
from collector.keeping import Keeper
from collector.kept_senders import KeptSenders
from collector.limits import InFlight, Limits, check_items
from collector.senders import Gate, Sender
from collector.signals import Request, Signal
from collector.spool.drain import Drainer
from collector.spool.spool import Spool
from collector.spool.state import Place
from collector.tally import Tally
from store.access.refused_keys import RefusalLog
from store.intake.intake import Account
from store.metrics.metric_text import Certificates, no_certificates
from store.postgres.sessions import Database
from store.steps import Lost, Steps, none_lost, untold

log = structlog.get_logger(__name__)

_THREADS: Final = 2
"""To read, and for keys. More would only wait for each other: Python runs in one at a time."""
_REFUSALS: Final = (
    (TooLarge, "too_large"),
    (Malformed, "malformed"),
    (Denied, "denied"),
    (Busy, "busy"),
)
_MOMENT: Final = 1.0
"""Seconds that the spool's threads have to end: whatever they leave is on the disk."""
_LOOKUP_SECONDS: Final = 1.5
"""For a key: what it takes is missing from the time that the sender waits for us."""


class Receiver:
    """What the doors share: limits, keys, the thread that understands and the one that writes."""

    def __init__(
        self,
        database: Database,
        pepper: bytes,
        *,
        limits: Limits,
        spool: Place | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        steps: Steps = untold,
        lost: Lost = none_lost,
        certificates: Certificates = no_certificates,
    ) -> None:
        self.limits = limits
        self.in_flight = InFlight(limits.in_flight_bytes, limits.key_bytes)
        self.tally = Tally(lost)
        self._clock = clock
        kept = KeptSenders(spool.root / "senders" if spool else None, pepper)
        self._gate = Gate(database, pepper, clock=clock, kept=kept)
        self._refusals = RefusalLog()
        self._deadlines = Deadlines(database)
        self._writer = Writer(
            database, limits, self._deadlines, took=self.tally.committed, steps=steps
        )
        self._spool = Spool(spool.root, spool.bounds, clock) if spool else None
        self._drainer = (
            Drainer(self._spool, self._writer, self.tally, steps) if self._spool else None
        )
        keeper = Keeper(self._writer, self._spool)
        self._contents = ContentSwitch(database, self._deadlines)
        self._groups = Groups(keeper, self.tally, limits, self.in_flight, self._contents.of)
        self.health = Health(
            self.tally, self.in_flight, self._writer, self._spool, clock, certificates
        )
        self._readers = ThreadPoolExecutor(_THREADS, thread_name_prefix="read")
        # Apart from those: looking up a key waits for the database.
        self._lookups = ThreadPoolExecutor(_THREADS, thread_name_prefix="keys")

    def start(self) -> None:
        """Begin to write."""
        self._deadlines.start()
        self._writer.start()
        if self._spool and self._drainer:
            self._spool.start()
            self._drainer.start()
        self._contents.start()
        # Now, and not only when the first one comes without a key: the database may be away then.
        self._lookups.submit(self._look_up, None, True)

    def stop(self, timeout: float) -> None:
        """Put down what is understood, and end. What is in the spool stays there."""
        if self._drainer:
            self._drainer.stop(_MOMENT)
        if not self._writer.stop(timeout):
            log.warning("ended before everything was put down: its senders were not answered")
        if self._spool:
            self._spool.stop(_MOMENT)
        self._contents.stop(_MOMENT)
        self._deadlines.stop()
        self._groups.stop()
        self._readers.shutdown(wait=False, cancel_futures=True)
        self._lookups.shutdown(wait=False, cancel_futures=True)

    async def admit(self, came: CameFrom) -> Sender:
        """Who sends. Raises Denied, which the log is told, or Busy."""
        try:
            return await self._admitted(came.key, local=came.local)
        except Denied as error:
            said = {"forwarded_for": came.forwarded_for, "user_agent": came.agent}
            self._refusals.note(error.bad, came.peer, **said)
            raise

    async def _admitted(self, key: str | None, *, local: bool) -> Sender:
        sender = self._gate.remembered(key, local=local, away=self._writer.away)
        if sender:
            return sender
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(_LOOKUP_SECONDS):
                return await loop.run_in_executor(self._lookups, self._look_up, key, local)
        except TimeoutError:
            sender = self._gate.remembered(key, local=local, away=True)
            if sender:
                return sender
            raise Busy("the key cannot be looked up at the moment") from None

    async def ready(self) -> tuple[bool, bytes]:
        """Whether more is taken, and how things stand, as JSON."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_LOOKUP_SECONDS):
                await asyncio.get_running_loop().run_in_executor(self._lookups, self._writer.probe)
        return self.health.ready()

    async def metrics(self, accept: str | None) -> tuple[str, bytes]:
        """What was counted, as Prometheus reads it: its media type and text."""
        loop = asyncio.get_running_loop()
        # Files of this machine's other workers are read for it.
        return await loop.run_in_executor(self._readers, self.health.metrics, accept)

    def _look_up(self, key: str | None, local: bool) -> Sender:
        with self._deadlines.within():
            return self._gate.admit(key, local=local)

    async def hear(self, read: Callable[[], Request], sender: Sender, signal: Signal) -> Account:
        """Store one request; returns once it is committed, or safe in the spool.

        ``read`` gives the request; it is called in a thread and may raise.
        Raises Malformed, TooLarge or Busy.
        """
        received_at = self._clock()
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self.limits.answer_seconds):
                request, items = await loop.run_in_executor(self._readers, self._read, read, signal)
                account = loop.create_future()
                pending = Pending(request, items, sender, signal, received_at, account)
                return await self._groups.account(pending)
        except TimeoutError:
            raise Busy(f"not stored within {self.limits.answer_seconds:g} seconds") from None

    def _read(self, read: Callable[[], Request], signal: Signal) -> tuple[Request, int]:
        """A request, and how many items it holds. Runs in a thread."""
        request = read()
        return request, check_items(request.body, self.limits.spans, signal)

    def refused(self, door: str, error: Exception, seconds: float) -> None:
        """Count a refusal, which took so long, and log what nobody foresaw."""
        answer = next((name for kind, name in _REFUSALS if isinstance(error, kind)), "failed")
        self.tally.answered(door, answer, seconds)
        if isinstance(error, Denied):
            self.tally.denied(error.bad.why)
        if answer == "failed":
            count = self.tally.counts().answers[door, "failed"]
            log.error("a request failed", door=door, count=count, exc_info=error)
