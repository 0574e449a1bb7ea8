"""Whether a tenant's content is kept, and on which terms. Where nobody said so, it is not."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from spend.contents.contents import OFF, ContentTerms
from store.audit import by, note
from store.contents.linear_patterns import check_patterns
from store.tables.contents import content_policies


@dataclass(frozen=True, slots=True)
class Policy:
    """The terms in force, and who said so."""

    terms: ContentTerms
    changed_at: datetime | None = None
    """UTC; None: nobody ever said anything."""
    changed_by: str | None = None


def policy_of(session: Session, tenant: int, *, hold: bool = False) -> Policy:
    """A tenant's. ``hold``: nobody changes it until the transaction ends."""
    asked = select(content_policies).where(content_policies.c.tenant_id == tenant)
    row = session.execute(asked.with_for_update(read=True) if hold else asked).one_or_none()
    if row is None:
        return Policy(OFF)
    terms = ContentTerms(
        on=row.is_on,
        days=row.days,
        kinds=tuple(row.kinds),
        patterns=tuple(row.patterns),
        ips=row.ips,
        teams=tuple(row.teams),
        services=tuple(row.services),
    )
    return Policy(terms, row.changed_at, row.changed_by)


def set_policy(session: Session, tenant: int, terms: ContentTerms, *, now: datetime) -> Policy:
    """Puts terms in force. What is kept beyond them goes with the next run of the job.

    Waits for batches that hold the terms of before (``policy_of``): none comes after them.
    """
    check_patterns(terms.patterns)
    before, who = policy_of(session, tenant).terms, by(session).name
    said = {
        "is_on": terms.on,
        "days": terms.days,
        "kinds": list(terms.kinds),
        "patterns": list(terms.patterns),
        "ips": terms.ips,
        "teams": list(terms.teams),
        "services": list(terms.services),
        "changed_at": now,
        "changed_by": who,
    }
    statement = insert(content_policies).values(tenant_id=tenant, **said)
    session.execute(statement.on_conflict_do_update(index_elements=["tenant_id"], set_=said))
    note(session, tenant, did="changed", noun="content", before=before, after=terms)
    return Policy(terms, now, who)
