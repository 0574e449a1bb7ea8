"""Content: what was said in calls. Kept only where somebody switched it on, and not for long."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from spend.calls import Owner
from spend.checked_fields import UNSTORABLE, TermsRefused, listed, whole
from spend.ids import id_of
from spend.owners import clean_name

KINDS: Final = {
    "input": "what was asked: prompts, and what tools answered",
    "output": "what the model answered, and the tools that it called for",
    "tools": "arguments and results of tools that ran, and how tools are described",
    "system": "instructions of the system",
}
"""Kinds of content, and what each is."""

MOST_DAYS: Final = 30
USUAL_DAYS: Final = 7
MOST_PATTERNS: Final = 20
LONGEST_PATTERN: Final = 200
MOST_NAMES: Final = 100
LARGEST_PART: Final = 64 * 1024
"""Bytes of one part. Of what is longer the rest is cut off, and said so."""


@dataclass(frozen=True, slots=True)
class ContentTerms:
    """What a tenant says of its content."""

    on: bool = False
    days: int = USUAL_DAYS
    """How long it is kept, from the day (UTC) of the call on."""
    kinds: tuple[str, ...] = tuple(KINDS)
    """Those that are kept."""
    patterns: tuple[str, ...] = ()
    """What is taken out besides, as regular expressions (RE2)."""
    ips: bool = False
    """Whether addresses of machines are taken out, too."""
    teams: tuple[str, ...] = ()
    """Whose calls; empty: everybody's."""
    services: tuple[str, ...] = ()
    """Calls of which services; empty: of all."""

    def keeps(self, owner: Owner) -> bool:
        """Whether content of an owner's calls is kept, if any is."""
        of_team = not self.teams or owner.team in self.teams
        return of_team and (not self.services or owner.service in self.services)

    @property
    def redacted_by(self) -> int:
        """An id of all that decides whose content is taken, and what is taken out of it."""
        lists = self.patterns, self.teams, self.services
        return id_of(str(self.ips), *(part for each in lists for part in (*each, None)))

    def first_day(self, today: date) -> date | None:
        """The first day (UTC) whose content is still kept; None: nothing is."""
        return today - timedelta(days=self.days - 1) if self.on else None


OFF: Final = ContentTerms()


@dataclass(frozen=True, slots=True)
class Content:
    """A part of what was said in a call, redacted."""

    trace_id: str
    """32 hex digits."""
    span_id: int
    """Signed, as sightings have it."""
    at: datetime
    """When the span began, or the record was written (UTC). Its day is the part's."""
    kind: str
    """One of KINDS."""
    part_id: int
    """0: what the span itself says. Else that of a log record, a hash of what it says."""
    body: str
    """JSON: a list of [name of an attribute or an event, text]."""
    cut: bool
    """Whether something was left out, as there was too much."""
    redacted_by: int | None = None
    """Of the terms it was taken by, until it is stored: ``ContentTerms.redacted_by``."""


def content_terms(
    *,
    on: bool,
    days: int = USUAL_DAYS,
    kinds: Sequence[str] = (),
    patterns: Sequence[str] = (),
    ips: bool = False,
    teams: Sequence[str] = (),
    services: Sequence[str] = (),
) -> ContentTerms:
    """Terms that make sense; TermsRefused otherwise. No kinds: all of them.

    What the patterns mean is for whoever can read them to check
    (``store/contents/linear_patterns.py``).
    """
    for kind in kinds:
        if kind not in KINDS:
            raise TermsRefused("kinds", listed(tuple(KINDS)))
    if len(patterns) > MOST_PATTERNS:
        raise TermsRefused("patterns", f"at most {MOST_PATTERNS}")
    for pattern in patterns:
        if not 0 < len(pattern) <= LONGEST_PATTERN or UNSTORABLE.search(pattern):
            reason = f"a pattern has 1 to {LONGEST_PATTERN} characters, no NUL, no half ones"
            raise TermsRefused("patterns", reason)
    return ContentTerms(
        on=on,
        days=whole(days, "days", 1, MOST_DAYS),
        kinds=tuple(kind for kind in KINDS if kind in kinds or not kinds),
        patterns=tuple(dict.fromkeys(patterns)),
        ips=ips,
        teams=_names(teams, "teams"),
        services=_names(services, "services"),
    )


def _names(said: Sequence[str], field: str) -> tuple[str, ...]:
    if len(said) > MOST_NAMES:
        raise TermsRefused(field, f"at most {MOST_NAMES}")
    names = [clean_name(name) for name in said]
    if None in names or "" in names:
        raise TermsRefused(field, "names that can be read")
    return tuple(dict.fromkeys(name for name in names if name))
