"""Budgets and jobs as the tests of alerts need them."""

from datetime import datetime

from filled_ledger import at, put_charge

from jobs.budgets import evaluate_budgets
from jobs.context import Done, JobContext, JobSettings
from jobs.delivery import send_alerts
from spend.budgets.budget_terms import terms
from spend.budgets.budgets import Budget, Terms
from spend.calls import Owner, Route
from store.budgets import budgets
from store.postgres.sessions import Database
from store.tenants import TENANT

NOW = at("2026-11-15T12:00")
"""A Sunday noon in the middle of the month that most tests budget."""

API = Route(provider="openai", model="gpt-4o", operation="chat", deployment="api")


def said(**changes: object) -> Terms:
    """Terms of a budget: 100 USD a month for the team search, unless said otherwise."""
    usual: dict[str, object] = {
        "name": "search",
        "filter": {"team": ["search"]},
        "amount": "100.00",
        "currency": "USD",
        "period": "month",
        "timezone": "UTC",
        "allow_private": True,
    }
    return terms(**(usual | changes))  # type: ignore[arg-type]  # the test's to get right


def budget(database: Database, created: datetime | None = None, **changes: object) -> Budget:
    with database.write() as session:
        return budgets.create(session, TENANT, said(**changes), created or at("2026-10-20"))


def change(database: Database, old: Budget, when: datetime = NOW, **changes: object) -> Budget:
    with database.write() as session:
        return budgets.change(session, TENANT, old.id, said(**changes), when)


def charge(
    database: Database,
    amount: str,
    slot: str = "2026-11-10",
    team: str = "search",
    *,
    kind: str = "original",
    posted: str = "2026-11-01",
) -> None:
    with database.write() as session:
        put_charge(session, slot, amount, Owner(team=team), API, kind=kind, posted=posted)


def settings(webhook: str | None = None) -> JobSettings:
    return JobSettings(slack_webhook_url=webhook, allow_private_destinations=True)


def evaluate(database: Database, now: datetime = NOW) -> Done:
    return evaluate_budgets.run(JobContext(database, now, settings()))


def send(database: Database, webhook: str | None = None, now: datetime = NOW) -> Done:
    return send_alerts.run(JobContext(database, now, settings(webhook)))
