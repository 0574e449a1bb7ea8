"""Which names of the price book are the weights of another name: one model, several who serve it.

By names alone, so carefully: what differs in anything but how the name is written is another model.
Who serves it may have squeezed the weights (``fp8``, ``turbo``): a hint, not a promise.
"""

import re
from functools import lru_cache
from typing import Final

from spend.models import bare_name

_PARTS: Final = re.compile(r"\d+b(?![a-z])|\d+|[a-z]+")
_SIZE: Final = re.compile(r"\d+b")
_DATE: Final = re.compile(r"\d{4}|\d{6}|\d{8}")
_VERSION: Final = re.compile(r"-v?\d$")
"""Bedrock's own: ``...-instruct-v1:0``."""
_SAID_BESIDE: Final = frozenset(
    {
        *("meta", "mistralai", "databricks", "instruct", "it", "chat", "hf", "latest"),
        *("turbo", "versatile", "fast", "specdec", "fp8", "fp16", "bf16", "int4", "int8"),
        *("awq", "gptq", "gguf"),
    }
)
"""Words of a name that say who serves it, and how the weights are packed."""


@lru_cache(maxsize=8192)
def weights_of(model: str) -> tuple[str, ...]:
    """What tells a model's weights apart, whoever serves them; nothing where a name says none.

    >>> weights_of("meta-llama/Llama-3.3-70B-Instruct") == weights_of("llama-3.3-70b-versatile")
    True
    >>> weights_of("meta.llama3-3-70b-instruct-v1:0")
    ('llama', '3', '3', '70b')
    """
    name, tagged, _tag = bare_name(model).partition(":")
    if tagged:
        name = _VERSION.sub("", name)
    parts = [part for part in _PARTS.findall(name) if part not in _SAID_BESIDE]
    if any(_SIZE.fullmatch(part) for part in parts):
        # A size and a version name the weights; the month of release repeats that.
        parts = [part for part in parts if not _DATE.fullmatch(part)]
    return tuple(parts)
