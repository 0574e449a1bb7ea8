"""Measures budgets: what was spent of each in the periods that are compared, and of which limit."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from functools import partial
from itertools import groupby
from zoneinfo import ZoneInfoNotFoundError

from sqlalchemy.orm import Session

from spend.budgets.budgets import Budget
from spend.budgets.compared import Compared, before_of, chain, last_of, present_of
from spend.budgets.pace import Pace, pace, window_of
from spend.budgets.rollover import limit, rolled_in
from spend.periods import Period
from store.budgets.budget_spend import SpendRead, read_spend
from store.budgets.standings import Standing, is_settled, of_periods

Held = Mapping[tuple[int, datetime], Standing]
"""Standings by budget and start of the period."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A period of a budget. Amounts are in its currency."""

    budget: Budget
    """The version that it is compared by."""
    period: Period
    present: bool
    """It goes on."""
    compared: bool
    """Whether crossings of it are looked for; else it is only known for what it leaves over."""
    spent: Decimal
    without_rate: Mapping[str, Decimal]
    rolled_in: Decimal = Decimal(0)
    pace: Pace | None = None

    @property
    def limit(self) -> Decimal:
        """The amount, and what was rolled in."""
        return limit(self.budget.terms.amount, self.rolled_in)


@dataclass(frozen=True, slots=True)
class Measures:
    """All budgets, as they were measured on one snapshot."""

    found: list[Measured]
    """By budget; of each, the earlier periods first."""
    troubles: Mapping[int, str]
    """Budget -> why it, or an earlier version of it, cannot be compared."""
    held: Held
    """What was known before of where they stand."""


@dataclass(slots=True)
class _Plan:
    """What is to be read for one budget."""

    compared: list[Compared]
    caught_up: list[Compared] = field(default_factory=list)
    windows: dict[Period, Period] = field(default_factory=dict)
    """Period -> what its pace is measured over."""


def measure(
    session: Session,
    tenant: int,
    history: Iterable[Budget],
    now: datetime,
    *,
    as_of: datetime | None,
    present_alone: bool = False,
) -> Measures:
    """Measures the present period of each budget and the last one, in a constant few statements.

    ``history`` has all versions of each budget, ordered by id and version; the last is in force.
    ``as_of``: everything heard before is in the ledger. A budget that cannot be measured is told
    with the reason, and harms no other.
    """
    versions = {id_: list(each) for id_, each in groupby(history, key=lambda each: each.id)}
    troubles: dict[int, str] = {}
    plans: dict[int, _Plan] = {}
    for budget_id, each in versions.items():
        try:
            plans[budget_id] = _Plan(_present(each, now))
        except Exception as error:  # noqa: BLE001  # a zone that this machine does not have, ...
            troubles[budget_id] = _why(error)
            continue
        for version in () if present_alone else each:
            try:
                plans[budget_id].compared += _last(version, now)
            except Exception as error:  # noqa: BLE001  # one that was replaced: the others count
                troubles[budget_id] = f"version {version.version}: {_why(error)}"
    since = {
        budget_id: min(each.period.start for each in plan.compared)
        for budget_id, plan in plans.items()
        if plan.compared
    }
    held = of_periods(session, tenant, since)
    until = min(now, as_of or now)
    for budget_id, plan in list(plans.items()):
        try:
            _add_what_is_needed(plan, versions[budget_id], held, until)
        except Exception as error:  # noqa: BLE001  # an earlier version is what cannot be read
            troubles[budget_id] = _why(error)
            del plans[budget_id]
    read = _read(session, tenant, plans.values(), now)
    found: list[Measured] = []
    for budget_id, plan in plans.items():
        its, trouble = _measured(plan, versions[budget_id], read, held)
        found += its
        if trouble is not None:
            troubles[budget_id] = trouble
    return Measures(found, troubles, held)


