"""Who pays: the rules that find a call's owner in what its span, its resource and its key say.

The same rules hold when a call arrives and whenever it is looked at again. The first claim that
is not empty and not reserved wins, and the owner remembers which it was.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Final

from spend.calls import Owner

UNALLOCATED: Final = "unallocated"
"""The team of what nobody claims."""
IDLE: Final = "idle"
"""The team of capacity that nobody used."""
UNUSED: Final = "unused"
"""The team of what was committed to and not used."""
COMMITMENTS: Final = "commitments"
"""The team that commitments are billed to: what was paid in advance, for whoever uses it."""
RESERVED: Final = frozenset({UNALLOCATED, IDLE, UNUSED, COMMITMENTS})
"""Teams that no emitter can claim."""

LONGEST_NAME: Final = 200
"""Longer names are cut: a key column of the store holds them."""

TEAM: Final = ("spanledger.team", "team")
LAST_RESORT: Final = "service.namespace"
DIMENSIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "project": ("spanledger.project", "project"),
    "service": ("service.name",),
    "environment": ("deployment.environment.name", "deployment.environment"),
    "feature": ("spanledger.feature", "feature"),
    "customer": ("spanledger.customer", "customer"),
}
"""Field of ``Owner`` -> attributes that hold it, on the span or else on its resource."""

ATTRIBUTES: Final = (
    *TEAM,
    LAST_RESORT,
    *(attribute for attributes in DIMENSIONS.values() for attribute in attributes),
)

_UNPRINTABLE: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_JOINERS: Final = frozenset("\u200c\u200d")
"""Invisible, but they belong to Persian words and to emojis."""


def clean_name(text: str | None) -> str | None:
    """A name fit to be kept, or None: printable, without blank ends, not too long.

    In Unicode's composed form (NFC), so that what looks alike is one team.
    """
    if text is None:
        return None
    # A little more than is kept: composing makes a name shorter, and a huge one costs time.
    head = unicodedata.normalize("NFC", text.strip()[: 4 * LONGEST_NAME])
    return _visible(head, _JOINERS).strip()[:LONGEST_NAME].rstrip() or None


def _visible(text: str, but: frozenset[str] = frozenset()) -> str:
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        sign for sign in text if sign in but or unicodedata.category(sign) not in _UNPRINTABLE
    )


def is_reserved(team: str) -> bool:
    """Whether a name reads as a reserved one, whatever letters it is written with."""
    return unicodedata.normalize("NFKC", _visible(team)).strip().casefold() in RESERVED


def owner_of(
    *,
    span: Mapping[str, str],
    resource: Mapping[str, str],
    claims: Sequence[tuple[str, str]] = (),
    key_team: str | None = None,
    project: str | None = None,
) -> Owner:
    """The owner of a call.

    ``span`` and ``resource`` map attributes (``ATTRIBUTES``) to values. ``claims`` are teams that
    the emitter names in words of its own, as (what said so, team), best first; ``project`` is
    likewise. ``key_team`` is the team of the key that the request came with.
    """
    team, rule = _team(span, resource, claims, key_team)
    found = {
        name: _first(attributes, span) or _first(attributes, resource)
        for name, attributes in DIMENSIONS.items()
    }
    found["project"] = found["project"] or clean_name(project)
    return Owner(team=team, rule=rule, **found)


def _first(attributes: Sequence[str], values: Mapping[str, str]) -> str | None:
    return next((name for key in attributes if (name := clean_name(values.get(key)))), None)


def _team(
    span: Mapping[str, str],
    resource: Mapping[str, str],
    claims: Sequence[tuple[str, str]],
    key_team: str | None,
) -> tuple[str, str]:
    chain = [
        *((f"span attribute {key}", span.get(key)) for key in TEAM),
        *((f"resource attribute {key}", resource.get(key)) for key in TEAM),
        *claims,
        ("the key it came with", key_team),
        (f"span attribute {LAST_RESORT}", span.get(LAST_RESORT)),
        (f"resource attribute {LAST_RESORT}", resource.get(LAST_RESORT)),
    ]
    for rule, claimed in chain:
        team = clean_name(claimed)
        if team and not is_reserved(team):
            return team, rule
    return UNALLOCATED, "nobody claimed it"
