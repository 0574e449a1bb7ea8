"""Text from outside, fit for a page or a cell."""

import unicodedata
from typing import Final

_JOINERS: Final = frozenset("\u200c\u200d")
"""Invisible, but they belong to Persian words and to emojis."""
_UNPRINTABLE: Final = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})


def printable(text: str) -> str:
    """A text with a mark in place of each sign that has no shape, or would turn others around."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        "\ufffd" if sign not in _JOINERS and unicodedata.category(sign) in _UNPRINTABLE else sign
        for sign in text
    )
