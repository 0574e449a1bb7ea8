"""Moments in questions: written out, and never guessed from a number."""

import re
from typing import Annotated, Final

from pydantic import AwareDatetime, BeforeValidator

from spend.periods import FIRST_YEAR, LAST_YEAR

DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
INSTANT: Final = re.compile(
    DATE.pattern + r"[Tt][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)


def check_year(year: int) -> None:
    """ValueError for years from which no calendar day can be reckoned, or nobody would."""
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise ValueError(f"the year is not between {FIRST_YEAR} and {LAST_YEAR}")


def _written_out(value: object) -> str:
    # A plus sign that was not escaped in a query arrives as a space.
    text = str(value).replace(" ", "+")
    if DATE.fullmatch(text):
        text = f"{text}T00:00:00Z"
    elif not INSTANT.fullmatch(text):
        # pydantic would take 2026 for a second of 1970, and the answer would be empty.
        raise ValueError("write a date (2026-10-01) or an instant (2026-10-01T00:00:00Z)")
    check_year(int(text[:4]))
    return text.upper()


Instant = Annotated[AwareDatetime, BeforeValidator(_written_out)]
"""An RFC 3339 instant with its offset, or a date: its first moment, UTC."""
