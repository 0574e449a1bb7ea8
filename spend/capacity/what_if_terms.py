"""What a change of model is assumed to do to usage, and what cannot be known of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

from spend.meters import CACHE_WRITES, METERS

ONE: Final = Decimal(1)
_OUTPUTS: Final = frozenset(
    meter.name for meter in METERS if "output" in (meter.name, meter.of_which)
)
_OTHERS: Final = tuple(meter.name for meter in METERS if meter.unit not in {"token", "ms"})
_TOKENS: Final = tuple(meter.name for meter in METERS if meter.unit == "token")

UNKNOWN: Final = (
    "Quality: whether another model's answers would do.",
    "Tokenizers: the same text is another number of tokens elsewhere; give a factor and its range.",
    "Length: another model may answer, and reason, at greater or smaller length.",
    "Latency and failures: retries and rate limits there are not in the figures.",
    "Caches: whether as much would be found in them there.",
)
"""What real calls cannot tell of calls that were never made."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How usage is assumed to change on the way."""

    tokenizer: Decimal = ONE
    """Tokens there for each token here."""
    tokenizer_low: Decimal = ONE
    tokenizer_high: Decimal = ONE
    """Bounds of it, for a range beside the figure."""
    keeps_cache: bool = True
    """False: nothing is read from a cache there, or written to one; all of it is input."""
    cache_hit_change: Decimal = Decimal(0)
    """Added to the share of input (without cache writes) that is read from a cache, -1 to 1."""
    output: Decimal = ONE
    """Output there for each token of output here, beyond the tokenizer's."""

    @property
    def is_range(self) -> bool:
        """Whether there is more than one factor."""
        return not self.tokenizer_low == self.tokenizer == self.tokenizer_high


def adjusted(usage: Mapping[str, int], terms: Terms, factor: Decimal) -> dict[str, int]:
    """Usage as it is assumed to be there, with one of the tokenizer's factors."""
    there = {
        name: _scaled(usage.get(name, 0), factor * (terms.output if name in _OUTPUTS else ONE))
        for name in _TOKENS
    }
    if not terms.keeps_cache:
        for name in ("cache_read", *CACHE_WRITES):
            there["input"] += there[name]
            there[name] = 0
    elif terms.cache_hit_change:
        whole = there["input"] + there["cache_read"]
        hits = there["cache_read"] + _scaled(whole, terms.cache_hit_change)
        there["cache_read"] = min(max(hits, 0), whole)
        there["input"] = whole - there["cache_read"]
    return there | {name: usage.get(name, 0) for name in _OTHERS}


def _scaled(count: int, factor: Decimal) -> int:
    if factor == ONE:
        return count
    return int((count * factor).to_integral_value(ROUND_HALF_EVEN))


def assumptions(terms: Terms) -> list[str]:
    """What is assumed of usage, in words."""
    told = []
    if terms.tokenizer == ONE and not terms.is_range:
        told.append("As many tokens there as here.")
    else:
        ends = f", {terms.tokenizer_low} to {terms.tokenizer_high}" if terms.is_range else ""
        told.append(f"{terms.tokenizer} tokens there for one here{ends}.")
        told.append("Each prompt stays in the price tier of its size here.")
    if terms.output != ONE:
        told.append(f"{terms.output} tokens of output there for one here.")
    if not terms.keeps_cache:
        told.append("Nothing is found in a cache there, and nothing written: all of it is input.")
    elif terms.cache_hit_change:
        points = (terms.cache_hit_change * 100).normalize()
        told.append(f"{points:+f} points of the input are found in a cache there.")
    else:
        told.append("As much is found in a cache there as here.")
    return told
