"""``spanledger budgets preview``: what the alert rules of a file would have told."""

import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

import click

from app.settings import Settings
from spend.alerts.alert_rules import RuleTerms
from spend.alerts.rule_preview import WHY_NOT, Previewed, RuleMessage
from spend.alerts.rule_terms import rule_of_fields
from spend.budgets.budget_files import BudgetFileRefusedError, Written
from spend.checked_fields import TermsRefused
from spend.periods import Period, months_ago
from spend.slots import slot_of
from store.completeness import complete_until
from store.postgres.sessions import Database
from store.tenants import TENANT
from store.watched.rule_preview import UnmeasuredError, replayed

STOPPED: Final = "stopped"


def rule_terms(written: Written, settings: Settings) -> RuleTerms:
    """What a rule of a file says; where it would tell it is not looked at."""
    usual = {"currency": settings.currency, "timezone": settings.timezone}
    try:
        return rule_of_fields(written.fields, usual=usual)
    except TermsRefused as refused:
        raise BudgetFileRefusedError(written.place, refused.field, str(refused)) from None


def rules_previewed(
    database: Database, rules: Sequence[RuleTerms], months: int, now: datetime, zone: ZoneInfo
) -> list[Previewed]:
    """What rules would have told in the last months, one after the other.

    Who interrupts it has what was found until then.
    """
    with database.read() as session:
        until = slot_of(min(now, complete_until(session) or now))
    span = Period(months_ago(months, until, zone), until)
    found: list[Previewed] = []
    stopped = False
    for terms in rules:
        why = WHY_NOT.get(terms.kind, STOPPED if stopped else None)
        if why is not None:
            found.append(Previewed(terms, Period(span.start, span.start), (), why))
            continue
        its = _previewed(database, terms, span)
        stopped = its.left_out == STOPPED
        found.append(its)
    return found


def _previewed(database: Database, terms: RuleTerms, span: Period) -> Previewed:
    messages: list[RuleMessage] = []
    at, why = span.start, None
    try:
        with database.read() as session:
            for moment, told in _shown(terms, span, replayed(session, TENANT, terms, span)):
                messages += told
                at = moment
    except KeyboardInterrupt:
        why = STOPPED
    except UnmeasuredError as error:
        why = str(error)
    return Previewed(terms, Period(span.start, at), messages, why)


def _shown(
    terms: RuleTerms, span: Period, moments: Iterator[tuple[datetime, list[RuleMessage]]]
) -> Iterator[tuple[datetime, list[RuleMessage]]]:
    """The moments, and on standard error how far it is."""
    start, ends = ("\r", False) if sys.stderr.isatty() else ("", True)
    told = -1
    for at, messages in moments:
        share = 100 * (at - span.start) // (span.end - span.start)
        # Where it is no terminal, a line for each tenth.
        if share > told and (not ends or share // 10 > told // 10):
            click.echo(f"{start}{terms.name}: {at:%Y-%m-%d}, {share} %", err=True, nl=ends)
            told = share
        yield at, messages
    if not ends:
        click.echo("", err=True)
