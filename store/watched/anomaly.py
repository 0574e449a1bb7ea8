"""Spend that is out of the ordinary: more than in the same hours of past weeks, and from what."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from spend.alerts import anomalies
from spend.alerts.alert_rules import OVER, WARNING, Measured, Rule, RuleTerms, level_of, subject_of
from spend.alerts.anomalies import DRIVEN_BY, Driver, Judged, Piece, judged
from spend.alerts.same_hours import can_be_compared, hours_name, last_hours, weeks_before
from spend.money import coins, plain
from spend.periods import Period
from store.alerts import rule_states
from store.completeness import complete_until
from store.spending.hours_spent import HoursSpent, Key, ReadHours, hours_spent, with_spend

_HOUR: Final = 60


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is compared: the last of the periods with those before it."""

    terms: RuleTerms
    zone: ZoneInfo
    periods: Sequence[Period]
    now: datetime
    read: ReadHours

    @property
    def currency(self) -> str:
        return str(self.terms.settings["currency"])

    @property
    def window(self) -> Period:
        return self.periods[-1]


def measure(session: Session, tenant: int, rule: Rule, now: datetime) -> list[Measured]:
    """By how much spend of each subject is above what was usual, in the rule's currency."""
    known = rule_states.states(session, tenant, rule.id).get(rule.id, ())
    told = [
        each.found
        for each in known
        if each.found is not None and each.state.state in {WARNING, OVER}
    ]
    return measured_after(session, tenant, rule, now, told)


def measured_after(
    session: Session,
    tenant: int,
    rule: Rule,
    now: datetime,
    told: Iterable[Measured],
    read: ReadHours = hours_spent,
) -> list[Measured]:
    """The same, where ``told`` was measured last of the subjects that somebody was told of.

    They have recovered where nothing is spent any more. ``read`` reads what was spent.
    """
    terms = rule.terms
    zone = ZoneInfo(str(terms.settings["timezone"]))
    # An hour of which something is still to be priced would always look cheap.
    until = min(now, complete_until(session) or now)
    window = last_hours(until, terms.window_minutes // _HOUR, zone)
    weeks = weeks_before(window, int(terms.settings["weeks"]), zone)
    known = with_spend(session, tenant, weeks[::-1]) if can_be_compared(window, zone) else []
    asked = _Asked(terms, zone, (*known, window), now, read)
    spent = _spent(session, tenant, asked, terms.by)
    groups = dict(spent.groups)
    for key in _told_before(terms, told):
        groups.setdefault(key, (0,) * len(asked.periods))
    found = {key: _measured(asked, key, sums, spent.without) for key, sums in groups.items()}
    odd = {key for key, each in found.items() if level_of(terms, each) in {WARNING, OVER}}
    if odd:
        for key, pieces in _pieces(session, tenant, asked, odd).items():
            found[key] = _with_drivers(asked, found[key], pieces)
    return list(found.values())


def _told_before(terms: RuleTerms, told: Iterable[Measured]) -> Iterator[Key]:
    if not terms.by:
        yield ()
    for each in told:
        said = each.detail.get("by", {})
        if said.keys() == set(terms.by):
            yield tuple(said[name] for name in terms.by)


def _spent(session: Session, tenant: int, asked: _Asked, by: Sequence[str]) -> HoursSpent:
    return asked.read(
        session,
        tenant,
        asked.periods,
        wanted=asked.terms.filter,
        by=by,
        currency=asked.currency,
        now=asked.now,
    )


def _measured(
    asked: _Asked,
    key: Key,
    sums: Sequence[int],
    without: Mapping[Key, Mapping[str, Decimal]],
) -> Measured:
    terms = asked.terms
    *past, now = sums
    found = judged(
        now,
        past,
        sensitivity=Decimal(terms.settings["sensitivity"]),
        ratio=Decimal(terms.settings["ratio"]),
    )
    subject = dict(zip(terms.by, key, strict=True))
    unrated = without.get(key, {})
    return Measured(
        subject=subject_of(subject),
        value=None if found is None else max(found.excess, Decimal(0)),
        unit=asked.currency,
        start=asked.window.start,
        end=asked.window.end,
        negligible=found is not None and (not found.stands_out or found.value < terms.minimum),
        facts=_facts(asked, found, unrated),
        detail={"by": subject, **_detail(found, unrated)},
        team=subject.get("team"),
    )


def _facts(
    asked: _Asked, found: Judged | None, unrated: Mapping[str, Decimal]
) -> tuple[tuple[str, str], ...]:
    facts = [("Hours", hours_name(asked.window, asked.zone))]
    if found is not None:
        value, usual, apart = (
            _money(each, asked.currency) for each in (found.value, found.expected, found.deviation)
        )
        facts += [
            ("Spent", value),
            ("Usual", f"{usual} (of {found.weeks} weeks; give or take {apart})"),
        ]
    if unrated:
        said = ", ".join(_money(amount, code) for code, amount in sorted(unrated.items()))
        facts.append(("Not counted, as there is no rate", said))
    return tuple(facts)


def _detail(found: Judged | None, unrated: Mapping[str, Decimal]) -> dict[str, Any]:
    detail: dict[str, Any] = {
        "without_rate": {code: plain(amount) for code, amount in sorted(unrated.items())}
    }
    if found is not None:
        detail |= {
            "spent": plain(found.value),
            "expected": plain(found.expected),
            "deviation": plain(found.deviation),
            "weeks": found.weeks,
        }
    return detail


def _pieces(
    session: Session, tenant: int, asked: _Asked, told: Iterable[Key]
) -> dict[Key, list[Piece]]:
    """What each subject that is told of spent, by all that a difference can be put down to."""
    by = asked.terms.by
    others = [name for name in DRIVEN_BY if name not in by]
    spent = _spent(session, tenant, asked, (*by, *others))
    found: dict[Key, list[Piece]] = {key: [] for key in told}
    for names, sums in spent.groups.items():
        if names[: len(by)] in found:
            said = {
                name: value for name, value in zip(others, names[len(by) :], strict=True) if value
            }
            found[names[: len(by)]].append(Piece(said, sums[-1], sums[:-1]))
    return found


def _with_drivers(asked: _Asked, measured: Measured, pieces: Sequence[Piece]) -> Measured:
    named = anomalies.drivers(pieces)
    share = anomalies.explained(named, measured.value or Decimal(0))
    facts = [
        ("Then" if place else "Most of it", _told(each, asked.currency))
        for place, each in enumerate(named)
    ]
    if named:
        facts.append(("They explain", f"{share} % of the difference"))
    said = [
        {
            "dimension": each.dimension,
            "value": each.value,
            **{name: plain(getattr(each, name)) for name in ("more", "now", "was")},
        }
        for each in named
    ]
    detail = {**measured.detail, "drivers": said, "explained_percent": share}
    return replace(measured, facts=(*measured.facts, *facts), detail=detail)


def _told(driver: Driver, currency: str) -> str:
    """'feature rerank +412.00 USD (was 3.10)'."""
    was = coins(driver.was, currency)
    return f"{driver.dimension} {driver.value} +{_money(driver.more, currency)} (was {was})"


def _money(amount: Decimal, currency: str) -> str:
    return f"{coins(amount, currency)} {currency}"
