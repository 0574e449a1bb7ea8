"""Ids that any process computes alike from what they stand for.

Owners, routes and emitters are few and repeat in every batch. Their id is a hash of their content,
so that stateless collectors agree on it without asking the database. 64 bits: among a million
different ones two collide with a chance of 3 in 10^8.
"""

import hashlib
import json
from dataclasses import astuple

from spend.calls import Emitter, Owner, Route


def content_id(value: Owner | Route | Emitter) -> int:
    """The id of an owner, a route or an emitter: a signed 64-bit integer, never 0.

    An emitter's has 32 bits, as they are few and each sighting carries one: among a hundred
    different ones two collide with a chance of 1 in 10^6.
    """
    whole = id_of(type(value).__name__, *astuple(value))
    if not isinstance(value, Emitter):
        return whole
    return (whole & (1 << 32) - 1 ^ 1 << 31) - (1 << 31) or 1


def id_of(*parts: str | None) -> int:
    """The id that some texts stand for, in this order: a signed 64-bit integer, never 0."""
    text = json.dumps(parts, ensure_ascii=False)
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True) or 1


def signed(digits: str) -> int:
    """16 hex digits, of a span id or a digest, as they are stored: 8 bytes, big-endian, signed."""
    return int.from_bytes(bytes.fromhex(digits), "big", signed=True)


def unsigned(stored: int) -> str:
    """A stored span id or digest as people know it: 16 hex digits."""
    return f"{stored & (1 << 64) - 1:016x}"
