"""Prices of the book that others no longer agree with, of models that were called lately."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from sqlalchemy.orm import Session

from spend.alerts.alert_rules import Measured, Rule, RuleTerms, subject_of
from spend.prices.prices import CONTRACT
from spend.reconciliation.price_drift import (
    MOST_TOLD,
    Drift,
    Model,
    by_model,
    of_bill,
    of_calls,
    of_lists,
)
from spend.reconciliation.reconcile import NoRateError
from store.bills import bills, reconcile
from store.breakdowns.grouping import TooManyRowsError
from store.prices import books
from store.prices.price_comparison import price_comparison
from store.readings.told_costs import told_costs

LATE: Final = timedelta(days=62)
"""A bill for a time that ended longer ago says nothing of today's prices."""


def measure(session: Session, tenant: int, rule: Rule, now: datetime) -> list[Measured]:
    """By how many per cent the price furthest from ours is, of each model."""
    terms = rule.terms
    called, drifts = _of_lists(session, tenant, terms, now)
    told = told_costs(session, tenant, now - terms.window, now)
    enough = {
        model: (its.calls, its.ratio) for model, its in told.items() if its.calls >= terms.minimum
    }
    found = by_model([*drifts, *_of_bills(session, tenant, now), *of_calls(enough)])
    wanted = [model for model in dict.fromkeys((*called, *found)) if _fits(terms, model)]
    return _by_subject(terms, wanted, found, now)


def _of_lists(
    session: Session, tenant: int, terms: RuleTerms, now: datetime
) -> tuple[list[Model], list[Drift]]:
    """Models that were called lately, and their prices that the second list has otherwise."""
    used = [
        each
        for each in price_comparison(session, tenant, at=now, recently=terms.window)
        if each.calls and each.calls >= terms.minimum
    ]
    called = list(dict.fromkeys((each.provider, each.model) for each in used))
    agreed = [
        (line.provider, line.model, line.meter)
        for line in books.lines_for(session, tenant, called)
        if line.book == CONTRACT and line.known_to is None and line.in_force(now)
    ]
    return called, of_lists(used, without=agreed)


def _of_bills(session: Session, tenant: int, now: datetime) -> list[Drift]:
    """What the latest bill of each issuer says; one that cannot be compared says nothing."""
    held = [each for each in bills.held(session, tenant) if each.ends > now - LATE]
    latest = {each.provider: each for each in sorted(held, key=lambda each: each.starts)}
    found: list[Drift] = []
    for provider, bill in latest.items():
        try:
            compared = reconcile.of_bill(session, tenant, bill, now=now)
        except (reconcile.CurrenciesError, NoRateError, TooManyRowsError):
            continue
        found += of_bill(provider, compared.variance)
    return found


def _fits(terms: RuleTerms, model: Model) -> bool:
    said = dict(zip(("provider", "model"), model, strict=True))
    return all(said[dimension] in values for dimension, values in terms.filter.items())


def _by_subject(
    terms: RuleTerms,
    models: Iterable[Model],
    drifts: Mapping[Model, Sequence[Drift]],
    now: datetime,
) -> list[Measured]:
    subjects: dict[str, list[Drift]] = {} if terms.by else {"": []}
    for model in models:
        said = dict(zip(("provider", "model"), model, strict=True))
        subject = subject_of({name: said[name] for name in terms.by})
        subjects.setdefault(subject, []).extend(drifts.get(model, ()))
    return [_measured(terms, subject, its, now) for subject, its in subjects.items()]


def _measured(terms: RuleTerms, subject: str, drifts: Sequence[Drift], now: datetime) -> Measured:
    largest = sorted(drifts, key=lambda each: -abs(each.percent))
    return Measured(
        subject=subject,
        value=abs(largest[0].percent) if largest else Decimal(0),
        unit="percent",
        start=now - terms.window,
        end=now,
        facts=tuple((each.who, _told(terms, each)) for each in largest[:MOST_TOLD]),
        detail={
            "prices": [
                {
                    "provider": each.provider,
                    "model": each.model,
                    "percent": f"{each.percent:f}",
                    "who": each.who,
                    "what": each.what,
                    "since": each.since and f"{each.since:%Y-%m-%dT%H:%M:%SZ}",
                }
                for each in largest[:MOST_TOLD]
            ],
            "differing": sum(each.percent != 0 for each in drifts),
        },
    )


def _told(terms: RuleTerms, drift: Drift) -> str:
    return drift.told if "model" in terms.by else f"{drift.provider} {drift.model} {drift.told}"
