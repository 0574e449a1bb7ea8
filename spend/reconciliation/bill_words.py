"""What issuers call tokens, units and tiers, as our words. What is not known here stays unknown.

Sources: names of line items, usage types, meters and SKUs in the providers' own documents (the
modules that read each format name them) and in their price lists.
"""

import re
from decimal import Decimal
from typing import Final

from spend.meters import METERS
from spend.money import ROUNDING

_WORD: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+[a-z]+|[0-9]+")

_INPUT: Final = frozenset({"input", "inputs", "inp", "prompt"})
_OUTPUT: Final = frozenset({"output", "outputs", "outp", "opt", "out", "response", "completion"})
_CACHE: Final = frozenset({"cached", "cache", "caching", "cd", "cchd"})
_WRITE: Final = frozenset({"write", "writes", "creation", "wr"})
_KINDS: Final = {"audio": "audio", "aud": "audio", "image": "image", "img": "image"}
# Capacity, storage and training have tokens in their names, and are not tokens used.
_OTHER: Final = frozenset(
    {"storage", "hosting", "provisioned", "training", "tuning", "trng", "ptu", "reserved"}
    | {"hour", "hours", "customization"}
)
_TIERS: Final = ("batch", "flex", "priority")
# In a SKU, where the model's name ends.
_AFTER_MODEL: Final = (
    _INPUT
    | _OUTPUT
    | _CACHE
    | frozenset(_KINDS)
    | frozenset(_TIERS)
    | {"text", "video", "thinking", "ga", "global", "predictions"}
    | {"token", "tokens", "long", "short"}
)

_SCALES: Final = {
    "": 1,
    "1k": 1000,
    "k": 1000,
    "thousand": 1000,
    "1m": 10**6,
    "m": 10**6,
    "million": 10**6,
}
_COUNTED: Final = re.compile(
    r"(?:(?P<scale>1k|1m|k|m|thousand|million|[0-9][0-9,]{0,9})[ -]?)?(?P<unit>[a-z][a-z ]*)"
)
_UNITS: Final = {
    "token": "token",
    "tokens": "token",
    "image": "image",
    "images": "image",
    "second": "second",
    "seconds": "second",
    "call": "call",
    "calls": "call",
}

_UNIT_OF: Final = {meter.name: meter.unit for meter in METERS}
_BY_UNIT: Final = {_UNIT_OF[name]: name for name in ("images", "seconds", "tool_calls")}

AI_SERVICES: Final = re.compile(
    r"bedrock|openai|foundry|cognitive|vertex|gemini|generative|claude|anthropic|mistral|cohere"
    r"|azure ai|machine learning|databricks",
    re.IGNORECASE,
)
"""Services that sell models: only there a name with ``input`` in it may be one of tokens."""


def words_of(text: str) -> list[str]:
    """The words of a name in any spelling, lower case: of ``InputTokenCount_Global`` four."""
    return [word.lower() for word in _WORD.findall(text)]


def token_meter(text: str) -> str | None:
    """The meter of tokens that a line item, usage type, meter or SKU is named for.

    >>> token_meter("gpt-4o-0806-Inp-glbl Tokens"), token_meter("cache-write-1h-input-token-count")
    ('input', 'cache_write_1h')
    >>> token_meter("Gemini 3 Flash Text Input Caching Storage") is None
    True
    """
    words = words_of(text)
    found = frozenset(words)
    if found & _OTHER:
        return None
    if found & _CACHE:
        if not found & _WRITE:
            return "cache_read"
        return next(
            (f"cache_write_{life}" for life in ("5m", "1h") if life in found), "cache_write"
        )
    side = "input" if found & _INPUT else "output" if found & _OUTPUT else None
    kind = next((_KINDS[word] for word in words if word in _KINDS), None)
    return f"{side}_{kind}" if side and kind else side


def tier_in(text: str) -> str | None:
    """The service tier that is told in a name; None: the usual one, or none is told."""
    found = frozenset(words_of(text))
    return next((tier for tier in _TIERS if tier in found), None)


def model_before(text: str) -> str | None:
    """What stands before the first word of a SKU that says what is counted.

    >>> model_before("Gemini 2.5 Flash GA Text Input - Predictions")
    'Gemini 2.5 Flash'
    >>> model_before("text-embedding-3-small Inp glbl Tokens")
    'text-embedding-3-small'
    """
    parts = re.split(r"([ -])", text.strip())
    embeds = len(parts) > 1 and [each.lower() for each in parts[0:3:2]] == ["text", "embedding"]
    for place in range(2 if embeds else 0, len(parts), 2):
        if parts[place].lower() in _AFTER_MODEL:
            return "".join(parts[:place]).strip(" -") or None
    return None


def counted(unit: str | None) -> tuple[str | None, Decimal]:
    """A unit as our word, and how many of it one is: ``1K tokens`` are 1000 of ``token``.

    One that is not known keeps its name, and stands for one.
    """
    text = (unit or "").strip()
    told = _COUNTED.fullmatch(text.lower())
    word = _UNITS.get(told["unit"].strip()) if told else None
    if told is None or word is None:
        return text or None, Decimal(1)
    scale = (told["scale"] or "").replace(",", "")
    return word, Decimal(_SCALES[scale] if scale in _SCALES else int(scale))


def meter_in_unit(meter: str | None, unit: str | None) -> str | None:
    """The meter of a line, once its unit is known: characters and hours are no tokens."""
    if unit in {None, "token"}:
        return meter
    return _BY_UNIT.get(unit or "")


def unit_of(meter: str | None) -> str | None:
    """What a meter counts."""
    return _UNIT_OF.get(meter or "")


def scaled(quantity: Decimal | None, each: Decimal) -> Decimal | None:
    """A quantity of what stands for ``each`` of its unit."""
    return None if quantity is None else ROUNDING.multiply(quantity, each)


def price_per_million(price: Decimal | None, each: Decimal) -> Decimal | None:
    """The price of 1,000,000, from that of ``each``."""
    if price is None or not each:
        return None
    return ROUNDING.divide(price.scaleb(6, ROUNDING), each)
