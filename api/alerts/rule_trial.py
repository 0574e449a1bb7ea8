"""POST /v1/alert-rules/test: what a rule would find now. Nobody is told."""

from fastapi import APIRouter

from api.alerts.alert_rules import terms_said, visible
from api.alerts.rule_shapes import NewRule, TrialAnswer, tried_answer
from api.auth import Asker
from api.dependencies import Clock, Config, Reading, Tenant
from api.problems import Problem, answers
from spend.alerts.alert_rules import Rule
from spend.alerts.rule_states import LEVELS
from store.channel_names import channel_names
from store.watched.attempts import attempt

router = APIRouter(prefix="/v1/alert-rules", tags=["alert rules"])


@router.post("/test", summary="Try an alert rule", responses=answers(401, 403, 422, 503))
def trial(
    session: Reading, tenant: Tenant, who: Asker, clock: Clock, config: Config, body: NewRule
) -> TrialAnswer:
    """Measures it once: what it finds of each subject, and what it would say.

    A key of one team may try rules on that team alone.
    """
    now = clock()
    terms = terms_said(body.model_dump(exclude_unset=True), channel_names(session, tenant), config)
    if not visible(terms, who):
        detail = f"This key sees team {who.team!r} only: filter by it."
        raise Problem(403, "Not yours to see", detail, field="filter")
    rule = Rule(0, 1, terms, now)
    tried = attempt(session, tenant, rule, now)
    found = [tried_answer(rule, each) for each in tried.measured]
    found.sort(key=lambda each: (LEVELS.index(each.level), each.subject))
    return TrialAnswer(error=tried.error, found=found)
