"""Checks what people write into fields: names, numbers, choices."""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from spend.secret_shapes import has_secret

LONGEST_NAME: Final = 100
LONGEST_VALUE: Final = 200

UNSTORABLE: Final = re.compile("[\0\ud800-\udfff]")
"""A NUL, or half of a UTF-16 pair, which JSON can say and Postgres cannot hold."""
_NUMBER = re.compile(r"[0-9]{1,15}(\.[0-9]{1,12})?")


class TermsRefused(ValueError):  # noqa: N818  # a refusal, told to whoever wrote it
    """Terms make no sense: ``field`` is to be changed, the text says why."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        # A field may be called by half a character, which cannot be told.
        self.field = field.encode("utf-8", "backslashreplace").decode()


def quoted(text: str) -> str:
    """What somebody wrote, not longer than it can be read."""
    return repr(text if len(text) <= LONGEST_NAME else text[:LONGEST_NAME] + "…")


def one_line(said: str, field: str = "name", longest: int = LONGEST_NAME) -> str:
    """A name in one line."""
    said = said.strip()
    if not 0 < len(said) <= longest or not said.isprintable():
        raise TermsRefused(field, f"1 to {longest} printable characters")
    if has_secret(said):
        raise TermsRefused(field, "what it is for, and no key or password: this looks like one")
    return said


def number(said: object, field: str) -> Decimal:
    """An exact number, not negative, from a string or an integer."""
    if isinstance(said, float):
        raise TermsRefused(field, 'a number with a point is not exact: write it as "2.5"')
    if isinstance(said, bool) or not isinstance(said, str | int):
        raise TermsRefused(field, 'a decimal string such as "1000.00"')
    # An integer of thousands of digits cannot even be written out.
    written = said if isinstance(said, str) else str(min(abs(said), 10**16))
    if not _NUMBER.fullmatch(written) or (isinstance(said, int) and said < 0):
        reason = 'a number such as "1000.00": not negative, at most 15 digits before the '
        raise TermsRefused(field, reason + "point and 12 behind it")
    return Decimal(written)


def shortest(value: Decimal) -> str:
    """A number of at most 27 digits as somebody would write it: 5, 2.5, 1000."""
    return format(value.normalize(), "f")


def whole(said: object, field: str, least: int, most: int) -> int:
    """A whole number between two, both included."""
    if isinstance(said, bool) or not isinstance(said, int) or not least <= said <= most:
        raise TermsRefused(field, f"a whole number from {least} to {most}")
    return said


def listed(choices: Sequence[str]) -> str:
    """What it may be, in words."""
    return f"one of {', '.join(choices)}" if choices else "there: this kind has none"
