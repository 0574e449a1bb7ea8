"""What makes sense of a key: its kind, whom it is for, its team, how long it lasts."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from spend.checked_fields import TermsRefused, listed, one_line
from spend.owners import clean_name, is_reserved

KINDS: Final = ("ingest", "read", "admin")
LONGEST_DAYS: Final = 3660
_DAYS: Final = re.compile(r"([0-9]{1,4}) ?d(?:ays?)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class KeyTerms:
    """What somebody says of a key."""

    kind: str
    """One of KINDS."""
    name: str
    """Whom or what it is for."""
    team: str | None
    """Of an ingest key whose spans are, where they do not say; of a read key all that it sees."""


def key_terms(*, kind: str, name: str, team: str | None) -> KeyTerms:
    """Terms that make sense; TermsRefused otherwise."""
    if kind not in KINDS:
        raise TermsRefused("kind", listed(KINDS))
    of = clean_name(team)
    if team and not of:
        raise TermsRefused("team", "a name that can be read")
    if of and kind == "admin":
        raise TermsRefused("team", "an admin key is of no team: it sees and changes everything")
    if of and kind == "ingest" and is_reserved(of):
        raise TermsRefused("team", f"{of} is reserved: no sender can claim it")
    return KeyTerms(kind, one_line(name), of)


def expiry(said: str | None, now: datetime) -> datetime | None:
    """From when on a key opens nothing (UTC): after so many days, or from a day on.

    ``90d`` or ``2027-01-31``; nothing: never. Raises TermsRefused.
    """
    text = (said or "").strip()
    if not text:
        return None
    days = _DAYS.fullmatch(text)
    try:
        ends = (
            now + timedelta(days=int(days[1]))
            if days
            else datetime.combine(date.fromisoformat(text), time(), UTC)
        )
    except ValueError:
        raise TermsRefused("expires", "days such as 90d, or a date such as 2027-01-31") from None
    if not now < ends <= now + timedelta(days=LONGEST_DAYS):
        raise TermsRefused("expires", "it must be in the future, at most ten years from now")
    return ends
