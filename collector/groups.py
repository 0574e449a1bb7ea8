"""Understands requests that wait, those of one sender and signal together, and tells each its end.

Five thousand spans are understood together in half the time that they take in ten requests. One
request that comes alone is understood at once; where more are on their way in, it waits a little.
While a group is understood and another is put down, the next one gathers: the busier it is, the
larger the groups.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from collector.batches import Unstorable
from collector.keeping import Keeper
from collector.limits import MIB, InFlight, Limits
from collector.senders import Sender
from collector.signals import Request, Signal
from collector.tally import Tally
from collector.understanding.by_signal import understand_signal, with_left_out
from collector.understanding.content import Keeping
from store.intake.intake import Account, Heard, apart

_MOST_BYTES: Final = 4 * MIB
"""Of requests that are understood together: more takes memory, and saves no more time."""
_ENOUGH_BYTES: Final = MIB
"""So many need not wait for more."""
_LITTLE: Final = 0.003
"""Seconds: what a group of one costs more of the processor."""


@dataclass(frozen=True, slots=True, eq=False)
class Pending:
    """A request on its way from a door to its account."""

    request: Request
    items: int
    """Spans, log records or data points in it."""
    sender: Sender
    signal: Signal
    received_at: datetime
    account: asyncio.Future[Account]


Outcome = tuple[Sequence[Pending], Heard | Exception]
"""What was understood of some requests, or why nothing was."""


class Groups:
    """The thread that understands, and what waits for it. Used from one event loop."""

    def __init__(
        self,
        keeper: Keeper,
        tally: Tally,
        limits: Limits,
        in_flight: InFlight,
        keeping_of: Callable[[int], Keeping | None] = lambda _tenant: None,
    ) -> None:
        """``keeping_of`` says how a tenant's content is kept, if it is."""
        self._keeper = keeper
        self._keeping_of = keeping_of
        self._in_flight = in_flight
        self._tally = tally
        self._most_items = limits.spans
        self._most_ahead = 2 * limits.batch_rows
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="understand")
        self._waiting: dict[tuple[Sender, Signal], deque[Pending]] = {}
        self._inside = 0
        """Requests that have come in and are not answered yet."""
        self._came = asyncio.Event()
        self._ahead = 0
        """Sightings that are understood and not settled yet."""
        self._settled = asyncio.Event()
        self._running: set[asyncio.Task[None]] = set()
        self._understanding = False

    def stop(self) -> None:
        """Begin nothing more."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def account(self, request: Pending) -> Account:
        """What became of a request, once it is committed.

        Raises Malformed, Busy, or what nobody foresaw. One whose caller is cancelled before it
        is understood is forgotten.
        """
        waiting = self._waiting.setdefault((request.sender, request.signal), deque())
        waiting.append(request)
        self._inside += 1
        self._came.set()
        if not self._understanding:
            self._understanding = True
            self._run(self._understand_all())
        try:
            return await request.account
        except asyncio.CancelledError:
            with suppress(ValueError):
                waiting.remove(request)
            raise
        finally:
            self._inside -= 1

    async def _understand_all(self) -> None:
        """Until nobody waits any more."""
        try:
            while self._waiting:
                await self._room()
                await self._company()
                group = self._next_group()
                keeping = self._keeping_of(group[0].sender.tenant) if group else None
                outcomes = await asyncio.get_running_loop().run_in_executor(
                    self._thread, _understood, group, keeping
                )
                for requests, outcome in outcomes:
                    self._go_on(requests, outcome)
        finally:
            self._understanding = False

    async def _room(self) -> None:
        """Wait while two transactions' worth is understood: the next group grows meanwhile."""
        while self._ahead >= self._most_ahead:
            self._settled.clear()
            await self._settled.wait()

    async def _company(self) -> None:
        """Wait a little for requests that are on their way in, where few are here."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_LITTLE):
                while self._in_flight.requests > self._inside and self._are_few():
                    self._came.clear()
                    await self._came.wait()

    def _are_few(self) -> bool:
        waiting = next(iter(self._waiting.values()), ())
        return sum(len(pending.request.body) for pending in waiting) < _ENOUGH_BYTES

    def _next_group(self) -> list[Pending]:
        """The requests that wait longest, and what came after them from the same sender."""
        of = next(iter(self._waiting))
        waiting = self._waiting.pop(of)
        group: list[Pending] = []
        size = items = 0
        while waiting:
            size += len(waiting[0].request.body)
            items += waiting[0].items
            if group and (size > _MOST_BYTES or items > self._most_items):
                break
            group.append(waiting.popleft())
        if waiting:
            # Behind those of other senders.
            self._waiting[of] = waiting
        return group

    def _go_on(self, requests: Sequence[Pending], outcome: Heard | Exception) -> None:
        if isinstance(outcome, Exception):
            _refuse(requests, outcome)
        elif any(part.heard for part in outcome.parts):
            self._ahead += outcome.sightings.num_rows
            self._run(self._put_down(requests, outcome))
        else:
            self._answer(requests, [Account(0, 0, 0, 0, {}, {}) for _ in requests])

    async def _put_down(self, requests: Sequence[Pending], heard: Heard) -> None:
        received_at = min(request.received_at for request in requests)
        try:
            accounts = await self._keeper.keep(heard, received_at)
        except Exception as error:  # noqa: BLE001 - it is told to all of them
            if isinstance(error, Unstorable) and len(requests) > 1:
                # One of them is the reason: the others must not suffer for it.
                for request, alone in zip(requests, apart(heard), strict=True):
                    self._go_on([request], alone)
            else:
                _refuse(requests, error)
        else:
            self._answer(requests, accounts)
        finally:
            self._ahead -= heard.sightings.num_rows
            self._settled.set()

    def _answer(self, requests: Sequence[Pending], accounts: Sequence[Account]) -> None:
        for request, account in zip(requests, accounts, strict=True):
            self._tally.stored(account)
            if not request.account.done():
                request.account.set_result(account)

    def _run(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        # The loop itself would forget it.
        self._running.add(task)
        task.add_done_callback(self._running.discard)


def _refuse(requests: Sequence[Pending], error: Exception) -> None:
    for request in requests:
        if not request.account.done():
            request.account.set_exception(error)


def _understood(group: Sequence[Pending], keeping: Keeping | None) -> list[Outcome]:
    """What a group holds, in one piece where all of it can be understood. Runs in a thread."""
    if not group:
        return []
    try:
        heard = understand_signal(
            group[0].signal,
            [pending.request.body for pending in group],
            tenant=group[0].sender.tenant,
            received_at=min(pending.received_at for pending in group),
            key_team=group[0].sender.team,
            keeping=keeping,
        )
    except Exception as error:  # noqa: BLE001 - the sender is told, and it is counted there
        if len(group) == 1:
            return [(group, error)]
        # One of them is the reason: the others must not suffer for it.
        return [outcome for pending in group for outcome in _understood([pending], keeping)]
    return [(group, with_left_out(heard, [pending.request for pending in group]))]
