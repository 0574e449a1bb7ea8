"""Checks what budgets and alert rules have in common: what is watched, and who is told."""

from collections.abc import Mapping, Sequence
from typing import Final

from spend.budgets.budgets import Filter
from spend.checked_fields import (
    LONGEST_NAME,
    LONGEST_VALUE,
    UNSTORABLE,
    TermsRefused,
    listed,
    quoted,
    whole,
)
from spend.providers import DEPLOYMENTS

MOST_VALUES: Final = 200
MOST_CHANNELS: Final = 20
MOST_HOURS: Final = 8784
"""Between reminders: a year."""


def filter_on(wanted: Mapping[str, Sequence[str]], dimensions: Sequence[str]) -> Filter:
    """A filter on some of the dimensions."""
    for dimension, values in wanted.items():
        field = f"filter.{dimension}"[:LONGEST_NAME]
        if dimension not in dimensions:
            raise TermsRefused(field, f"{quoted(dimension)} is not {listed(dimensions)}")
        if not 0 < len(values) <= MOST_VALUES:
            raise TermsRefused(field, f"1 to {MOST_VALUES} values; for all, leave it out")
        for value in values:
            if len(value) > LONGEST_VALUE or UNSTORABLE.search(value):
                reason = f"a value has at most {LONGEST_VALUE} characters, no NUL, no half ones"
                raise TermsRefused(field, reason)
            if dimension == "deployment" and value not in (*DEPLOYMENTS, ""):
                raise TermsRefused(field, f"{quoted(value)} is not {', '.join(DEPLOYMENTS)}")
    return {each: tuple(dict.fromkeys(wanted[each])) for each in sorted(wanted)}


def channels(ids: Sequence[int]) -> tuple[int, ...]:
    """Channels, each once."""
    if len(ids) > MOST_CHANNELS:
        raise TermsRefused("channels", f"at most {MOST_CHANNELS}")
    return tuple(dict.fromkeys(ids))


def reminding(hours: int | None) -> int | None:
    """Hours between reminders; None: there are none."""
    return None if hours is None else whole(hours, "remind_hours", 1, MOST_HOURS)
