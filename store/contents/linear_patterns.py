"""A tenant's own patterns: regular expressions that take no longer the worse the text is.

They are RE2's (Arrow's): without references back and look-around, matched in time that grows with
the text alone, in bounded memory. One that RE2 does not know, or would need too much room for, is
refused. Source: https://github.com/google/re2/wiki/Syntax.
"""

from collections.abc import Sequence
from functools import partial
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from spend import secret_shapes
from spend.checked_fields import TermsRefused, quoted
from spend.contents.redaction import OWN, Rule
from spend.secret_shapes import MARK, SHAPES, may_hold_one

_LONG: Final = 4_096
"""Characters. RE2 needs 10 ms to read all shapes; what Python takes grows with the square."""
_PROBES = pa.array(["", "a", "A-1 ä.b@c 2026-11-23", "\n"], pa.string())


def check_patterns(patterns: Sequence[str]) -> None:
    """Raises TermsRefused for one that cannot be used, or that finds what is nothing."""
    for pattern in patterns:
        try:
            without = pc.replace_substring_regex(_PROBES, pattern, "")
            marked = pc.replace_substring_regex(_PROBES, pattern, "#")
        except (pa.ArrowInvalid, UnicodeEncodeError) as error:
            said = str(error).removeprefix("Invalid regular expression: ")
            raise TermsRefused("patterns", f"{quoted(pattern)} cannot be used: {said}") from None
        pairs = zip(without.to_pylist(), marked.to_pylist(), _PROBES.to_pylist(), strict=True)
        if any(rest == probe and mark != probe for rest, mark, probe in pairs):
            raise TermsRefused("patterns", f"{quoted(pattern)} finds what is nothing, everywhere")


def rules_of(patterns: Sequence[str]) -> tuple[Rule, ...]:
    """What takes out what checked patterns find."""
    return tuple(partial(_taken_out, pattern) for pattern in patterns)


def without_secrets(text: str) -> str:
    """The same in time that grows with the text alone, whatever is in it."""
    if len(text) < _LONG:
        return secret_shapes.without_secrets(text)
    if not may_hold_one(text):
        return text
    told: str = pc.replace_substring_regex(pa.array([text], pa.string()), SHAPES, MARK)[0].as_py()
    return told


def _taken_out(pattern: str, text: str) -> str:
    texts = pa.array([text], pa.string())
    rest: str = pc.replace_substring_regex(texts, pattern, "")[0].as_py()
    if len(rest) == len(text):
        return text
    told: str = pc.replace_substring_regex(texts, pattern, OWN)[0].as_py()
    return told
