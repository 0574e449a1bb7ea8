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


_PERHAPS: Final = rf"^(?:{'|'.join(_BEFORE)}|resp_[A-Za-z0-9_+/=-]{{{LONGEST},}})"
_SEALED: Final = re.compile(rf"(resp_)[A-Za-z0-9_+/=-]{{{LONGEST},2000}}")


def without_wrapping(texts: pa.StringArray) -> pa.StringArray:
    """The texts, those that are wrapped ids as the provider gave them."""
    wrapped = pc.fill_null(pc.match_substring_regex(texts, _PERHAPS), False)
    if not pc.any(wrapped).as_py():
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
