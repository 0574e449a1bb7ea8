"""What a call can consume. One table, from which columns, sums, prices and answers are made.

A *meter* counts one kind of usage. The token meters that are not ``of_which`` are disjoint:
adding them gives every token of the call. An ``of_which`` meter counts a part of another one
(reasoning is a part of output) and is never added to it. Meters of another unit are never added
to tokens, nor to each other.

Source of the split: OpenTelemetry GenAI semantic conventions 1.41 (usage attributes) and the
providers' billing pages, which charge each disjoint class on its own.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Meter:
    """One kind of usage."""

    name: str
    """Column in the store and meter of a price line."""
    asked_as: str
    """Field of ``usage`` in the API's answers."""
    says: str
    """What it counts, for people."""
    of_which: str | None = None
    """The meter that this one is a part of."""
    unit: str = "token"
    """What it counts: token, call, image, second (of audio), or ms (of a server's time)."""


METERS: Final = (
    Meter(
        "input", "input_tokens", "Tokens of the prompt that came from no cache, and went to none."
    ),
    Meter("cache_read", "cache_read_tokens", "Tokens that were read from the provider's cache."),
    # Providers sell cache writes by how long the entry lives; an emitter that does not say
    # how long leaves them in cache_write, which is priced like the shorter one.
    Meter(
        "cache_write",
        "cache_write_unspecified_tokens",
        "Tokens that were written to the cache, for a time that is not told.",
    ),
    Meter(
        "cache_write_5m",
        "cache_write_5m_tokens",
        "Tokens that were written to the cache for five minutes.",
    ),
    Meter(
        "cache_write_1h",
        "cache_write_1h_tokens",
        "Tokens that were written to the cache for an hour.",
    ),
    Meter("output", "output_tokens", "Tokens of the answer, reasoning included."),
    Meter("reasoning", "reasoning_tokens", "Tokens of reasoning.", of_which="output"),
    Meter("input_audio", "input_audio_tokens", "Tokens of audio in the prompt.", of_which="input"),
    Meter(
        "output_audio", "output_audio_tokens", "Tokens of audio in the answer.", of_which="output"
    ),
    Meter("input_image", "input_image_tokens", "Tokens of images in the prompt.", of_which="input"),
    Meter(
        "output_image", "output_image_tokens", "Tokens of images in the answer.", of_which="output"
    ),
    Meter(
        "tool_calls",
        "tool_calls",
        "Requests to the provider's own tools that it bills: web search, code execution, file "
        "search.",
        unit="call",
    ),
    Meter("images", "images", "Images that were made.", unit="image"),
    # Whole ones, as a second that has begun is billed.
    Meter("seconds", "audio_seconds", "Seconds of audio, transcribed or spoken.", unit="second"),
    # No price is for them: pools are split by them.
    Meter("prefill_ms", "prefill_ms", "How long a model server read the prompt.", unit="ms"),
    Meter("decode_ms", "decode_ms", "How long a model server wrote the answer.", unit="ms"),
)

METER_NAMES: Final = tuple(meter.name for meter in METERS)
TOKENS: Final = tuple(meter.name for meter in METERS if meter.unit == "token")
"""Meters of tokens, also those that are parts of others."""
DISJOINT: Final = tuple(
    meter.name for meter in METERS if meter.unit == "token" and meter.of_which is None
)
"""Their sum is every token of a call."""
WORK: Final = (*DISJOINT, "images", "seconds")
"""A call that ended well and told none of these is *unmetered*: what it cost is not known. What
tools or a server's time it took says nothing of that."""
TIMINGS: Final = ("prefill_ms", "decode_ms")
"""Meters that no price is for."""

CACHE_WRITES: Final = ("cache_write", "cache_write_5m", "cache_write_1h")
"""The API answers their sum as ``cache_write_tokens`` beside the three."""

INPUTS: Final = ("input", "cache_read", *CACHE_WRITES)
"""Their sum is the prompt as the provider saw it: what context bands go by."""

LARGEST_COUNT: Final = 1_000_000_000
"""A count above this is not one of a single call; its usage is refused."""
