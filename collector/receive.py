"""From the bytes of a request to what became of it, the same way through both doors.

bytes -> understood (a thread each, as the decoders let go of the interpreter in part) -> put down
together with others (``batches.py``) -> account. Nothing is answered before the commit.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Final

import structlog

from collector.batches import Waiting, Writer
from collector.errors import Busy, Denied, Malformed, TooLarge
from collector.limits import InFlight, Limits, check_items
from collector.senders import Gate, Sender
from collector.signals import Request, Signal
from collector.tally import Tally
from collector.understanding.by_signal import understand_signal, with_left_out
from store.intake import Account, Heard
from store.sessions import Database

log = structlog.get_logger(__name__)

_THREADS: Final = 2
"""More would only wait for each other: Python code runs in one thread at a time."""
_LOOKUP_SECONDS: Final = 1.5
"""For a key: what it takes is missing from the time that the sender waits for us."""


class Receiver:
    """What the doors share: limits, keys, the threads that understand and the one that writes."""

    def __init__(
        self,
        database: Database,
        pepper: bytes,
        *,
        limits: Limits,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.limits = limits
        self.in_flight = InFlight(limits.in_flight_bytes)
        self.tally = Tally()
        self._clock = clock
        self._gate = Gate(database, pepper)
        self._writer = Writer(database, limits)
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="understand")
        # Apart from those: looking up a key waits for the database.
        self._lookups = ThreadPoolExecutor(_THREADS, thread_name_prefix="keys")

    def start(self) -> None:
        """Begin to write."""
        self._writer.start()

    def stop(self, timeout: float) -> None:
        """Put down what is understood, and end."""
        if not self._writer.stop(timeout):
            log.warning("ended before everything was put down: its senders were not answered")
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._lookups.shutdown(wait=False, cancel_futures=True)

    async def admit(self, key: str | None, *, local: bool) -> Sender:
        """Who sends. Raises Denied or Busy."""
        sender = self._gate.remembered(key, local=local)
        if sender:
            return sender
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(_LOOKUP_SECONDS):
                return await loop.run_in_executor(
                    self._lookups, lambda: self._gate.admit(key, local=local)
                )
        except TimeoutError:
            raise Busy("the key cannot be looked up at the moment") from None

    async def hear(self, read: Callable[[], Request], sender: Sender, signal: Signal) -> Account:
        """Store one request; returns once it is committed.

        ``read`` gives the request; it is called in a thread and may raise.
        Raises Malformed, TooLarge or Busy.
        """
        received_at = self._clock()
        waiting: Waiting | None = None
        try:
            async with asyncio.timeout(self.limits.answer_seconds):
                with self._writer.expecting():
                    heard = await asyncio.get_running_loop().run_in_executor(
                        self._threads, self._understand, read, sender, signal, received_at
                    )
                    if heard.parts[0].heard == 0:
                        return Account(0, 0, 0, 0, {}, {})
                    waiting = self._writer.put(heard, received_at)
                account = await asyncio.wrap_future(waiting.account)
        except TimeoutError:
            raise Busy(f"not stored within {self.limits.answer_seconds:g} seconds") from None
        finally:
            if waiting is not None:
                self._writer.abandon(waiting)
        self.tally.stored(account)
        return account

    def _understand(
        self, read: Callable[[], Request], sender: Sender, signal: Signal, received_at: datetime
    ) -> Heard:
        request = read()
        check_items(request.body, self.limits.spans, signal)
        heard = understand_signal(
            signal,
            [request.body],
            tenant=sender.tenant,
            received_at=received_at,
            key_team=sender.team,
        )
        return with_left_out(heard, [request])

    def refused(self, door: str, error: Exception) -> None:
        """Count a refusal, and log what nobody foresaw."""
        match error:
            case TooLarge():
                self.tally.answered(door, "too large")
            case Malformed():
                self.tally.answered(door, "malformed")
            case Denied():
                self.tally.answered(door, "denied")
            case Busy():
                self.tally.answered(door, "busy")
            case _:
                self.tally.answered(door, "failed")
                count = self.tally.answers()[door, "failed"]
                log.error("a request failed", door=door, count=count, exc_info=error)
