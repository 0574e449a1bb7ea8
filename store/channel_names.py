"""Channels by the names that people call them, where budgets and rules name some."""

from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from spend.checked_fields import TermsRefused, quoted
from store.tables.alerting import channels


def channel_names(session: Session, tenant: int) -> dict[int, str]:
    """Id -> name of the channels that there are."""
    rows = session.execute(
        select(channels.c.id, channels.c.name).where(
            channels.c.tenant_id == tenant, channels.c.removed_at.is_(None)
        )
    )
    return {row.id: row.name for row in rows}


def channels_named(said: object, names: Mapping[int, str]) -> tuple[int, ...]:
    """The ids of channels that somebody named in the field ``channels``. Raises TermsRefused."""
    if not isinstance(said, list | tuple) or not all(isinstance(each, str) for each in said):
        raise TermsRefused("channels", "must be a list of names of channels")
    by_name = {name: channel_id for channel_id, name in names.items()}
    for each in said:
        if each not in by_name:
            known = ", ".join(sorted(by_name)) or "none"
            raise TermsRefused("channels", f"no channel {quoted(each)}: there are {known}")
    return tuple(by_name[each] for each in said)
