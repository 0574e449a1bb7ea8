"""/v1/content: whether what is said in calls is kept, and on which terms. It is off by default."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from sqlalchemy.orm import Session

from api.auth import Who
from api.calls.content_shapes import ContentTermsAnswer, NewContentTerms, terms_answer
from api.dependencies import Clock, Reading, Tenant, Writing
from api.problems import Problem, answers
from spend.access.roles import Permission, who_may
from spend.checked_fields import TermsRefused
from spend.contents.contents import ContentTerms
from store.contents.content_policies import Policy, policy_of, set_policy
from store.contents.contents import Held, held
from store.contents.linear_patterns import check_patterns

router = APIRouter(prefix="/v1/content", tags=["calls"])


def _administers(who: Who) -> None:
    if Permission.SETTINGS not in who.may:
        raise Problem(403, "Not yours to see", f"This takes {who_may(Permission.SETTINGS)}.")


_ONLY = [Depends(_administers)]


@router.get(
    "",
    summary="Whether content is kept",
    responses=answers(401, 403, 503),
    dependencies=_ONLY,
)
def show(session: Reading, tenant: Tenant, clock: Clock) -> ContentTermsAnswer:
    """On which terms prompts, completions and what tools were given are kept, and how much is."""
    policy = policy_of(session, tenant)
    return _answer(session, tenant, policy, clock().date())


@router.put(
    "",
    summary="Switch keeping content on or off",
    responses=answers(401, 403, 422, 503),
    dependencies=_ONLY,
)
def put(
    session: Writing,
    tenant: Tenant,
    clock: Clock,
    body: NewContentTerms,
    dry_run: Annotated[bool, Query(description="Only say what of it would go.")] = False,
) -> ContentTermsAnswer:
    """Puts all terms in force. Collectors hear of it within seconds; what is beyond goes soon."""
    now = clock()
    try:
        terms = body.terms()
        check_patterns(terms.patterns)
    except TermsRefused as refused:
        raise Problem(422, "The request is not valid", str(refused), field=refused.field) from None
    if dry_run:
        return _answer(session, tenant, Policy(terms), now.date())
    policy = set_policy(session, tenant, terms, now=now)
    return _answer(session, tenant, policy, now.date())


def _answer(session: Session, tenant: int, policy: Policy, today: date) -> ContentTermsAnswer:
    return terms_answer(policy, held(session, tenant), beyond(session, tenant, policy.terms, today))


def beyond(session: Session, tenant: int, terms: ContentTerms, today: date) -> Held:
    """What of the content that there is some terms do not keep."""
    return held(session, tenant, before=terms.first_day(today) or date.max)
