"""Where two public lists disagree: the list, which wins, and the supplement beside it.

Both are one feeder's word each, and neither is a bill. Prices that agree need no look; of two that
do not somebody should look at the provider's page, and enter what holds as a contract price.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from spend import money
from spend.prices.prices import Names, PriceLine

AGREED: Final = "agreed"
DISPUTED: Final = "disputed"
SINGLE: Final = "single-source"
STATES: Final = (DISPUTED, SINGLE, AGREED)

ABOVE: Final = Decimal("0.5")
"""Per cent: a smaller difference is one of rounding."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One price, as either list has it. It is used as the list has it, where the list has it."""

    provider: str
    model: str
    """As the supplement has it, else as the list."""
    region: str
    service_tier: str
    meter: str
    above_tokens: int
    list_price: Decimal | None
    """For 1,000,000 units; None: the list does not say."""
    supplement_price: Decimal | None
    difference: Decimal | None
    """By how many per cent the supplement is dearer; None: one does not say, or the list says 0."""
    state: str
    """AGREED, DISPUTED or SINGLE."""
    calls: int
    """Recently, of this model and provider, and of what is listed by their names."""
    since: datetime | None = None
    """From when on (UTC) both hold and are known as they are; None: one does not say."""


def compared(
    listed: Iterable[PriceLine],
    supplement: Iterable[PriceLine],
    names: Names,
    calls: Mapping[tuple[str, str], int],
    *,
    at: datetime,
    above: Decimal = ABOVE,
) -> list[Compared]:
    """Every price of either list that is in force at ``at``; those to look at first.

    ``names`` are the list's names of models; ``calls`` the recent ones by provider and model as
    called. A difference of more than ``above`` per cent is a dispute. Nothing is compared with
    another provider's price, but where the list has none of its own for who sells the model.
    """
    calls = _by_price(calls, names)
    by_list = {_place(line): line for line in listed if line.in_force(at)}
    known = {place[:2] for place in by_list}
    said = set()
    found = []
    for line in supplement:
        if not line.in_force(at):
            continue
        called = (line.provider, line.model)
        seller, model = called if called in known else names.get(called, called)
        place = (seller, model, *_place(line)[2:])
        said.add(place)
        # A region without a line of its own has the price for all regions.
        everywhere = (seller, model, "", *place[3:])
        asked = by_list.get(place) or by_list.get(everywhere)
        found.append(_compared(asked, line, calls.get(called, 0), above))
    found += [
        _compared(line, None, calls.get((line.provider, line.model), 0), above)
        for place, line in by_list.items()
        if place not in said
    ]
    return sorted(found, key=_first_to_look_at)


def _by_price(calls: Mapping[tuple[str, str], int], names: Names) -> Mapping[tuple[str, str], int]:
    """Calls by what prices them, too: gpt-4o-2024-08-06 is listed as gpt-4o."""
    found = Counter(calls)
    for called, count in calls.items():
        listed = names.get(called, called)
        if listed != called:
            found[listed] += count
    return found


def counted(found: Iterable[Compared]) -> dict[str, int]:
    """How many prices there are in each state."""
    counts = Counter(each.state for each in found)
    return {state: counts[state] for state in STATES}


def _place(line: PriceLine) -> tuple[str, str, str, str, str, int]:
    return (
        line.provider,
        line.model,
        line.region,
        line.service_tier,
        line.meter,
        line.above_tokens,
    )


def _compared(
    listed: PriceLine | None, supplement: PriceLine | None, calls: int, above: Decimal
) -> Compared:
    line = supplement or listed
    assert line is not None  # noqa: S101 - one of the two was found
    asked = None if listed is None else listed.unit_price
    other = None if supplement is None else supplement.unit_price
    difference = _per_cent(asked, other)
    if asked is None or other is None:
        state = SINGLE
    elif asked == other or (difference is not None and abs(difference) <= above):
        state = AGREED
    else:
        state = DISPUTED
    since = _both_since(listed, supplement)
    return Compared(*_place(line), asked, other, difference, state, calls, since)


def _both_since(listed: PriceLine | None, supplement: PriceLine | None) -> datetime | None:
    if listed is None or supplement is None:
        return None
    return max(
        moment
        for line in (listed, supplement)
        for moment in (line.valid_from, line.known_from)
        if moment is not None
    )


def _per_cent(asked: Decimal | None, other: Decimal | None) -> Decimal | None:
    if not asked or other is None:
        return None
    share = money.ROUNDING.divide(money.EXACT.subtract(other, asked), asked)
    return share.scaleb(2, money.ROUNDING).quantize(Decimal("0.01"), context=money.ROUNDING)


def _first_to_look_at(each: Compared) -> tuple[object, ...]:
    # What was free in one list only is further apart than any per cent can say.
    apart = Decimal("Infinity") if each.difference is None else abs(each.difference)
    names = (each.provider, each.model, each.region, each.service_tier, each.meter)
    return (STATES.index(each.state), -apart, -each.calls, *names, each.above_tokens)
