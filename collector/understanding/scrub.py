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

from spend.secret_shapes import HINTS, MARK, SHAPES, without_secrets

LONGEST: Final = 200
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
    # RE2 is built anew for each batch, and the hints fast: most batches hold none of them.
    if pc.match_substring_regex(texts, HINTS).true_count:
        texts = pc.replace_substring_regex(texts, SHAPES, MARK)
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
    return without_secrets(_CONTROL.sub("", text).strip())[:LONGEST]


def readable(value: bytes) -> str:
    """A name as bytes, as it may be kept."""
    return scrub(value.decode("utf-8", "replace"))
