"""Splits: what a shared team's calls cost is paid for by others, by fixed shares or by usage.

For each day and split, all that its source pays for is taken from the source and put to its
targets, in all four cost bases. Nothing is lost: the lines of a day add up to 0 in each basis, to
the last 1e-12. What a split put to a team is never split again. docs/ownership.md
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import Final

from spend import money
from spend.calls import Owner
from spend.ids import id_of
from spend.owners import RESERVED
from spend.ownership.ownership import (
    FIRST,
    LAST,
    Match,
    Rule,
    Term,
    fits,
    is_of_calls,
    payer_in,
    terms_of,
)
from spend.patterns import fits_one
from spend.totals import plus

SHARES: Final = "shares"
TOKENS: Final = "tokens"
CALLS: Final = "calls"
COST: Final = "cost"
BY_USAGE: Final = (TOKENS, CALLS, COST)
"""By what of a day's usage a split can go."""

SPLIT_METER: Final = "split"
"""On charges: what was taken from a shared team, or put to another."""

PUT_BY: Final = "split "
"""How the rule of an owner begins that pays for a split's share: then the split's name."""

_NOTHING: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class Bases:
    """Money in the four cost bases."""

    list_amount: Decimal | None
    """None: unknown."""
    contracted_amount: Decimal
    amount: Decimal
    """Effective."""
    billed_amount: Decimal

    def plus(self, other: "Bases") -> "Bases":
        """The exact sum; of two list amounts, one of them unknown, the known one."""
        return Bases(*map(plus, amounts_of(self), amounts_of(other)))  # type: ignore[arg-type]  # only a list amount is None

    def negative(self) -> "Bases":
        """The same taken back."""
        return Bases(*(None if each is None else each.copy_negate() for each in amounts_of(self)))  # type: ignore[arg-type]  # as above

    def split(self, weights: Sequence[int]) -> list["Bases"]:
        """Parts in proportion to weights, that add up to it in each basis (``money.split``)."""
        parts = [
            [None] * len(weights) if each is None else money.split(each, weights)
            for each in amounts_of(self)
        ]
        return [Bases(*each) for each in zip(*parts, strict=True)]

    @property
    def is_nothing(self) -> bool:
        """Whether it is 0 in each basis that is known."""
        return not any(amounts_of(self))


FREE: Final = Bases(None, _NOTHING, _NOTHING, _NOTHING)


def amounts_of(bases: Bases) -> tuple[Decimal | None, ...]:
    """List, contracted, effective, billed."""
    return tuple(getattr(bases, field.name) for field in fields(Bases))


@dataclass(frozen=True, slots=True)
class Split:
    """A shared team's cost is put to other teams over a time (UTC, half-open)."""

    name: str
    match: Match
    """Whose cost: by who pays after the rules. Always names the team."""
    by: str
    """SHARES, or one of BY_USAGE."""
    shares: Mapping[str, Decimal]
    """Team -> its share, for SHARES; they need not add up to anything."""
    teams: tuple[str, ...] = ()
    """For BY_USAGE: who pays. None named: all that are neither split themselves nor reserved."""
    valid_from: datetime = FIRST
    valid_to: datetime = LAST

    @property
    def id(self) -> int:
        """Of its content: what says the same is the same split, in whatever version."""
        return id_of(
            "split",
            self.name,
            *(part for name in sorted(self.match) for part in (name, *sorted(self.match[name]))),
            self.by,
            *(part for team in sorted(self.shares) for part in (team, f"{self.shares[team]:f}")),
            *sorted(self.teams),
            self.valid_from.isoformat(),
            self.valid_to.isoformat(),
        )

    @property
    def method(self) -> str:
        """Written on its charges."""
        return f"split-by-{self.by}-v1"

    @property
    def target_rule(self) -> str:
        """What says of a target's owner why it pays."""
        return PUT_BY + self.name

    def in_force(self, at: datetime) -> bool:
        """Whether it holds for what was used at ``at``."""
        return self.valid_from <= at < self.valid_to

    def takes_from(self, team: str) -> bool:
        """Whether it can take from a team."""
        return fits_one(team, self.match["team"])


