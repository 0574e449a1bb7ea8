"""What a pool's tokens cost: its hours, busy and idle, over what was done in them.

Two bases. *Allocation*: the hours whole, busy and idle, over the tokens; that is what is paid, and
what an API's price is to be compared with. *Usage*: the busy share alone; what a further token of
an unchanged hour seems to cost, and never a reason to keep a pool. docs/economics.md
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Final

from spend import money
from spend.capacity.pool_costs import CostPart
from spend.capacity.splitting import OUTPUT_WEIGHT, work_units
from spend.meters import DISJOINT, METER_NAMES
from spend.owners import IDLE
from spend.totals import NO_USAGE

OWN: Final = "own"
WEIGHTED: Final = "weighted"
EVEN: Final = "even"
VIEWS: Final = (OWN, WEIGHTED, EVEN)
"""How idle cost is shown: as a line of its own, with teams by their busy cost, or evenly."""

MILLION: Final = 10**6
_NOTHING: Final = money.amount(0)


@dataclass(frozen=True, slots=True)
class Use:
    """What was done on a pool over some of its hours, by all or by one team."""

    busy_cost: Decimal = _NOTHING
    """The shares of pool-hours that its calls were charged, exact."""
    calls: int = 0
    answered: int = 0
    """Calls that ended well."""
    unmetered_calls: int = 0
    """Of those, calls that did not say what they used: they are in no figure for a token."""
    usage: Mapping[str, int] = field(default_factory=lambda: NO_USAGE)
    """Tokens by meter."""

    @property
    def tokens(self) -> int:
        """All of them, those that were found in a cache too."""
        return tokens_of(self.usage)


@dataclass(frozen=True, slots=True)
class TokenCost:
    """Per 1,000,000 tokens, 6 decimals; None: there were none to divide by."""

    input: Decimal | None
    """Of input that was not found in a cache. What was found there is free: it is no work."""
    output: Decimal | None
    blended: Decimal | None
    """Over all tokens, of whatever meter."""


@dataclass(frozen=True, slots=True)
class TeamLine:
    """What a team did on a pool, and its part of what nobody used."""

    team: str | None
    use: Use
    idle_cost: Decimal

    @property
    def cost(self) -> Decimal:
        """Busy and idle."""
        return money.total([self.use.busy_cost, self.idle_cost])


@dataclass(frozen=True, slots=True)
class Economics:
    """A pool's hours and what was done in them. Money is exact, of the pool's currency."""

    hours: int
    """Pool-hours that are settled."""
    idle_cost: Decimal
    by_team: Mapping[str | None, Use]
    """Teams with calls or shares."""
    work: Decimal
    """Work units that were done."""
    capacity: Decimal | None
    """Work units that those hours could do; None: not declared for all of them."""
    components: Sequence[CostPart] = ()
    """Why it cost what it did: they add up to the cost."""
    output_weight: Decimal = OUTPUT_WEIGHT
    """Work of a token put out, of one that is read."""

    @property
    def whole(self) -> Use:
        """What all teams did."""
        return together(list(self.by_team.values()))

    @property
    def cost(self) -> Decimal:
        """Of the hours, busy and idle."""
        return money.total([self.whole.busy_cost, self.idle_cost])

    @property
    def busy_share(self) -> Fraction | None:
        """Of the cost, what calls were charged; None where nothing was paid."""
        cost = self.cost
        return Fraction(self.whole.busy_cost) / Fraction(cost) if cost else None

    @property
    def of_capacity(self) -> Fraction | None:
        """Work done, of what the hours could do; above 1 where the declared capacity is too low."""
        return Fraction(self.work) / Fraction(self.capacity) if self.capacity else None

    @property
    def allocation(self) -> TokenCost:
        """What a token costs, the idle hours paid for."""
        return token_cost(self.cost, self.whole.usage, self.output_weight)

    @property
    def used(self) -> TokenCost:
        """What a token costs on the usage basis: the busy share alone."""
        whole = self.whole
        return token_cost(whole.busy_cost, whole.usage, self.output_weight)

    def teams(self, view: str) -> list[TeamLine]:
        """Teams, dearest first, that add up to the cost, with idle cost as in ``view``."""
        parts = spread(self.idle_cost, [use.busy_cost for use in self.by_team.values()], view)
        if parts is None:
            lines = [TeamLine(team, use, _NOTHING) for team, use in self.by_team.items()]
            lines += [TeamLine(IDLE, Use(), self.idle_cost)] if self.hours else []
        else:
            pairs = zip(self.by_team.items(), parts, strict=True)
            lines = [TeamLine(team, use, part) for (team, use), part in pairs]
        return sorted(lines, key=lambda line: (-line.cost, line.team is None, line.team or ""))


def together(uses: Sequence[Use]) -> Use:
    """The sum of what several did."""
    return Use(
        busy_cost=money.total([use.busy_cost for use in uses]),
        calls=sum(use.calls for use in uses),
        answered=sum(use.answered for use in uses),
        unmetered_calls=sum(use.unmetered_calls for use in uses),
        usage={name: sum(use.usage.get(name, 0) for use in uses) for name in METER_NAMES},
    )


def tokens_of(usage: Mapping[str, int]) -> int:
    """All tokens of a usage."""
    return sum(usage.get(meter, 0) for meter in DISJOINT)


def token_cost(
    cost: Decimal, usage: Mapping[str, int], output_weight: Decimal = OUTPUT_WEIGHT
) -> TokenCost:
    """What the tokens of ``usage`` cost where together they cost ``cost``, split by work.

    Input and output at their prices add up to the cost.
    """
    work = Fraction(work_units(usage, output_weight))
    unit = Fraction(cost) * MILLION / work if work else None
    tokens = tokens_of(usage)
    return TokenCost(
        input=None if unit is None else per_million(unit),
        output=None if unit is None else per_million(unit * Fraction(output_weight)),
        blended=per_million(Fraction(cost) * MILLION / tokens) if tokens else None,
    )


def per_million(value: Fraction) -> Decimal:
    """A price for 1,000,000 tokens as prices are kept: 6 decimals, half to even."""
    return Decimal(round(value * 10**money.PRICE_DIGITS)).scaleb(-money.PRICE_DIGITS, money.EXACT)


def spread(idle: Decimal, busy: Sequence[Decimal], view: str) -> tuple[Decimal, ...] | None:
    """Idle cost over those whose busy costs are given: parts that add up to it, to the last 1e-12.

    None: it stays a line of its own, as that is asked for, or as there is nobody to bear it. Only
    shown, never booked: the ledger's idle line is the truth, whoever is asked to carry it.
    """
    if view == OWN or not busy:
        return None
    weights = [1 if view == EVEN else max(0, money.atoms(each)) for each in busy]
    return money.split(idle, weights)
