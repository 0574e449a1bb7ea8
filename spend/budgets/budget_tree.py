"""Budgets within budgets: a department's over those of its teams.

A child's spend is all its parent's too: each dimension of the parent's filter is in the child's,
with some of its values, in the same currency. Children may overlap each other.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Final

from spend.budgets.budgets import Budget, Filter, Terms
from spend.checked_fields import TermsRefused
from spend.money import EXACT

DEEPEST: Final = 8
"""Budgets above one another, the lowest included."""


def outside(child: Filter, parent: Filter) -> str | None:
    """A dimension in which the child may have spend that its parent has not; None: there is none.

    >>> outside({"team": ("search", "ads")}, {"team": ("search",)})
    'team'
    """
    for dimension, values in parent.items():
        if not child.get(dimension) or not set(child[dimension]) <= set(values):
            return dimension
    return None


def check_placed(budget_id: int | None, terms: Terms, live: Mapping[int, Sequence[Budget]]) -> None:
    """Refuses terms that cannot stand where they would among other budgets: TermsRefused.

    ``live`` has of each budget the version in force and the one to come, if there is one.
    ``budget_id`` is None of a new one.
    """
    if terms.parent_id is not None:
        _check_parent(budget_id, terms, terms.parent_id, live)
    if budget_id is not None:
        _check_children(budget_id, terms, live)


def _check_parent(
    budget_id: int | None, terms: Terms, parent_id: int, live: Mapping[int, Sequence[Budget]]
) -> None:
    if parent_id not in live:
        raise TermsRefused("parent", f"no budget {parent_id} is in force")
    above = _above(parent_id, live)
    if budget_id in above:
        raise TermsRefused("parent", "it would be above itself")
    below = 1 if budget_id is None else _depth(budget_id, live)
    if len(above) + below > DEEPEST:
        raise TermsRefused("parent", f"at most {DEEPEST} budgets stand above one another")
    for parent in live[parent_id]:
        said = parent.terms
        if terms.currency != said.currency:
            reason = f"{terms.currency} is not {said.currency}, the currency of its parent"
            raise TermsRefused("currency", f"{reason} {said.name!r}")
        dimension = outside(terms.filter, said.filter)
        if dimension is not None:
            listed = ", ".join(value or "''" for value in said.filter[dimension][:5])
            more = ", …" if len(said.filter[dimension]) > 5 else ""  # noqa: PLR2004  # as listed
            reason = f"its parent {said.name!r} is on {listed}{more} alone"
            raise TermsRefused(f"filter.{dimension}", reason)


def _check_children(budget_id: int, terms: Terms, live: Mapping[int, Sequence[Budget]]) -> None:
    for versions in live.values():
        for child in versions:
            if child.terms.parent_id != budget_id:
                continue
            if child.terms.currency != terms.currency:
                reason = f"its child {child.terms.name!r} is in {child.terms.currency}"
                raise TermsRefused("currency", reason)
            dimension = outside(child.terms.filter, terms.filter)
            if dimension is not None:
                reason = f"its child {child.terms.name!r} would lie outside: change that first"
                raise TermsRefused(f"filter.{dimension}", reason)


def _above(budget_id: int, live: Mapping[int, Sequence[Budget]]) -> set[int]:
    """A budget and all above it, by any version of them."""
    found: set[int] = set()
    waiting = [budget_id]
    while waiting:
        each = waiting.pop()
        if each not in found:
            found.add(each)
            parents = {version.terms.parent_id for version in live.get(each, ())}
            waiting.extend(parent for parent in parents if parent is not None)
    return found


def _depth(budget_id: int, live: Mapping[int, Sequence[Budget]]) -> int:
    """How many budgets stand above one another from this one down."""
    level, depth, seen = {budget_id}, 0, set[int]()
    while level:
        seen |= level
        depth += 1
        level = {
            each
            for each, versions in live.items()
            if any(version.terms.parent_id in level for version in versions)
        } - seen
    return depth


def allocated(parent: Budget, children: Iterable[Budget]) -> Decimal:
    """What the amounts of its children come to, of those whose periods are its own."""
    total = Decimal(0)
    for child in children:
        if _cut_alike(child.terms, parent.terms):
            total = EXACT.add(total, child.terms.amount)
    return total


def _cut_alike(one: Terms, other: Terms) -> bool:
    def cut(terms: Terms) -> tuple[object, ...]:
        return terms.currency, terms.period, terms.timezone, terms.fiscal, terms.own_period

    return cut(one) == cut(other)