@dataclass(frozen=True, slots=True)
class Used:
    """What one owner used of one route in a piece of a day, and what that cost.

    A *piece* is a part of a day in which no rule and no split begins or ends.
    """

    piece: datetime
    """Its start, UTC."""
    owner: Owner
    """As heard."""
    route_id: int
    cost: Bases = FREE
    """Of its charges, without those of splits."""
    calls: int = 0
    tokens: int = 0


Paid = tuple[Used, Owner]
"""What was used, and who pays for it."""
Line = tuple[datetime, Owner, int, int, bool]
"""Slot, who pays, route, split, and whether its list amount is known: never half of it."""
Lines = dict[Line, tuple[Decimal, Bases]]
"""Line -> the weight that it went by (0 where money is taken from), and the money."""


def with_payers(rules: Sequence[Rule], used: Iterable[Used]) -> list[Paid]:
    """What was used, each with who pays for it."""
    terms: dict[Owner, tuple[Term, ...]] = {}
    found = []
    for each in used:
        if each.owner not in terms:
            terms[each.owner] = terms_of(rules, each.owner)
        found.append((each, payer_in(terms[each.owner], each.piece) or each.owner))
    return found


def lines_of_day(splits: Sequence[Split], paid: Sequence[Paid], start: datetime) -> Lines:
    """What the splits come to for the day that begins at ``start`` (UTC): ``paid`` is all of it.

    A split for whose targets the day has no weight does nothing: the cost stays where it is.
    """
    taken: dict[int, list[Paid]] = defaultdict(list)
    for each, payer in paid:
        place = _split_of(splits, payer, each.piece)
        if place is not None:
            taken[place].append((each, payer))
    lines: Lines = {}
    for place in sorted(taken):
        split = splits[place]
        within = [one for one in paid if split.in_force(one[0].piece)]
        weights = _weights(split, splits, within)
        if weights:
            _add(lines, split, max(start, split.valid_from), taken[place], weights)
    return {key: line for key, line in lines.items() if not line[1].is_nothing}


def _split_of(splits: Sequence[Split], payer: Owner, at: datetime) -> int | None:
    if not is_of_calls(payer.team):
        return None
    return next(
        (n for n, split in enumerate(splits) if split.in_force(at) and fits(split.match, payer)),
        None,
    )


def _weights(split: Split, splits: Sequence[Split], within: Iterable[Paid]) -> dict[str, Decimal]:
    """Team -> its weight, more than 0, by name."""
    if split.by == SHARES:
        return {team: split.shares[team] for team in sorted(split.shares)}
    weights: dict[str, Decimal] = defaultdict(Decimal)
    for each, payer in within:
        weights[payer.team] += _weight(split.by, each)
    return {
        team: weights[team]
        for team in sorted(weights)
        if weights[team] > 0 and _pays(split, splits, team)
    }


def _weight(by: str, used: Used) -> Decimal:
    if by == COST:
        return used.cost.amount
    return Decimal(used.calls if by == CALLS else used.tokens)


def _pays(split: Split, splits: Sequence[Split], team: str) -> bool:
    if split.teams:
        return team in split.teams
    return team not in RESERVED and not any(each.takes_from(team) for each in splits)


def _add(
    lines: Lines,
    split: Split,
    slot: datetime,
    taken: Iterable[Paid],
    weights: Mapping[str, Decimal],
) -> None:
    costs: dict[tuple[int, Owner, bool], Bases] = {}
    for each, payer in taken:
        if not each.cost.is_nothing:
            key = (each.route_id, payer, each.cost.list_amount is not None)
            costs[key] = costs[key].plus(each.cost) if key in costs else each.cost
    whole = [money.atoms(weight) for weight in weights.values()]
    for (route_id, payer, listed), cost in costs.items():
        lines[slot, payer, route_id, split.id, listed] = (_NOTHING, cost.negative())
        for (team, weight), part in zip(weights.items(), cost.split(whole), strict=True):
            shown = money.quantised(weight)
            target = slot, Owner(team=team, rule=split.target_rule), route_id, split.id, listed
            before = lines.get(target, (shown, FREE))
            lines[target] = (shown, before[1].plus(part))