def _present(versions: Sequence[Budget], now: datetime) -> list[Compared]:
    if versions[-1].unreadable is not None:
        raise ValueError(versions[-1].unreadable)
    present = present_of(versions, now)
    return [] if present is None else [present]


def _last(version: Budget, now: datetime) -> list[Compared]:
    if version.unreadable is not None:
        raise ValueError(version.unreadable)
    last = last_of(version, now)
    return [] if last is None else [last]


def _add_what_is_needed(
    plan: _Plan, versions: Sequence[Budget], held: Held, until: datetime
) -> None:
    known = {each.period for each in plan.compared}
    for each in plan.compared:
        if each.present and each.budget.terms.pace_thresholds:
            window = window_of(each.period, until)
            if window is not None:
                plan.windows[each.period] = window
        for before in chain(versions, each, partial(_is_settled, held, each.budget.id)):
            if before.period not in known:
                known.add(before.period)
                plan.caught_up.append(before)


def _settled(held: Held, budget_id: int, period: Period) -> Standing | None:
    """Where a budget stood in a period for good; None: it is not known."""
    standing = held.get((budget_id, period.start))
    if standing is None or standing.period != period or not is_settled(standing):
        return None
    return standing


def _is_settled(held: Held, budget_id: int, period: Period) -> bool:
    return _settled(held, budget_id, period) is not None


def _read(session: Session, tenant: int, plans: Iterable[_Plan], now: datetime) -> SpendRead:
    asked = [each for plan in plans for each in (*plan.compared, *plan.caught_up)]
    periods = {each.period for each in asked}
    windows = {window for plan in plans for window in plan.windows.values()}
    return read_spend(
        session,
        tenant,
        periods | windows,
        [each.budget.terms.filter for each in asked],
        {each.budget.terms.currency for each in asked},
        now=now,
    )


def _measured(
    plan: _Plan, versions: Sequence[Budget], read: SpendRead, held: Held
) -> tuple[list[Measured], str | None]:
    """What can be measured of a budget, and why something cannot, if so."""
    found: dict[Period, Measured] = {}
    trouble = None
    periods = [(each, False) for each in plan.caught_up] + [(each, True) for each in plan.compared]
    for each, compared in sorted(periods, key=lambda pair: pair[0].period.start):
        terms = each.budget.terms
        try:
            spent = read.on(terms.filter, terms.currency, each.period)
            measured = Measured(
                budget=each.budget,
                period=each.period,
                present=each.present,
                compared=compared,
                spent=spent.amount,
                without_rate=spent.without,
                rolled_in=_rolled_in(each, versions, found, held),
            )
            window = plan.windows.get(each.period)
            if window is not None and measured.limit > 0:
                measured = replace(measured, pace=_pace(measured, window, read))
        except Exception as error:  # noqa: BLE001  # a dimension that this version does not know
            its = "" if each.present else f"version {each.budget.version}: "
            trouble = its + _why(error)
            continue
        found[each.period] = measured
    return list(found.values()), trouble


def _pace(measured: Measured, window: Period, read: SpendRead) -> Pace:
    terms = measured.budget.terms
    return pace(
        limit=measured.limit,
        spent=measured.spent,
        period=measured.period,
        window=window,
        of=read.on(terms.filter, terms.currency, window).amount,
    )


def _rolled_in(
    each: Compared, versions: Sequence[Budget], found: Mapping[Period, Measured], held: Held
) -> Decimal:
    cap = each.budget.terms.rollover_cap
    before = None if cap is None else before_of(versions, each)
    if before is None:
        return Decimal(0)
    its = found.get(before.period) or _settled(held, before.budget.id, before.period)
    return Decimal(0) if its is None else rolled_in(its.limit, its.spent, cap)


def _why(error: Exception) -> str:
    if isinstance(error, KeyError) and not isinstance(error, ZoneInfoNotFoundError):
        return f"{error.args[0]!r} is not known to this version of spanledger"
    return str(error.args[0])[:200] if error.args else type(error).__name__
