"""Settings in short, and what runs here: version, database, how complete the data is."""

from importlib.metadata import version
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from api.dependencies import Reading, Tenant
from api.pages.asked import PageAsked
from api.pages.shell import page
from api.pages.visitor import Visiting
from spend.fiscal import CALENDAR_YEAR
from store.access.keys import has_keys, list_keys
from store.channels import channels
from store.channels.channel_deliveries import latest
from store.completeness import complete_until
from store.ownership import ownership
from store.postgres.sessions import server_version

router = APIRouter(include_in_schema=False)


@router.get("/settings")
def overview(
    request: Request,
    session: Reading,
    tenant: Tenant,
    visitor: Visiting,
    _query: Annotated[PageAsked, Query()],
) -> Response:
    """What can be set, and how it is set."""
    told = None if visitor.team else _in_short(session, tenant)
    return page(request, visitor, "settings.html", title="Settings", told=told)


def _in_short(session: Session, tenant: int) -> dict[str, object]:
    deliveries = latest(session, tenant)
    return {
        "keys": [key for key in list_keys(session, tenant=tenant) if key.revoked_at is None],
        "rules": ownership.in_force(session, tenant),
        "channels": channels.all_channels(session, tenant),
        "failing": [each for each in deliveries.values() if each.status == "dead"],
        "complete_until": complete_until(session),
        "version": version("spanledger"),
    }


@router.get("/settings/about")
def about(
    request: Request,
    session: Reading,
    visitor: Visiting,
    _query: Annotated[PageAsked, Query()],
) -> Response:
    """What runs here."""
    visitor.whole_ledger()
    return page(
        request,
        visitor,
        "about.html",
        title="About",
        version=version("spanledger"),
        postgres=server_version(session),
        complete_until=complete_until(session),
        locked=has_keys(session),
        settings=visitor.settings,
        calendar_year=visitor.settings.fiscal_year == CALENDAR_YEAR,
    )
