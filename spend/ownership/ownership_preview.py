"""What each team would pay under other rules, before anybody applies them."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from spend.money import EXACT
from spend.ownership.ownership import rule_for
from spend.ownership.ownership_files import Ownership
from spend.ownership.splits import Paid, Used, lines_of_day, with_payers
from spend.periods import Period, day_start, days_in, local_day


@dataclass(frozen=True, slots=True)
class Share:
    """What a team pays, and the calls that it pays for."""

    cost: Decimal = Decimal(0)
    """Effective, exact. Of calls without a price nothing is known, and nothing is in it."""
    calls: int = 0

    def plus(self, cost: Decimal, calls: int) -> "Share":
        """And so much more."""
        return replace(self, cost=EXACT.add(self.cost, cost), calls=self.calls + calls)


def by_team(
    said: Ownership, used: Sequence[Used], period: Period, now: datetime
) -> dict[str, Share]:
    """Team -> what it pays in a period, as the charge job would book it by ``now`` (UTC).

    ``used`` is all usage of the days of the zone that the period touches, in pieces that also
    begin and end with the period. A day that is not over is not split.
    """
    paid = with_payers(said.rules, used)
    found: dict[str, Share] = defaultdict(Share)
    for each, payer in paid:
        if period.start <= each.piece < period.end:
            found[payer.team] = found[payer.team].plus(each.cost.amount, each.calls)
    for start, of_day in _days(said, paid, period, now) if said.splits else ():
        for (slot, payer, *_), (_, bases) in lines_of_day(said.splits, of_day, start).items():
            if period.start <= slot < period.end:
                found[payer.team] = found[payer.team].plus(bases.amount, 0)
    return dict(found)


def moved(
    before: Ownership, after: Ownership, used: Sequence[Used], period: Period
) -> dict[tuple[str, str], Share]:
    """From whom to whom -> what passes by the rules of a period; of splits nothing is in it."""
    found: dict[tuple[str, str], Share] = defaultdict(Share)
    both = zip(with_payers(before.rules, used), with_payers(after.rules, used), strict=True)
    for (each, payer), (_, then) in both:
        if payer.team != then.team and period.start <= each.piece < period.end:
            teams = payer.team, then.team
            found[teams] = found[teams].plus(each.cost.amount, each.calls)
    return dict(found)


def _days(
    said: Ownership, paid: Sequence[Paid], period: Period, now: datetime
) -> Iterator[tuple[datetime, list[Paid]]]:
    """The days of a period that are over, each with all of its usage."""
    of_day: dict[date, list[Paid]] = defaultdict(list)
    for one in paid:
        of_day[local_day(one[0].piece, said.zone)].append(one)
    for day in days_in(period, said.zone):
        if day_start(day + timedelta(days=1), said.zone) <= now:
            yield day_start(day, said.zone), of_day[day]


def whole_days(said: Ownership, period: Period) -> Period:
    """The period, widened to whole days of the zone."""
    days = list(days_in(period, said.zone))
    last = day_start(days[-1] + timedelta(days=1), said.zone)
    return Period(day_start(days[0], said.zone), last)


def decided(said: Ownership, used: Sequence[Used], period: Period) -> dict[str, Share]:
    """Rule -> the calls of a period that it decides, and their cost; also rules that decide none.

    By names: of the terms of one name together.
    """
    found = {rule.name: Share() for rule in said.rules}
    for each in used:
        if period.start <= each.piece < period.end:
            rule = rule_for(said.rules, each.owner, each.piece)
            if rule is not None:
                found[rule.name] = found[rule.name].plus(each.cost.amount, each.calls)
    return found
