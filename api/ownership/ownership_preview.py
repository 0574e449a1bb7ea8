"""POST /v1/ownership/preview: what other rules would change, before anybody applies them."""

from typing import Annotated

from fastapi import APIRouter, Query

from api.auth import Asker, whole_ledger
from api.dependencies import Clock, Config, Reading, Tenant
from api.grouping import FiltersAsked, PeriodAsked, checked, wrong
from api.ownership.ownership import ownership_said
from api.ownership.ownership_shapes import OwnershipShape, PreviewAnswer, preview_answer
from api.problems import answers
from api.shapes import instant
from store.breakdowns.grouping import TooManyRowsError
from store.completeness import complete_until
from store.ledger.ownership_preview import ClosedError, preview

router = APIRouter(prefix="/v1/ownership", tags=["ownership"])


@router.post(
    "/preview", summary="What other rules would change", responses=answers(401, 403, 422, 503)
)
def ask_preview(
    session: Reading,
    tenant: Tenant,
    config: Config,
    clock: Clock,
    who: Asker,
    query: Annotated[PeriodAsked, Query()],
    body: OwnershipShape,
) -> PreviewAnswer:
    """Who would pay what of a past period, team by team: what applying the rules then books.

    Nothing is written: a read key will do.
    """
    whole_ledger(who)
    said = ownership_said(body, config)
    now = clock()
    period = FiltersAsked.model_validate(query.model_dump(by_alias=True))
    asked = checked(period, default_zone=config.timezone, now=now, caller=who)
    try:
        found = preview(
            session, tenant, said, asked.question.period, currency=config.currency, now=now
        )
    except ClosedError as closed:
        raise wrong("from", str(closed)) from None
    except TooManyRowsError:
        raise wrong("from", "there is too much to look at: ask for less time") from None
    return preview_answer(found, asked, config.currency, instant(complete_until(session)))
