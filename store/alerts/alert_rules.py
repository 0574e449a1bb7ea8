"""Remembers alert rules: one row a version, of which at most one is in force."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, delete, func, insert, select, update
from sqlalchemy.orm import Session

from spend.alerts.alert_rules import Rule, RuleTerms, Value
from spend.alerts.rule_kinds import KINDS
from spend.alerts.rule_terms import fields_of_rule
from store import audit
from store.free_names import unless_taken
from store.tables.alerting import RULE_IDS, alert_rules, rule_states
from store.tables.budgets import crossings

_NAME_IN_FORCE: Final = "uq_alert_rules_name_in_force"
_COLUMNS: Final = ("name", "kind", "filter", "owner", "remind_hours")
_KEPT: Final = ("by", "window_minutes", "warning", "over", "minimum", "recover_minutes")


class RuleNameTaken(ValueError):  # noqa: N818  # a conflict that the writer resolves
    """Another rule in force has that name: choose another, or change that one."""


class NoSuchRule(LookupError):  # noqa: N818  # an answer, not a failure
    """No rule in force has that id."""


def create(session: Session, tenant: int, terms: RuleTerms, now: datetime) -> Rule:
    """Puts a new rule in force at ``now``. Raises RuleNameTaken."""
    rule = Rule(session.execute(select(RULE_IDS.next_value())).scalar_one(), 1, terms, now)
    _put(session, tenant, rule)
    audit.note(session, tenant, did="created", **_named(rule), after=terms)
    return rule


def change(session: Session, tenant: int, rule_id: int, terms: RuleTerms, now: datetime) -> Rule:
    """Puts a new version in force at ``now``; the same terms again change nothing.

    What is open of a rule that measures something else now is closed without a word. Raises
    NoSuchRule, RuleNameTaken.
    """
    current = in_force(session, tenant, rule_id, lock=True)
    if current.terms == terms:
        return current
    # Never before it began, whatever the clocks of two replicas say.
    now = max(now, current.created_at)
    _end(session, tenant, current, now)
    changed = replace(current, version=current.version + 1, terms=terms, created_at=now)
    _put(session, tenant, changed)
    if not terms.measures_like(current.terms):
        _forget(session, tenant, rule_id, now)
    audit.note(session, tenant, did="changed", **_named(changed), before=current.terms, after=terms)
    return changed


def close(session: Session, tenant: int, rule_id: int, now: datetime) -> None:
    """Ends a rule, and what is open of it without a word. Raises NoSuchRule."""
    current = in_force(session, tenant, rule_id, lock=True)
    _end(session, tenant, current, max(now, current.created_at))
    _forget(session, tenant, rule_id, now)
    audit.note(session, tenant, did="closed", **_named(current), before=current.terms)


def _named(rule: Rule) -> audit.Subject:
    return {"noun": "alert rule", "noun_id": rule.id, "name": rule.terms.name}


def in_force(session: Session, tenant: int, rule_id: int, *, lock: bool = False) -> Rule:
    """The version of a rule that holds now. Raises NoSuchRule.

    ``lock`` keeps others from changing it until the transaction ends.
    """
    if lock:
        # Not a row lock: whoever waited for one would hold the version that was replaced.
        key = func.hashtext("spanledger alert rule"), func.hashtext(str(rule_id))
        session.execute(select(func.pg_advisory_xact_lock(*key)))
    row = session.execute(
        select(alert_rules).where(*_holds(tenant), alert_rules.c.id == rule_id)
    ).one_or_none()
    if row is None:
        raise NoSuchRule(f"no alert rule {rule_id} is in force")
    return _rule(row)


def version(session: Session, tenant: int, rule_id: int, number: int) -> Rule | None:
    """A version of a rule, whether it holds or not; None: there is none."""
    one = (alert_rules.c.tenant_id, alert_rules.c.id, alert_rules.c.version)
    asked = (column == value for column, value in zip(one, (tenant, rule_id, number), strict=True))
    row = session.execute(select(alert_rules).where(*asked)).one_or_none()
    return None if row is None else _rule(row)


def all_in_force(session: Session, tenant: int) -> list[Rule]:
    """Every rule that holds now, by id."""
    rows = session.execute(select(alert_rules).where(*_holds(tenant)).order_by(alert_rules.c.id))
    return [_rule(row) for row in rows]


def held_still(session: Session, tenant: int) -> dict[int, int]:
    """Id -> version of all rules in force: nobody changes them until the transaction ends."""
    rows = session.execute(
        select(alert_rules.c.id, alert_rules.c.version)
        .where(*_holds(tenant))
        .order_by(alert_rules.c.id)
        .with_for_update(read=True)
    )
    return {row.id: row.version for row in rows}


def _holds(tenant: int) -> tuple[ColumnElement[bool], ...]:
    return alert_rules.c.tenant_id == tenant, alert_rules.c.replaced_at.is_(None)


def _end(session: Session, tenant: int, rule: Rule, now: datetime) -> None:
    session.execute(
        update(alert_rules)
        .where(
            alert_rules.c.tenant_id == tenant,
            alert_rules.c.id == rule.id,
            alert_rules.c.version == rule.version,
        )
        .values(replaced_at=now)
    )


def _forget(session: Session, tenant: int, rule_id: int, now: datetime) -> None:
    session.execute(
        update(crossings)
        .where(
            crossings.c.tenant_id == tenant,
            crossings.c.rule_id == rule_id,
            crossings.c.recovered_at.is_(None),
        )
        .values(recovered_at=now)
    )
    session.execute(
        delete(rule_states).where(
            rule_states.c.tenant_id == tenant, rule_states.c.rule_id == rule_id
        )
    )


def _put(session: Session, tenant: int, rule: Rule) -> None:
    fields = fields_of_rule(rule.terms)
    columns = {name: fields.pop(name) for name in _COLUMNS}
    row = columns | {
        "tenant_id": tenant,
        "id": rule.id,
        "version": rule.version,
        "created_at": rule.created_at,
        "channel_ids": list(rule.terms.channel_ids),
        "settings": fields,
    }
    taken = RuleNameTaken(f"there is an alert rule named {rule.terms.name!r}")
    with unless_taken(session, _NAME_IN_FORCE, taken):
        session.execute(insert(alert_rules).values(row))


def _rule(row: Row[Any]) -> Rule:
    kept = row.settings
    terms = RuleTerms(
        name=row.name,
        kind=row.kind,
        filter={name: tuple(values) for name, values in sorted(row.filter.items())},
        by=tuple(kept["by"]),
        window_minutes=kept["window_minutes"],
        warning=_number(kept["warning"]),
        over=_number(kept["over"]),
        minimum=Decimal(kept["minimum"]),
        recover_minutes=kept["recover_minutes"],
        settings=_own(row.kind, kept),
        owner=row.owner,
        channel_ids=tuple(row.channel_ids),
        remind_hours=row.remind_hours,
    )
    return Rule(row.id, row.version, terms, row.created_at, row.replaced_at)


def _number(kept: str | None) -> Decimal | None:
    return None if kept is None else Decimal(kept)


def _own(kind: str, kept: Mapping[str, Any]) -> dict[str, Value]:
    """What the kind has of its own; of a kind that this version does not know, as it is kept."""
    own: dict[str, Value] = {name: kept[name] for name in kept if name not in _KEPT}
    if kind not in KINDS:
        return own
    return {
        name: Decimal(own.get(name, setting.default))
        if setting.type == "number"
        else own.get(name, setting.default)
        for name, setting in KINDS[kind].settings.items()
    }
