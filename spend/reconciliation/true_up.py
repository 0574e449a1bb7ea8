"""What has to be posted so that a provider's period in the ledger comes to its bills.

Usage: what a model is billed at is shared by the teams that used it, in proportion to what they
were estimated at; each pays, or gets back, the difference. What nobody can be blamed for, as nobody
was heard, is the team ``unallocated``'s, feature ``uninstrumented``. Credits, fees and tax go to
all teams of the provider in proportion. All is split by largest remainder: the parts add up to the
bill, to the last 1e-12. docs/reconcile.md
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from spend import money
from spend.calls import Owner, Route
from spend.owners import UNALLOCATED
from spend.reconciliation.bills import CREDIT, FEE, TAX, USAGE
from spend.reconciliation.reconciled import Reconciled
from spend.reconciliation.variance import Variance

METHOD: Final = "true-up/1"
"""Written on every charge that this made."""

TRUE_UP_METER: Final = "true-up"
"""On charges: a difference of usage, fees, credits and tax; the last three by their own names."""

UNINSTRUMENTED: Final = Owner(
    team=UNALLOCATED, feature="uninstrumented", rule="a bill for what was never heard"
)
RULE: Final = "a share of a bill's difference"

_CHARGED_AS: Final = {
    USAGE: ("true-up", TRUE_UP_METER),
    FEE: ("true-up", "fee"),
    CREDIT: ("credit", "credit"),
    TAX: ("tax", "tax"),
}
"""Kind of what is billed -> kind and meter of the charge."""


class TrueUpRefusedError(ValueError):
    """A bill cannot be trued up now; the text can be shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What the ledger estimates for one team, of one kind, in one currency."""

    team: str
    route: Route
    """Provider, model as called, deployment and region."""
    kind: str
    """USAGE, CREDIT or FEE."""
    currency: str
    amount: Decimal
    """As it should be billed."""
    weight: int
    """The same in the bill's currency, in 1e-12."""
    unpriced: int = 0
    """Tokens that have no price."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a true-up is posted."""

    kind: str
    """Of the charge."""
    meter: str
    owner: Owner
    route: Route
    currency: str


@dataclass(frozen=True, slots=True)
class TrueUpLine:
    """A line that lacks."""

    kind: str
    meter: str
    owner: Owner
    route: Route
    currency: str
    amount: Decimal
    """Effective, and billed."""


@dataclass(frozen=True, slots=True)
class TrueUp:
    """What was posted, or is to be."""

    compared: Reconciled
    """As it was before."""
    slot: datetime
    """In which it is posted: the usage's time, UTC."""
    lines: tuple[TrueUpLine, ...]


Targets = dict[Place, int]
"""What true-ups are to come to at each place, in 1e-12."""


def targets_of(variance: Variance, shares: Sequence[Share], *, provider: str) -> Targets:
    """What is to stand in the ledger beside the estimate; places of nothing are left out."""
    targets = _Targets(variance, shares, provider)
    targets.take_back_other_currencies()
    targets.share_usage()
    for kind in (CREDIT, FEE, TAX):
        targets.share_rest(kind)
    return {place: atoms for place, atoms in targets.found.items() if atoms}


class _Targets:
    def __init__(self, variance: Variance, shares: Sequence[Share], provider: str) -> None:
        self.found: Targets = defaultdict(int)
        self._variance = variance
        # In one order, as equal remainders go to the first.
        self._shares = sorted(shares, key=repr)
        self._usage = [each for each in self._shares if each.kind == USAGE]
        self._provider = provider

    def take_back_other_currencies(self) -> None:
        """What is estimated in another currency than it is billed in, is not billed there."""
        for share in self._shares:
            if share.currency != self._variance.currency:
                atoms = -money.atoms(share.amount)
                self._add(share.kind, _owner(share.team), share.route, atoms, share.currency)

    def share_usage(self) -> None:
        """Model by model; what was never heard, and what cannot be shared, is nobody's."""
        billed: dict[str, int] = defaultdict(int)
        for line in self._variance.lines:
            if line.kind != USAGE:
                continue
            atoms = money.atoms(line.billed)
            if line.heard:
                billed[line.model or ""] += atoms
            else:
                self._add(USAGE, UNINSTRUMENTED, self._route(line.model), atoms)
        its: dict[str, list[Share]] = defaultdict(list)
        for share in self._usage:
            its[self._variance.names.get(share.route.model or "", "")].append(share)
        for model in sorted(billed.keys() | its.keys()):
            self._share_model(model, billed[model], its[model])

    def _share_model(self, model: str, billed: int, shares: Sequence[Share]) -> None:
        left = billed - self._estimated(shares)
        weighed = [(each, each.weight) for each in shares if each.weight > 0]
        # Who used what has no price is known all the same.
        weighed = weighed or [(each, each.unpriced) for each in shares if each.unpriced > 0]
        if not weighed and not model:
            # What is for no model in particular, such as tool calls of all of them.
            self._share_by_team(USAGE, left)
        elif not weighed:
            self._add(USAGE, UNINSTRUMENTED, self._route(model), left)
        else:
            parts = money.split_units(left, [weight for _share, weight in weighed])
            for (share, _weight), part in zip(weighed, parts, strict=True):
                self._add(USAGE, _owner(share.team), share.route, part)

    def share_rest(self, kind: str) -> None:
        """Credits, fees or tax, to all teams of the provider."""
        lines = [each.billed for each in self._variance.lines if each.kind == kind]
        estimated = self._estimated([each for each in self._shares if each.kind == kind])
        self._share_by_team(kind, sum(map(money.atoms, lines)) - estimated)

    def _share_by_team(self, kind: str, left: int) -> None:
        weights: dict[str, int] = defaultdict(int)
        for share in self._usage:
            weights[share.team] += max(share.weight, 0)
        teams = [team for team in sorted(weights) if weights[team]]
        if not teams:
            self._add(kind, UNINSTRUMENTED, self._route(None), left)
            return
        parts = money.split_units(left, [weights[team] for team in teams])
        for team, part in zip(teams, parts, strict=True):
            self._add(kind, _owner(team), self._route(None), part)

    def _estimated(self, shares: Sequence[Share]) -> int:
        """In the bill's currency."""
        currency = self._variance.currency
        return sum(money.atoms(each.amount) for each in shares if each.currency == currency)

    def _add(
        self, kind: str, owner: Owner, route: Route, atoms: int, currency: str | None = None
    ) -> None:
        charged_as, meter = _CHARGED_AS[kind]
        place = Place(charged_as, meter, owner, route, currency or self._variance.currency)
        self.found[place] += atoms

    def _route(self, model: str | None) -> Route:
        return Route(provider=self._provider, model=model or None)


def _owner(team: str) -> Owner:
    return Owner(team=team, rule=RULE)
