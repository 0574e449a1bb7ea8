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
    """The id of an owner, a route or an emitter: a signed 64-bit integer, never 0."""
    return id_of(type(value).__name__, *astuple(value))


def id_of(*parts: str | None) -> int:
    """The id that some texts stand for, in this order: a signed 64-bit integer, never 0."""
    text = json.dumps(parts, ensure_ascii=False)
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True) or 1
