"""Asks a check of the doctor what it finds."""

from datetime import datetime, timedelta
from typing import Any

from filled_ledger import at
from sqlalchemy.orm import Session

from app.examination.findings import Check, Finding, Looking, State
from app.settings import Settings

NOW = at("2026-10-20T12:00")
DAY = timedelta(days=1)
PEPPER = "a pepper of the tests"


def found(check: Check, session: Session, now: datetime = NOW, **settings: Any) -> list[Finding]:
    usual = {"key_pepper": PEPPER, "retention_days": 90, "archive": "none"}
    return list(check(Looking(session, Settings(**{**usual, **settings}), now)))


def states(findings: list[Finding]) -> set[State]:
    return {finding.state for finding in findings}


def only(findings: list[Finding]) -> Finding:
    [finding] = findings
    return finding
