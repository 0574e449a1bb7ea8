"""Writes values as TOML, and finds lines in a TOML text that somebody wrote."""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Final

_BARE: Final = re.compile("[A-Za-z0-9_-]+")


def toml_value(value: object) -> str:
    """A value in one line. A time (UTC) without its fractions of a second.

    >>> toml_value({"team": ["a"], "share of": Decimal("33.5")})
    '{ team = ["a"], "share of" = 33.5 }'
    """
    if isinstance(value, Mapping):
        inside = ", ".join(f"{_key(name)} = {toml_value(each)}" for name, each in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%SZ}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"[{', '.join(map(toml_value, value))}]"
    return _text(value)


def toml_block(section: str, fields: Mapping[str, object]) -> str:
    """One of the tables of an array."""
    return "\n".join(
        (f"[[{section}]]", *(f"{_key(name)} = {toml_value(fields[name])}" for name in fields))
    )


def lines_of(text: str, section: str) -> list[int]:
    """The lines, from 1, in which a TOML text begins each of a section's tables."""
    header = re.compile(rf"\s*\[\[\s*{section}\s*\]\]")
    return [number for number, line in enumerate(text.splitlines(), 1) if header.match(line)]


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _text(name)


def _text(value: object) -> str:
    # JSON's strings are TOML's, but for one character that only TOML wants escaped.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
