"""Who pays for whose calls: rules in order, each for a time, of which the first that fits decides.

An owner is what was heard of a call and never changes. Its *payer* follows from the rules alone:
the same owner with the team that the first fitting rule gives, else the owner itself. The shared
costs that a *split* spreads over other teams are in ``spend/ownership/splits.py``.
docs/ownership.md
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Final

from spend.calls import Owner
from spend.owners import RESERVED, UNALLOCATED
from spend.patterns import fits_one

SAID: Final = ("team", "project", "service", "environment", "feature", "customer")
MATCHED: Final = (*SAID, "rule")
"""What of an owner a rule can ask for; ``rule`` is what told its team."""
GIVEN: Final = ("team", "project", "customer")
"""What a rule can give."""

CHOSEN_BY: Final = "ownership rule "
"""How the ``rule`` of a payer begins: then the rule's name. No emitter can write it."""

FIRST: Final = datetime.min.replace(tzinfo=UTC)
LAST: Final = datetime.max.replace(tzinfo=UTC)
"""The bounds of what has none."""

NOT_SAID: Final = ""
"""As a value to match: owners of which nothing was said there."""

Match = Mapping[str, tuple[str, ...]]
"""Dimension -> values, of which one must fit, in every dimension named."""


def fits(match: Match, owner: Owner) -> bool:
    """Whether an owner is among those that are asked for."""
    return all(_fits_one(getattr(owner, name), values) for name, values in match.items())


def _fits_one(value: str | None, patterns: Sequence[str]) -> bool:
    return NOT_SAID in patterns if value is None else fits_one(value, patterns)


@dataclass(frozen=True, slots=True)
class Rule:
    """Calls of some owners are paid for by another team over a time (UTC, half-open)."""

    name: str
    match: Match
    gives: Mapping[str, str]
    """Of ``GIVEN``: the team, and what else is told anew."""
    valid_from: datetime = FIRST
    valid_to: datetime = LAST

    def in_force(self, at: datetime) -> bool:
        """Whether it holds for calls that begin at ``at``."""
        return self.valid_from <= at < self.valid_to

    def payer_of(self, owner: Owner) -> Owner:
        """Who pays for a call of ``owner`` that it fits; the owner where that changes nothing."""
        payer = replace(owner, **self.gives, rule=CHOSEN_BY + self.name)
        same = all(getattr(payer, name) == getattr(owner, name) for name in SAID)
        return owner if same else payer


@dataclass(frozen=True, slots=True)
class Term:
    """Somebody else pays, over a time (UTC, half-open)."""

    start: datetime
    end: datetime
    payer: Owner


def can_change(owner: Owner) -> bool:
    """Whether rules apply: not to what no call used, and not to what a rule made."""
    return is_of_calls(owner.team) and not owner.rule.startswith(CHOSEN_BY)


def is_of_calls(team: str) -> bool:
    """Whether a team's spend is for calls, not for what no call used."""
    return team == UNALLOCATED or team not in RESERVED


def rule_for(rules: Sequence[Rule], owner: Owner, at: datetime) -> Rule | None:
    """The rule that chooses who pays for a call of ``owner``; None: the owner does."""
    if not can_change(owner):
        return None
    return next((rule for rule in rules if rule.in_force(at) and fits(rule.match, owner)), None)


def payer_at(rules: Sequence[Rule], owner: Owner, at: datetime) -> Owner:
    """Who pays for a call of ``owner`` that begins at ``at``."""
    rule = rule_for(rules, owner, at)
    return owner if rule is None else rule.payer_of(owner)


def terms_of(rules: Sequence[Rule], owner: Owner) -> tuple[Term, ...]:
    """The times in which somebody else pays for an owner's calls, in order."""
    if not can_change(owner):
        return ()
    fitting = [rule for rule in rules if fits(rule.match, owner)]
    bounds = sorted({bound for rule in fitting for bound in (rule.valid_from, rule.valid_to)})
    found = [Term(start, end, payer_at(fitting, owner, start)) for start, end in pairwise(bounds)]
    return joined(term for term in found if term.payer != owner)


def joined(terms: Iterable[Term]) -> tuple[Term, ...]:
    """The same terms (in order, none meeting another), with neighbours of one payer as one."""
    found: list[Term] = []
    for term in terms:
        if found and found[-1].payer == term.payer and found[-1].end == term.start:
            found[-1] = replace(found[-1], end=term.end)
        else:
            found.append(term)
    return tuple(found)


def switched(before: Sequence[Term], after: Sequence[Term], at: datetime) -> tuple[Term, ...]:
    """What holds while terms are replaced from the past on: ``after`` up to ``at``."""
    done = [replace(term, end=min(term.end, at)) for term in after if term.start < at]
    left = [replace(term, start=max(term.start, at)) for term in before if term.end > at]
    return joined([*done, *left])


def differing(before: Sequence[Term], after: Sequence[Term]) -> Iterator[tuple[datetime, datetime]]:
    """The times (UTC, half-open) in which two rows of terms name different payers."""
    bounds = sorted({bound for term in (*before, *after) for bound in (term.start, term.end)})
    for start, end in pairwise(bounds):
        if payer_in(before, start) != payer_in(after, start):
            yield start, end


def payer_in(terms: Sequence[Term], at: datetime) -> Owner | None:
    """Who pays at ``at``; None: the owner itself."""
    return next((term.payer for term in terms if term.start <= at < term.end), None)
