"""Parts of a statement beside its lines: where the work was done, what mends earlier months."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from spend.booked import Booked, spent
from spend.money import rounded_lines
from spend.statements.statement_lines import in_coins, no_coins
from spend.totals import Totals, together


@dataclass(frozen=True, slots=True)
class Place:
    """What was done by a kind of deployment in a region; None where nobody said."""

    deployment: str | None
    """``api``, ``hosted-open`` or ``self-hosted``."""
    region: str | None
    spent: Totals
    amount: Decimal | None
    """In whole coins, that add up to the statement's total; None where the cost is unknown."""


@dataclass(frozen=True, slots=True)
class CorrectedLine:
    """What a team's books of this month say of an earlier one."""

    month: str
    team: str
    spent: Totals
    """The difference that it made: may be negative."""
    amount: Decimal | None
    """Likewise in whole coins."""


def places_of(rows: Iterable[Booked], currency: str, shown: Decimal) -> tuple[Place, ...]:
    """The places of a statement's rows, by deployment and the dearest first.

    ``shown`` is the statement's total, in whole coins.
    """
    groups: defaultdict[tuple[str | None, str | None], list[Booked]] = defaultdict(list)
    for row in rows:
        groups[row.deployment, row.region].append(row)
    found = {key: totals for key, own in groups.items() if not (totals := spent(own)).is_nothing}
    keys = sorted(found, key=lambda key: _place_order(key, found[key]))
    costs = [(key, cost) for key in keys if (cost := found[key].cost) is not None]
    coins = rounded_lines([cost for _key, cost in costs], currency, shown=shown)
    amounts = {key: amount for (key, _cost), amount in zip(costs, coins, strict=True)}
    return tuple(Place(*key, found[key], amounts.get(key)) for key in keys)


def _place_order(key: tuple[str | None, str | None], totals: Totals) -> tuple[object, ...]:
    deployment, region = key
    return (
        (deployment is None, deployment or ""),
        totals.cost is None,
        (totals.cost or Decimal(0)).copy_negate(),
        (region is None, region or ""),
    )


def by_deployment(places: Sequence[Place], currency: str) -> tuple[Place, ...]:
    """Places whatever their region."""
    return _by(places, lambda place: (place.deployment, None), currency)


def by_region(places: Sequence[Place], currency: str) -> tuple[Place, ...]:
    """Places whatever their deployment."""
    return _by(places, lambda place: (None, place.region), currency)


def _by(
    places: Sequence[Place],
    key_of: Callable[[Place], tuple[str | None, str | None]],
    currency: str,
) -> tuple[Place, ...]:
    groups: defaultdict[tuple[str | None, str | None], list[Place]] = defaultdict(list)
    for place in places:
        groups[key_of(place)].append(place)
    found = []
    for key, own in groups.items():
        known = [place.amount for place in own if place.amount is not None]
        amount = sum(known, no_coins(currency)) if known else None
        found.append(Place(*key, together(place.spent for place in own), amount))
    return tuple(sorted(found, key=lambda place: _place_order((None, None), place.spent)))


def corrected_lines(
    rows: Iterable[Booked], currency: str, month_of: Callable[[date], str]
) -> tuple[CorrectedLine, ...]:
    """What rows say of earlier months, the latest first, by team."""
    groups: defaultdict[tuple[str, str], list[Totals]] = defaultdict(list)
    for row in rows:
        if row.belongs_to is not None:
            groups[month_of(row.belongs_to), row.team].append(row.totals)
    found = {key: totals for key, own in groups.items() if not (totals := together(own)).is_nothing}
    coins = in_coins({key: found[key].cost for key in sorted(found)}, currency)
    keys = sorted(found, key=lambda key: key[1])
    keys.sort(key=lambda key: key[0], reverse=True)
    return tuple(CorrectedLine(*key, found[key], coins.get(key)) for key in keys)
