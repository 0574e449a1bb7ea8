"""Alert rules as the tests of their kinds need them."""

from datetime import datetime
from typing import Any

from filled_ledger import at

from spend.alert_rules import Measured, Rule, level_of
from spend.rule_terms import rule_of_fields
from store.sessions import Database
from store.tenants import TENANT
from store.watched.kinds import MEASURES


def rule(kind: str, **said: Any) -> Rule:
    """A rule of a kind, as somebody wrote it."""
    return Rule(
        1, 1, rule_of_fields({"name": f"my {kind}", "kind": kind, **said}), at("2026-01-01")
    )


def measured(database: Database, watched: Rule, now: datetime) -> dict[str, Measured]:
    """What a rule finds, by subject."""
    with database.read() as session:
        found = MEASURES[watched.terms.kind](session, TENANT, watched, now)
    return {each.subject: each for each in found}


def levels(watched: Rule, found: dict[str, Measured]) -> dict[str, str]:
    """How bad each subject is."""
    return {subject: level_of(watched.terms, each) for subject, each in found.items()}


def facts(found: Measured) -> dict[str, str]:
    """What people are told beside the value."""
    return dict(found.facts)
