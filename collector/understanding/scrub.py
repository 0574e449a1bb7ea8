"""Text that may be kept: no secrets, no control characters, not too long.

Works on the distinct texts of a batch at once. Every string that the collector keeps goes
through here.
"""

import re
from functools import lru_cache
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

LONGEST: Final = 200
SCRUBBED: Final = "[secret]"

# RE2 syntax (pyarrow), no look-around. Tokens of 12 characters and more, so that words stay.
_SECRETS: Final = (
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]*(?:-----END [A-Z ]*PRIVATE KEY-----)?",
    r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*)?",
    r"(?i:\bbearer[ :=]+)[A-Za-z0-9._~+/=-]{6,}",
    r"\b(?:sk|pk|rk)-[A-Za-z0-9_-]{12,}",
    r"\b(?:sk|pk|rk)_(?:live|test)_[A-Za-z0-9]{8,}",
    r"\b(?:AKIA|ASIA)[A-Z0-9]{12,}",
    r"\bxox[abeoprs]-[A-Za-z0-9-]{8,}",
    r"\bxapp-[A-Za-z0-9-]{8,}",
    r"\b(?:ghp|gho|ghu|ghs|ghr)_[A-Za-z0-9]{12,}",
    r"\bgithub_pat_[A-Za-z0-9_]{12,}",
    r"\bglpat-[A-Za-z0-9_-]{12,}",
    r"\bhf_[A-Za-z0-9]{16,}",
    r"\bgsk_[A-Za-z0-9]{16,}",
    r"\bAIza[A-Za-z0-9_-]{20,}",
    r"\bya29\.[A-Za-z0-9_-]{12,}",
    r"\bnpm_[A-Za-z0-9]{20,}",
    r"\bhooks\.slack\.com/services/[A-Za-z0-9/_-]+",
    r"://[^/@\s:]+:[^/@\s]+@",
)
SECRETS: Final = "|".join(_SECRETS)
# RE2 is built anew for each batch, and this is built fast: most batches hold none of them.
_HINTS: Final = (
    "PRIVATE KEY|eyJ|(?i:bearer)|sk-|pk-|rk-|_live_|_test_|AKIA|ASIA|xox|xapp-|gh[pousr]_"
    "|github_pat_|glpat-|hf_|gsk_|AIza|ya29|npm_|slack|@"
)
_PYTHON: Final = re.compile(SECRETS)
_SPACE, _DELETE = 0x20, 0x7F
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


def texts_of(raw: pa.BinaryArray) -> pa.StringArray:
    """Bytes as text; what is no UTF-8 becomes U+FFFD, and loses nobody else anything."""
    try:
        return raw.cast(pa.string())
    except pa.ArrowInvalid:
        return pa.array(
            [
                None if value is None else value.decode("utf-8", "replace")
                for value in raw.to_pylist()
            ],
            pa.string(),
        )


def scrubbed(texts: pa.StringArray) -> pa.StringArray:
    """The texts as they may be kept; nulls stay null."""
    # First, as a control character within a secret would hide it.
    if _has_control(texts):
        texts = pc.replace_substring_regex(texts, r"[[:cntrl:]]", "")
    texts = pc.utf8_trim_whitespace(texts)
    if pc.match_substring_regex(texts, _HINTS).true_count:
        texts = pc.replace_substring_regex(texts, SECRETS, SCRUBBED)
    if (pc.max(pc.binary_length(texts)).as_py() or 0) > LONGEST:
        texts = pc.utf8_slice_codeunits(texts, 0, LONGEST)
    return texts


def _has_control(texts: pa.StringArray) -> bool:
    content = texts.buffers()[2]
    if content is None:
        return False
    letters = np.frombuffer(content, dtype=np.uint8)
    return bool(((letters < _SPACE) | (letters == _DELETE)).any())


@lru_cache(maxsize=8192)
def scrub(text: str) -> str:
    """One text as it may be kept."""
    return _PYTHON.sub(SCRUBBED, _CONTROL.sub("", text).strip())[:LONGEST]


def readable(value: bytes) -> str:
    """A name as bytes, as it may be kept."""
    return scrub(value.decode("utf-8", "replace"))
