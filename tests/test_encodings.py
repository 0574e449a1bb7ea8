"""What was compressed comes out as it was, and a bomb is stopped as it opens."""

import gzip
import random
import tracemalloc
import zlib
from collections.abc import Callable

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.encodings import decompress
from collector.errors import Busy, Malformed, TooLarge
from collector.limits import InFlight, Limits, Share

MIB = 2**20
PACKERS: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("gzip", gzip.compress),
    ("deflate", zlib.compress),
    ("deflate", lambda body: zlib.compress(body)[2:-4]),
    ("zstd", lambda body: pa.Codec("zstd").compress(body).to_pybytes()),
]


def unpack(body: bytes, encoding: str, most: int = 20 * MIB) -> bytes:
    return decompress(body, encoding, Limits(request_bytes=most), Share(InFlight(256 * MIB)))


@given(st.integers(0, 400_000), st.integers(0, 400_000), st.sampled_from(PACKERS))
@settings(max_examples=30, deadline=None)
def test_bodies_of_any_size_come_out_as_they_were(
    noise: int, zeros: int, packer: tuple[str, Callable[[bytes], bytes]]
) -> None:
    encoding, pack = packer
    body = random.Random(noise).randbytes(noise) + b"\0" * zeros
    assert unpack(pack(body), encoding) == body
    if body:
        with pytest.raises(TooLarge):
            unpack(pack(body), encoding, most=len(body) - 1)
    assert unpack(pack(body), encoding, most=len(body)) == body


@given(st.lists(st.binary(max_size=200_000), min_size=1, max_size=5))
@settings(max_examples=20, deadline=None)
def test_gzip_members_are_one_body(members: list[bytes]) -> None:
    assert unpack(b"".join(map(gzip.compress, members)), "gzip") == b"".join(members)


def test_a_bomb_is_stopped_as_it_opens() -> None:
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join(packer.compress(b"\0" * MIB) for _ in range(512)) + packer.flush()
    tracemalloc.start()
    with pytest.raises(TooLarge):
        unpack(bomb, "gzip")
    assert tracemalloc.get_traced_memory()[1] < 25 * MIB
    tracemalloc.stop()


def test_a_broken_body_leaves_no_memory_behind() -> None:
    whole = random.Random(1).randbytes(500)
    tracemalloc.start()
    for encoding, pack in PACKERS:
        for spoiled in (b"plain", pack(whole)[:-3], pack(whole)[:9] + b"x" * 99):
            before = tracemalloc.get_traced_memory()[0]
            for _ in range(20):
                with pytest.raises(Malformed):
                    unpack(spoiled, encoding)
            assert tracemalloc.get_traced_memory()[0] - before < 100_000, encoding
    tracemalloc.stop()


def test_what_all_hold_together_stops_a_body_too() -> None:
    in_flight = InFlight(MIB)
    with pytest.raises(Busy), in_flight.share() as share:
        decompress(gzip.compress(b"\0" * 2 * MIB), "gzip", Limits(), share)
    assert in_flight.held == 0


@given(st.integers(1, 60))
@settings(max_examples=20, deadline=None)
def test_a_body_cut_off_anywhere_is_malformed(missing: int) -> None:
    body = random.Random(1).randbytes(50)
    with pytest.raises(Malformed):
        unpack(gzip.compress(body)[:-missing], "gzip")
