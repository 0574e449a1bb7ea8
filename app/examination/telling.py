"""Whether warnings arrive."""

from collections.abc import Iterator

from sqlalchemy import func, select

from app.examination.findings import Finding, Looking, State
from app.pepper import has_pepper, pepper_for
from store.access.secrets import Seal, SealedElsewhere
from store.budgets.budgets import all_in_force
from store.channels.channels import all_channels, check_pepper
from store.tables.budgets import outbox
from store.tenants import TENANT


def letters(looking: Looking) -> Iterator[Finding]:
    """Messages that were given up."""
    dead = looking.session.scalar(
        select(func.count()).where(outbox.c.tenant_id == TENANT, outbox.c.status == "dead")
    )
    if dead:
        said = f"{dead} could not be delivered"
        yield Finding("alerts", State.WRONG, said, "spanledger alerts list; GET /v1/alerts")
    else:
        yield Finding("alerts", State.WELL, "none undelivered")


def channels(looking: Looking) -> Iterator[Finding]:
    """Whether every budget has somewhere to warn, and what that is reached with opens."""
    session, settings = looking.session, looking.settings
    if has_pepper(settings):
        try:
            check_pepper(session, TENANT, Seal(pepper_for(settings)))
        except SealedElsewhere as sealed:
            yield Finding("channels", State.WRONG, str(sealed))
            return
    there = all_channels(session, TENANT)
    known = {each.id for each in there}
    teams = {team for each in there for team in each.teams}
    nowhere = 0
    for each in all_in_force(session, TENANT, looking.now):
        said = each.terms
        its = said.filter.get("team", ())
        of_its_team = len(its) == 1 and its[0] in teams
        if not (known & set(said.channel_ids) or said.webhook_url or of_its_team):
            nowhere += 1
    if nowhere and not settings.slack_webhook_url and not any(each.default for each in there):
        told = f"{nowhere} budgets have no channel, and there is no default one"
        do = "spanledger channels add --default --kind slack-webhook --name ops"
        yield Finding("channels", State.LOOK, told, do)
    else:
        yield Finding("channels", State.WELL, "every budget has somewhere to warn")
