"""Which channels a notice goes to."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from spend.channels.channels import Channel
from store.budgets.budget_rows import has_begun
from store.channels.channels import all_channels
from store.tables.budgets import budgets

Where = Channel | None
"""None: the budget's own webhook, or where the setting says, as is found when it is sent."""


def channels_for(
    session: Session,
    tenant: int,
    *,
    kind: str,
    level: str,
    channel_ids: Sequence[int] = (),
    budget_id: int | None = None,
    team: str | None = None,
    now: datetime,
) -> list[Where]:
    """Where a notice goes: the first of these that has a place which takes it.

    The channels that its budget or rule names; the budget's own webhook; its team's channels; the
    default channels; the webhook of the settings. A channel that was removed is none of them.
    """
    there = [each for each in all_channels(session, tenant) if each.takes(kind, level)]
    named = _only(there, channel_ids)
    if named or (budget_id is not None and _has_own_webhook(session, tenant, budget_id, now)):
        return named or [None]
    teams = [each for each in there if team is not None and team in each.teams]
    return list(teams or [each for each in there if each.default]) or [None]


def _only(there: Iterable[Channel], ids: Sequence[int]) -> list[Where]:
    return [each for each in there if each.id in ids]


def _has_own_webhook(session: Session, tenant: int, budget_id: int, now: datetime) -> bool:
    latest = (
        select(budgets.c.webhook_url)
        .where(budgets.c.tenant_id == tenant, budgets.c.id == budget_id, has_begun(now))
        .order_by(budgets.c.version.desc())
        .limit(1)
    )
    return session.scalar(latest) is not None
