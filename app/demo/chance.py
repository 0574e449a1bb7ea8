"""Chance that comes out the same each time: everything random in the demo is keyed."""

import random


def chance_of(key: str) -> random.Random:
    """The chance that belongs to a key; two keys have nothing to do with each other."""
    return random.Random(key)  # noqa: S311 - a simulation, not a secret
