"""Which of many days can hold a trace: a filter of ten bits a trace, asked for 64 bytes at a time.

A Bloom filter in blocks: a trace sets six bits of one block. Of a trace that is not in it, about
one in a hundred is taken to be; of those that are, none is missed.
"""

from typing import Final
from uuid import UUID

import numpy as np
import numpy.typing as npt

BLOCK: Final = 64
"""Bytes of a block: what has to be read to ask for one trace."""

_BITS_A_TRACE: Final = 10
_BITS: Final = BLOCK * 8
_SET: Final = 6
_PLACE: Final = np.uint64(_BITS - 1)
_WIDTH: Final = np.uint64(9)
"""Bits of a place in a block."""

Words = npt.NDArray[np.uint64]


class TraceFilter:
    """Filled with the traces of a day, in any order and any number of times."""

    def __init__(self, at_most: int) -> None:
        """For so many different traces; with more of them it is right, and worth less."""
        self._blocks = max(1, -(-at_most * _BITS_A_TRACE // _BITS))
        self._bytes = np.zeros(self._blocks * BLOCK, np.uint8)

    def add(self, traces: bytes) -> None:
        """Traces of 16 bytes each, one after the other."""
        where, which = _hashed(traces)
        block = (where % np.uint64(self._blocks)).astype(np.int64) * BLOCK
        for _ in range(_SET):
            bit = (which & _PLACE).astype(np.int64)
            np.bitwise_or.at(self._bytes, block + bit // 8, (1 << (bit % 8)).astype(np.uint8))
            which = which >> _WIDTH

    def written(self) -> bytes:
        """As it is kept: whole blocks."""
        return self._bytes.tobytes()


def place_of(trace: UUID) -> int:
    """A number (0 to 2^62); its remainder by the number of blocks is the trace's block."""
    return int(_hashed(trace.bytes)[0][0])


def is_in(trace: UUID, block: bytes) -> bool:
    """Whether a trace may be among those of a filter, by its block."""
    which = int(_hashed(trace.bytes)[1][0])
    for _ in range(_SET):
        bit = which & int(_PLACE)
        if not block[bit // 8] >> bit % 8 & 1:
            return False
        which >>= int(_WIDTH)
    return True


def _hashed(traces: bytes) -> tuple[Words, Words]:
    """Which block, and which bits of it; also of ids that are hardly random."""
    halves = np.frombuffer(traces, ">u8").astype(np.uint64).reshape(-1, 2)
    mixed = _mixed(halves[:, 0] ^ _mixed(halves[:, 1]))
    return mixed >> np.uint64(2), _mixed(mixed)


def _mixed(words: Words) -> Words:
    """The finaliser of MurmurHash3: each bit of a word changes half of the bits."""
    words = (words ^ (words >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    words = (words ^ (words >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
    mixed: Words = words ^ (words >> np.uint64(33))
    return mixed
