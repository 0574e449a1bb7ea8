"""Alert rules as their tests need them: a ledger that is complete until a moment, and a round."""

from datetime import datetime, timedelta
from typing import Any

from filled_ledger import at
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from jobs.alerts import watch
from jobs.context import Done, JobContext, JobSettings
from spend.alerts.alert_rules import Measured, Rule, level_of
from spend.alerts.rule_terms import rule_of_fields
from spend.channels.notices import Notice, notice_of
from store.alerts import alert_rules
from store.postgres.sessions import Database
from store.tables.budgets import outbox
from store.tables.jobs import job_runs
from store.tenants import TENANT
from store.watched.kinds import MEASURES

NOW = at("2026-10-20T12:00")


def written(kind: str, **said: Any) -> Rule:
    """A rule of a kind, as somebody wrote it: it is nowhere."""
    return Rule(
        1, 1, rule_of_fields({"name": f"my {kind}", "kind": kind, **said}), at("2026-01-01")
    )


def rule(database: Database, kind: str, **said: Any) -> Rule:
    """One that holds."""
    terms = written(kind, **said).terms
    with database.write() as session:
        return alert_rules.create(session, TENANT, terms, at("2026-10-01"))


def complete(database: Database, until: datetime = NOW) -> None:
    """As if the jobs that sums wait for had run: all that was heard until a moment is in them."""
    with database.write() as session:
        for job in ("roll", "charge"):
            session.execute(
                insert(job_runs)
                .values(
                    job=job,
                    period=until,
                    started_at=until,
                    finished_at=until,
                    complete_until=until,
                    note="",
                    failed=False,
                )
                .on_conflict_do_nothing()
            )


def measured(database: Database, one: Rule, now: datetime = NOW) -> dict[str, Measured]:
    """What a rule finds, by subject."""
    with database.read() as session:
        found = MEASURES[one.terms.kind](session, TENANT, one, now)
    return {each.subject: each for each in found}


def levels(one: Rule, found: dict[str, Measured]) -> dict[str, str]:
    """How bad each subject is."""
    return {subject: level_of(one.terms, each) for subject, each in found.items()}


def facts(found: Measured) -> dict[str, str]:
    """What people are told beside the value."""
    return dict(found.facts)


def go_round(database: Database, now: datetime = NOW, *, later: int = 0) -> Done:
    """One round of the job, at a moment until which all is complete."""
    now += timedelta(minutes=later)
    complete(database, now)
    return watch.run(JobContext(database, now, JobSettings(api_url="http://spend.example")))


def told(database: Database) -> list[Notice]:
    """What was told, in order."""
    with database.read() as session:
        return [notice_of(body) for body in session.scalars(select(outbox.c.body).order_by("id"))]
