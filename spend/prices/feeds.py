"""Public price lists as lines of our own book, and what of them lines cannot say."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from spend.prices.prices import PriceLine

ALWAYS: Final = datetime(2020, 1, 1, tzinfo=UTC)
"""From when an undated price holds: before any call that we could hear of."""

CURRENCY: Final = "USD"
"""Of every public list that we can read."""


@dataclass(frozen=True, slots=True)
class Feed:
    """A list, and what of its source could not be said in lines."""

    lines: tuple[PriceLine, ...]
    left_out: Mapping[str, int] = field(default_factory=dict)
    """What, for people -> how many models."""

    @property
    def note(self) -> str:
        """What was left out, for people; '' if nothing was."""
        return ", ".join(f"{what}: {count}" for what, count in sorted(self.left_out.items()))
