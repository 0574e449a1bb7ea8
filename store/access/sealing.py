"""Seals secrets that were saved before there were seals."""

from typing import Final

from sqlalchemy import Column, Table, select, update
from sqlalchemy.orm import Session

from store.access.secrets import MARK, Seal
from store.tables.budgets import budgets, outbox

_HOLD_SECRETS: Final[tuple[tuple[Table, Column[str]], ...]] = (
    (budgets, budgets.c.webhook_url),
    (outbox, outbox.c.destination),
)


def seal_plain(session: Session, tenant: int, seal: Seal) -> int:
    """Seals what stands readable in the database; answers how many rows that were."""
    sealed = 0
    for table, column in _HOLD_SECRETS:
        plain = table.c.tenant_id == tenant, column.is_not(None), ~column.startswith(MARK)
        found = session.scalars(select(column).where(*plain).distinct()).all()
        for secret in found:
            done = session.execute(
                update(table)
                .where(table.c.tenant_id == tenant, column == secret)
                .values({column: seal.sealed(secret)})
                .returning(table.c.id)
            )
            sealed += len(done.all())
    return sealed
