"""Values as Python prints them, for emitters that hand on ``str()`` of a dict or of an object.

They are made JSON token by token; nothing is ever evaluated. ``Usage(total_tokens=5)`` becomes a
map. What a token cannot tell (sets, enums) makes no JSON, and is then nobody's number.
"""

import re
from typing import Final

import orjson

_TOKEN: Final = re.compile(
    # Each alternative that begins also ends, at the latest with the text: no way to go back, so
    # the time is linear whatever comes.
    r"'(?:[^'\\]|\\.?)*+(?:'|\Z)|\"(?:[^\"\\]|\\.?)*+(?:\"|\Z)|[A-Za-z_]\w*+[(=]?+|[()]",
    re.DOTALL,
)
_ESCAPE: Final = re.compile(
    r"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8})|(.))", re.DOTALL | re.IGNORECASE
)
_ESCAPED: Final = {"n": "\n", "t": "\t", "r": "\r"}
_WORDS: Final = {"None": "null", "True": "true", "False": "false", "nan": "null", "inf": "null"}
_LAST: Final = 0x10FFFF
_SURROGATES: Final = range(0xD800, 0xE000)


def as_json(text: str) -> str:
    """JSON of what Python printed, or what is no JSON.

    >>> as_json("{'a': None, 'b': Details(audio_tokens=0), 'c': ('x', 'y')}")
    '{"a": null, "b": {"audio_tokens":0}, "c": ["x", "y"]}'
    """
    closes: list[str] = []

    def token(match: re.Match[str]) -> str:
        word = match[0]
        if word[0] in "'\"":
            return _text(word)
        if word == ")":
            return closes.pop() if closes else word
        if word.endswith("("):
            closes.append("]" if word == "(" else "}")
            return "[" if word == "(" else "{"
        return f'"{word[:-1]}":' if word.endswith("=") else _WORDS.get(word, word)

    return _TOKEN.sub(token, text)


def _text(word: str) -> str:
    if len(word) == 1 or word[-1] != word[0]:
        return word
    inner = word[1:-1]
    if "\\" in inner:
        inner = _ESCAPE.sub(_unescaped, inner)
    return orjson.dumps(inner).decode()


def _unescaped(match: re.Match[str]) -> str:
    code = match[1] or match[2] or match[3]
    if code is None:
        return _ESCAPED.get(match[4], match[4])
    number = int(code, 16)
    return "\ufffd" if number > _LAST or number in _SURROGATES else chr(number)
