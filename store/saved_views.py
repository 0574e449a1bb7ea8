"""Remembers views of spend that somebody gave a name: a name and what was asked, nothing more."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from store import audit
from store.tables.views import saved_views

MOST: Final = 100
"""Views. More are of no use in a list, and whoever looks is shown all of them."""


class NameTaken(ValueError):  # noqa: N818  # a conflict that the writer resolves
    """There is a view of that name: choose another, or remove that one."""


class TooManyViews(ValueError):  # noqa: N818  # likewise
    """There are MOST views: remove one that nobody needs."""


@dataclass(frozen=True, slots=True)
class SavedView:
    """A view that somebody saved."""

    id: int
    name: str
    asked: str
    """The query of its address, without the question mark."""
    saved_at: datetime
    """UTC."""
    saved_by: str


def views(session: Session, tenant: int) -> list[SavedView]:
    """All of them, by name."""
    rows = session.execute(
        select(*(saved_views.c[name] for name in SavedView.__slots__))
        .where(saved_views.c.tenant_id == tenant)
        .order_by(func.lower(saved_views.c.name), saved_views.c.id)
    )
    return [SavedView(**row._asdict()) for row in rows]


def save(
    session: Session, tenant: int, *, name: str, asked: str, by: str, now: datetime
) -> SavedView:
    """Saves a view under a new name. Raises NameTaken, TooManyViews."""
    count = session.scalar(
        select(func.count()).select_from(saved_views).where(saved_views.c.tenant_id == tenant)
    )
    if (count or 0) >= MOST:
        raise TooManyViews(f"there are {MOST} views already: remove one")
    row = session.execute(
        insert(saved_views)
        .values(tenant_id=tenant, name=name, asked=asked, saved_at=now, saved_by=by)
        .on_conflict_do_nothing()
        .returning(*(saved_views.c[name] for name in SavedView.__slots__))
    ).one_or_none()
    if row is None:
        raise NameTaken(f"there is a view {name!r} already")
    saved = SavedView(**row._asdict())
    said = {"asked": asked}
    audit.note(session, tenant, did="saved", noun="view", noun_id=saved.id, name=name, after=said)
    return saved


def remove(session: Session, tenant: int, view_id: int) -> None:
    """Removes a view; one that is not there stays so."""
    name = session.scalar(
        delete(saved_views)
        .where(saved_views.c.tenant_id == tenant, saved_views.c.id == view_id)
        .returning(saved_views.c.name)
    )
    if name is not None:
        audit.note(session, tenant, did="removed", noun="view", noun_id=view_id, name=name)
