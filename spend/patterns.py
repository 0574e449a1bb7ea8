"""Patterns by which calls are chosen: a value, or the beginning of values with ``*`` at its end."""

from collections.abc import Iterable


def fits_one(value: str | None, patterns: Iterable[str]) -> bool:
    """Whether one of the patterns fits a value. What was not said fits none, not even ``*``."""
    return value is not None and any(
        value.startswith(pattern[:-1]) if pattern.endswith("*") else value == pattern
        for pattern in patterns
    )
