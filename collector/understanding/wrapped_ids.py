"""Ids that a gateway put around the provider's own, which is what other emitters know an answer by.

Done before texts are cut, since the gateway's are long. Of one that is sealed (LiteLLM's proxy
encrypts them) only a digest is kept: the gateway's callers see the same.
"""

import re
from base64 import urlsafe_b64decode
from binascii import Error
from hashlib import blake2b
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from collector.dialects import DIALECTS
from collector.understanding.scrub import LONGEST

_BEFORE: Final = {
    begins: before for dialect in DIALECTS for begins, before in dialect.wrapped_ids.items()
}
_WRAPPED: Final = re.compile(
    f"({'|'.join(map(re.escape, _BEFORE))})[A-Za-z0-9_+/-]{{1,1000}}={{0,2}}"
)


_RESPONSE: Final = "resp_"
_SEALED: Final = re.compile(rf"({_RESPONSE})[A-Za-z0-9_+/=-]{{{LONGEST},2000}}")


def without_wrapping(texts: pa.StringArray) -> pa.StringArray:
    """The texts, those that are wrapped ids as the provider gave them."""
    # Not by a regular expression: to build it takes as long as all the rest.
    long = pc.greater(pc.binary_length(texts), LONGEST)
    wrapped = pc.and_(long, pc.starts_with(texts, _RESPONSE))
    for begins in _BEFORE:
        wrapped = pc.or_(wrapped, pc.starts_with(texts, begins))
    wrapped = wrapped.fill_null(False)
    if not wrapped.true_count:
        return texts
    return pa.array(
        [
            _inner(text) if is_wrapped else text
            for text, is_wrapped in zip(texts.to_pylist(), wrapped.to_pylist(), strict=True)
        ],
        pa.string(),
    )


def _inner(text: str) -> str:
    found = _WRAPPED.fullmatch(text)
    if found is None:
        sealed = _SEALED.fullmatch(text)
        return sealed[1] + blake2b(text.encode(), digest_size=16).hexdigest() if sealed else text
    coded = text.partition("_")[2].rstrip("=").replace("+", "-").replace("/", "_")
    try:
        content = urlsafe_b64decode(coded + "=" * (-len(coded) % 4)).decode()
    except (Error, UnicodeDecodeError):
        return text
    return content.rpartition(_BEFORE[found[1]])[2] or text
