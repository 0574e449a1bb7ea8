"""Gives memory back to the system after a storm of large requests.

glibc keeps what was freed, in pieces between what is in use: after requests of 20 MiB half a
gigabyte, and as much on top of the next storm.
"""

import asyncio
import ctypes
from threading import Event
from typing import Final

from collector.limits import MIB, InFlight

_MUCH: Final = 32 * MIB
"""In flight at one time: what ordinary exporters send stays far below."""
_PAUSE: Final = 1.0
_ROUNDS: Final = 3
"""Also after the storm: what carried a request is freed a little later than it is answered."""


async def give_back(in_flight: InFlight, stop: Event) -> None:
    """Until ``stop`` is set: a second after much was in flight, gives back what is free."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    rounds = 0
    while not stop.is_set():
        await asyncio.sleep(_PAUSE)
        rounds = _ROUNDS if in_flight.most() > _MUCH else rounds - 1
        if rounds > 0 and trim:
            # Some 10 ms, in which others go on.
            await asyncio.to_thread(trim, 0)
