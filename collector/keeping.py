"""Where what was understood is kept before its senders are answered: in Postgres, or in the spool.

The spool is for while Postgres is away or slow. SDKs wait for ten seconds at most, so whoever is
not committed soon goes there too. If its transaction ends after all, it is there twice and counts
once.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Final

from collector.batches import Unstorable, Writer
from collector.spool.codec import encode
from collector.spool.spool import Full, Spool
from store.intake.intake import Account, Heard, Part, Unaccounted

PATIENCE: Final = 2.5
"""Seconds that Postgres has to commit."""


class Keeper:
    """Keeps what was heard, one way or the other. Used from one event loop."""

    def __init__(self, writer: Writer, spool: Spool | None) -> None:
        self._writer = writer
        self._spool = spool

    async def keep(self, heard: Heard, received_at: datetime) -> Sequence[Account]:
        """What became of each request, once it is safe. Raises Busy."""
        if self._spool is None:
            return await asyncio.wrap_future(self._writer.put(heard, received_at).accounts)
        if self._writer.away or self._writer.hangs(PATIENCE):
            # Where that is full, whoever tries all the same finds out that Postgres is back.
            with suppress(Full):
                return await _spooled(self._spool, heard, received_at)
        done = asyncio.wrap_future(self._writer.put(heard, received_at).accounts)
        await asyncio.wait([done], timeout=PATIENCE)
        if done.done() and (done.exception() is None or isinstance(done.exception(), Unstorable)):
            return done.result()
        try:
            accounts = await _spooled(self._spool, heard, received_at)
        except Full:
            return await done
        done.cancel()
        return accounts


async def _spooled(spool: Spool, heard: Heard, received_at: datetime) -> Sequence[Account]:
    accounts = [_account(part) for part in heard.parts]
    spans = sum(account.spooled for account in accounts)
    await asyncio.wrap_future(spool.put(partial(encode, heard, received_at), spans))
    return accounts


def _account(part: Part) -> Account:
    spooled = part.heard - part.not_a_call - sum(part.refused.values())
    if spooled < 0:
        raise Unaccounted(f"more is refused and no call than was heard: {part}")
    return Account(
        heard=part.heard,
        stored=0,
        duplicate=0,
        not_a_call=part.not_a_call,
        refused=part.refused,
        usage_refused=part.usage_refused,
        spooled=spooled,
    )
