"""Text that senders chose, before a model reads it: nothing hidden in it, and never endless.

Names of models, teams and services, errors and notes are whatever somebody's program sent. What
cannot be seen (controls, signs that turn a line around, tags, joiners) can hide an order to a model
from the person who looks on.
"""

import re
from typing import Any, Final

MOST: Final = 400
"""Characters of a text. A cursor of the API has no more."""
_CUT: Final = "…"
_BLANKS: Final = re.compile(r"[\t\n\v\f\r\x85\u2028\u2029]+")
_VARIANTS: Final = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
"""Variation selectors: printable by Unicode's tables, seen by nobody."""
_UNSEEN: Final = "\ufffd"


def shown(value: Any) -> Any:
    """The same answer (of JSON), with every text in it as :func:`plain_text`."""
    if isinstance(value, str):
        return plain_text(value)
    if isinstance(value, list):
        return [shown(each) for each in value]
    if isinstance(value, dict):
        return {plain_text(name): shown(each) for name, each in value.items()}
    return value


def plain_text(text: str, most: int = MOST) -> str:
    """Blanks for ends of lines, U+FFFD for what cannot be seen, at most ``most`` characters."""
    # Looked at no further: a name may be long.
    text = text[: most + 1]
    if not text.isprintable():
        text = _BLANKS.sub(" ", text)
        text = "".join(each if each.isprintable() else _UNSEEN for each in text)
    text = _VARIANTS.sub(_UNSEEN, text)
    return text if len(text) <= most else text[: most - 1] + _CUT
