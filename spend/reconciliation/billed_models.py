"""Which models of a bill are which of ours: names with dates, regions and makers before them.

Where both sides call the same models by the same names, these are kept apart; else all names of one
model are taken together, so that nothing is missing on one side because of how it is spelled.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

from spend.models import bare_name

Named = tuple[str, str | None]
"""A model's name, and how a public list calls it, where that is known."""

_RELEASE: Final = re.compile(
    r"(?:[-_@ ](?:20\d\d-\d\d-\d\d|20\d{6}|\d{4}|latest))?(?:-v\d+(?::\d+)?)?$"
)
_NUMBERS: Final = re.compile(r"[0-9]+")
_LETTERS: Final = re.compile(r"[a-z]")
_ROUND: Final = re.compile(r"\.0(?![0-9])")


def undated(model: str) -> str:
    """A model's own name without the day or number of its release.

    >>> undated("gpt-4o-2024-08-06"), undated("us.anthropic.claude-haiku-4-5-20251001-v1:0")
    ('gpt-4o', 'claude-haiku-4-5')
    """
    name = bare_name(model)
    return _RELEASE.sub("", name) or name


def family_of(model: str) -> tuple[str, ...]:
    """What a model's name says, in whatever order and spelling: clouds write words in one.

    >>> family_of("Claude4.6Sonnet") == family_of("claude-sonnet-4-6")
    True
    >>> family_of("NovaMicro") == family_of("amazon.nova-micro-v1:0")
    True
    """
    name = _ROUND.sub("", undated(model))
    return *sorted(_NUMBERS.findall(name)), "".join(sorted(_LETTERS.findall(name)))


def same_models(ours: Iterable[Named], billed: Iterable[Named]) -> Mapping[str, str]:
    """Name -> the name under which it is compared, on both sides: ours, where we have one."""
    families: dict[tuple[str, ...], tuple[set[str], set[str]]]
    families = defaultdict(lambda: (set(), set()))
    for side, names in enumerate((ours, billed)):
        for name, listed in names:
            families[family_of(listed or name)][side].add(name)
    found: dict[str, str] = {}
    for on_ours, on_bill in families.values():
        if {bare_name(name) for name in on_ours} == {bare_name(name) for name in on_bill}:
            found |= {name: bare_name(name) for name in on_ours | on_bill}
        else:
            shown = min(map(undated, on_ours or on_bill), key=lambda name: (len(name), name))
            found |= dict.fromkeys(on_ours | on_bill, shown)
    return found
