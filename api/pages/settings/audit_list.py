"""The record of changes: who, when, what, before and after beside each other."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from markupsafe import Markup

from api.access.audit import LONGEST
from api.auth import Auditing
from api.dependencies import Reading, Tenant
from api.instants import Instant
from api.pages.asked import PageAsked, Text
from api.pages.links import here
from api.pages.shell import page
from api.pages.tables import Cell, Column, Held, Table
from api.pages.visitor import Visiting
from store import audit
from store.audit import Change

router = APIRouter(include_in_schema=False)

PLACE: Final = "/settings/audit"
PAGE: Final = 100
IN_FILE: Final = 10_000
_SHORT: Final = 120


class AuditPageAsked(PageAsked):
    """Which changes."""

    noun: Text | None = None
    noun_id: Text | None = None
    actor_id: Text | None = None
    since: Instant | None = None
    until: Instant | None = None
    before_id: int | None = None


@router.get(PLACE)
def show(
    request: Request,
    session: Reading,
    tenant: Tenant,
    visitor: Visiting,
    _who: Auditing,
    query: Annotated[AuditPageAsked, Query()],
) -> Response:
    """The latest changes, or older ones, of those that are asked for."""
    asked = audit.Asked(
        since=_utc(query.since),
        until=_utc(query.until),
        actor_id=query.actor_id and query.actor_id[:LONGEST],
        noun=query.noun and query.noun[:LONGEST],
        noun_id=query.noun_id and query.noun_id[:LONGEST],
        before_id=query.before_id,
    )
    most = PAGE if query.csv is None else IN_FILE
    found = audit.page(session, tenant, asked, at_most=most + 1)
    shown = found[:most]
    return page(
        request,
        visitor,
        "audit.html",
        title="Changes",
        tables={"changes": _table(request, shown)},
        query=query,
        nouns=audit.nouns(session, tenant),
        older=shown[-1].id if len(found) > most else None,
        filtered=any((query.noun, query.noun_id, query.actor_id, query.since, query.until)),
    )


def _utc(moment: datetime | None) -> datetime | None:
    return moment and moment.astimezone(UTC)


def _table(request: Request, changes: list[Change]) -> Table:
    columns = [
        Column("at", "When", "when"),
        Column("who", "Who"),
        Column("who_id", "Their id", shown=False),
        Column("kind", "Kind", shown=False),
        Column("address", "From", shown=False),
        Column("did", "Did"),
        Column("noun", "To what"),
        Column("noun_id", "Id", shown=False),
        Column("name", "Called", shown=False),
        Column("before", "Before", narrow=False),
        Column("after", "After", narrow=False),
    ]
    rows = [_row(request, each) for each in changes]
    return Table(columns, rows, "Changes", file="changes", empty="Nothing was changed.")


def _row(request: Request, change: Change) -> dict[str, Held | Cell]:
    actor = change.actor
    where = f"{actor.kind}, {actor.address}" if actor.address else actor.kind
    href = here(request, actor_id=actor.id, before_id=None) if actor.id else None
    named = f"{change.noun} {change.name or change.noun_id or ''}".strip()
    its = (
        here(request, noun=change.noun, noun_id=change.noun_id, before_id=None)
        if change.noun_id
        else None
    )
    return {
        "at": change.at,
        "who": Cell(actor.name, href=href, note=where),
        "who_id": actor.id,
        "kind": actor.kind,
        "address": actor.address,
        "did": change.did,
        "noun": Cell(change.noun, href=its, show=named, note=change.noun_id),
        "noun_id": change.noun_id,
        "name": change.name,
        "before": Cell(_json(change.before), show=_fields(change.before)),
        "after": Cell(_json(change.after), show=_fields(change.after)),
    }


def _json(said: Mapping[str, Any] | None) -> str | None:
    return None if said is None else json.dumps(said, ensure_ascii=False, sort_keys=True)


def _fields(said: Mapping[str, Any] | None) -> Markup:
    lines = [
        Markup("<small>{}</small> <bdi>{}</bdi>").format(name.replace("_", " "), _short(value))
        for name, value in (said or {}).items()
        if value not in (None, [], {})
    ]
    return Markup("<br>").join(lines)


def _short(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHORT else text[:_SHORT] + "…"
