"""What makes sense of a key: its kind, whom it is for, its team."""

from dataclasses import dataclass
from typing import Final

from spend.checked_fields import TermsRefused, listed, one_line
from spend.owners import clean_name, is_reserved

KINDS: Final = ("ingest", "read", "admin")


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
