"""Who pays for whose calls: the rules in force, shared costs, and the versions of before."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import Field

from api.dependencies import Reading, Tenant
from api.pages.asked import PageAsked
from api.pages.links import elsewhere
from api.pages.shell import page
from api.pages.tables import Cell, Column, Held, Table
from api.pages.visitor import Visiting
from api.problems import Problem
from spend.ownership.ownership import FIRST, LAST, Rule
from spend.ownership.ownership_words import matched, paid_by
from spend.ownership.splits import Split
from store.ownership import ownership
from store.ownership.ownership import Version

router = APIRouter(include_in_schema=False)

PLACE = "/settings/ownership"


class RulesAsked(PageAsked):
    """Which version."""

    version: Annotated[int | None, Field(ge=1, le=2**31 - 1)] = None


@router.get(PLACE)
def show(
    request: Request,
    session: Reading,
    tenant: Tenant,
    visitor: Visiting,
    query: Annotated[RulesAsked, Query()],
) -> Response:
    """A version of the rules, the one in force where none is named."""
    visitor.whole_ledger()
    versions = ownership.versions(session, tenant)
    number = query.version or (versions[0].version if versions else None)
    version = next((each for each in versions if each.version == number), None)
    if query.version is not None and version is None:
        raise Problem(404, "No such version", f"There is no version {query.version}.")
    said = version.said if version else None
    return page(
        request,
        visitor,
        "owner_rules.html",
        title="Ownership",
        tables={
            "rules": _rules(said.rules if said else (), "Rules", "ownership-rules"),
            "splits": _rules(said.splits if said else (), "Shared costs", "shared-costs"),
            "versions": _versions(request, versions),
        },
        version=version,
    )


def _rules(every: Sequence[Rule | Split], caption: str, file: str) -> Table:
    splits = file != "ownership-rules"
    return Table(
        columns=(
            Column("name", "Split" if splits else "Rule"),
            Column("of", "Whose cost" if splits else "Calls of"),
            Column("payer", "Put to" if splits else "Paid by"),
            Column("from", "From", "when", narrow=False),
            Column("to", "To", "when", narrow=False),
        ),
        rows=[
            {
                "name": each.name,
                "of": matched(each.match),
                "payer": paid_by(each),
                "from": _bound(each.valid_from, FIRST, "ever since"),
                "to": _bound(each.valid_to, LAST, "for good"),
            }
            for each in every
        ],
        caption=caption,
        file=file,
        empty="No shared cost is split." if splits else "None: everybody pays for their own calls.",
    )


def _bound(at: datetime, none: datetime, words: str) -> Held | Cell:
    return Cell(None, show=words, tone="quiet") if at == none else at


def _versions(request: Request, versions: Sequence[Version]) -> Table:
    return Table(
        columns=(
            Column("version", "Version"),
            Column("known_from", "In force from", "when"),
            Column("known_to", "To", "when", narrow=False),
            Column("entered_by", "By"),
            Column("source", "From", narrow=False),
            Column("rules", "Rules", "number", narrow=False),
            Column("splits", "Splits", "number", narrow=False),
        ),
        rows=[
            {
                "version": Cell(each.version, href=elsewhere(request, PLACE, version=each.version)),
                "known_from": each.known_from,
                "known_to": each.known_to or Cell(None, show="in force", tone="good"),
                "entered_by": each.entered_by,
                "source": each.source,
                "rules": len(each.said.rules),
                "splits": len(each.said.splits),
            }
            for each in versions
        ],
        caption="Versions",
        file="ownership-versions",
        empty="Nobody ever applied any.",
    )
