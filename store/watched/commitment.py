"""Commitments that will be left unused in part, and those that will be used up too early."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from spend.alerts.alert_rules import Measured, Rule, subject_of
from spend.budgets.budgets import percent
from spend.commitments.commitment_outlook import Outlook, first_day_looked_at, outlook
from spend.commitments.commitment_use import Use
from spend.commitments.commitments import FOREVER, PREPAID, Commitment
from spend.money import coins, plain
from spend.periods import Period, day_start, local_day
from store.commitments import commitment_use, commitments
from store.completeness import complete_until

SOON: Final = timedelta(days=7)
"""Before credits expire, it is said what of them is left."""

_RFC_3339: Final = "%Y-%m-%dT%H:%M:%SZ"
_UTC: Final = ZoneInfo("UTC")
_DAY: Final = timedelta(days=1)
_MICROSECOND: Final = timedelta(microseconds=1)


class UnknownCommitmentError(ValueError):
    """The rule is for a commitment that is not there: none was declared by that name."""


@dataclass(frozen=True, slots=True)
class _Found:
    """A period that runs, and how it is expected to end."""

    use: Use
    expected: Outlook | None
    until: datetime
    """Everything heard before is in it."""

    @property
    def commitment(self) -> Commitment:
        return self.use.commitment

    def money(self, amount: Decimal) -> str:
        return f"{coins(amount, self.commitment.currency)} {self.commitment.currency}"


def shortfall(session: Session, tenant: int, rule: Rule, now: datetime) -> list[Measured]:
    """Per cent of each commitment that is expected to be unused when its period ends."""
    return [
        _measured(each, rule, _unused, _shortfall_facts)
        for each in _found(session, tenant, rule, now)
    ]


def runs_out(session: Session, tenant: int, rule: Rule, now: datetime) -> list[Measured]:
    """Per cent of each commitment's period that is expected to be left when it is used up."""
    return [
        _measured(each, rule, _time_left, _runs_out_facts)
        for each in _found(session, tenant, rule, now)
    ]


def _found(session: Session, tenant: int, rule: Rule, now: datetime) -> Iterator[_Found]:
    name = str(rule.terms.settings["commitment"])
    held = [each for each in commitments.held(session, tenant) if name in {"", each.name}]
    if name and not held:
        raise UnknownCommitmentError(f"there is no commitment called {name}")
    until = min(now, complete_until(session) or now)
    first, today = first_day_looked_at(until), day_start(local_day(until, _UTC), _UTC)
    for each in held:
        begun = list(each.periods(until))
        if not begun or begun[-1].end <= until or begun[-1].end == FOREVER:
            continue
        use = commitment_use.used(session, tenant, each, begun)[-1]
        daily = commitment_use.daily(session, tenant, each.id, first, today)
        yield _Found(use, outlook(use, daily, until), until)


def _measured(
    found: _Found,
    rule: Rule,
    value: Callable[[_Found, Outlook], Decimal | None],
    facts: Callable[[_Found, Outlook], tuple[tuple[str, str], ...]],
) -> Measured:
    commitment, period, expected = found.commitment, found.use.period, found.expected
    return Measured(
        subject=subject_of({"commitment": commitment.name}),
        value=None if expected is None else value(found, expected),
        unit="percent",
        start=period.start,
        end=found.until,
        negligible=expected is not None and commitment.amount < rule.terms.minimum,
        facts=(
            (
                "Committed",
                f"{found.money(commitment.amount)}, until {period.end:%Y-%m-%d %H:%M} UTC",
            ),
            ("Used so far", found.money(found.use.used)),
            *(() if expected is None else facts(found, expected)),
        ),
        detail=_detail(found, period),
    )


def _unused(found: _Found, expected: Outlook) -> Decimal | None:
    return percent(expected.unused, found.commitment.amount)


def _time_left(found: _Found, expected: Outlook) -> Decimal | None:
    if expected.runs_out is None:
        return Decimal(0)
    period = found.use.period
    left = (period.end - expected.runs_out) // _MICROSECOND
    return percent(Decimal(left), Decimal((period.end - period.start) // _MICROSECOND))


def _shortfall_facts(found: _Found, expected: Outlook) -> tuple[tuple[str, str], ...]:
    facts = [
        ("Expected by then", found.money(expected.used)),
        ("Would be paid for nothing", found.money(expected.wasted)),
    ]
    left = found.use.period.end - found.until
    if found.commitment.kind == PREPAID and left < SOON:
        days = max(1, -(-left // _DAY))
        facts.append(
            (
                f"Expires within {days} day" + ("" if days == 1 else "s"),
                f"{found.money(found.use.left)} of credits are left",
            )
        )
    return tuple(facts)


def _runs_out_facts(found: _Found, expected: Outlook) -> tuple[tuple[str, str], ...]:
    if expected.runs_out is None:
        return ()
    beyond = expected.eligible - expected.used
    return (
        ("Used up by", _time(expected.runs_out)),
        ("Would be billed beyond it", found.money(beyond)),
    )


def _detail(found: _Found, period: Period) -> dict[str, Any]:
    commitment, expected = found.commitment, found.expected
    detail: dict[str, Any] = {
        "commitment": commitment.name,
        "commitment_id": commitment.id,
        "currency": commitment.currency,
        "period_end": f"{period.end:{_RFC_3339}}",
        "amount": plain(commitment.amount),
        "used": plain(found.use.used),
    }
    if expected is not None:
        names = ("eligible", "used", "unused", "wasted")
        detail["expected"] = {name: plain(getattr(expected, name)) for name in names}
        out = expected.runs_out
        detail["runs_out"] = None if out is None else f"{out:{_RFC_3339}}"
    return detail


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
