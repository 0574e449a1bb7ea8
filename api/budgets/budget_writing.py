"""Sets and changes budgets as somebody said it: over the API, or in a form of a page."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from api.settings import ApiSettings
from spend.budgets.budget_fields import NULLABLE, effective_from
from spend.budgets.budgets import Budget, Terms
from spend.checked_fields import TermsRefused
from store.budgets import budgets
from store.budgets.budget_names import Names, Usual, names, terms_said


def create(
    session: Session,
    tenant: int,
    config: ApiSettings,
    said: Mapping[str, Any],
    now: datetime,
    *,
    team: str | None,
) -> Budget:
    """A new budget of the fields that are said, in force at once.

    ``team`` is the only one that whoever asks acts for. Raises TermsRefused,
    store.budgets.budgets.NameTaken.
    """
    there = seen_of(team, names(session, tenant, now))
    wanted = new_terms(said, there, config)
    check_team(wanted, team)
    _below_what_they_see(wanted, there, team)
    return budgets.create(session, tenant, wanted, now)


def new_terms(said: Mapping[str, Any], there: Names, config: ApiSettings) -> Terms:
    """What a new budget would say. Raises TermsRefused."""
    # Of what there is not yet, null is as much as nothing.
    kept = {field: value for field, value in said.items() if value is not None}
    if "amount" in said:
        kept["amount"] = said["amount"]
    return terms_said(_plain(kept), there, _usual(config))


def change(
    session: Session,
    tenant: int,
    config: ApiSettings,
    current: Budget,
    said: Mapping[str, Any],
    now: datetime,
    *,
    team: str | None,
) -> Budget:
    """A new version of a budget, with the fields that are said changed.

    In force at once, or from ``effective_from`` on; ``team`` as in ``create``. Raises TermsRefused,
    store.budgets.budgets.NameTaken, ChangeScheduled, NoSuchBudget.
    """
    fields = dict(said)
    starts = fields.pop("effective_from", None)
    there = seen_of(team, names(session, tenant, now))
    above = current.terms.parent_id
    # Whoever does not see what is above does not take their budget out of it either.
    stays = team is not None and above is not None and above not in there.live
    if stays and fields.get("parent") is None:
        fields.pop("parent", None)
    wanted = changed_terms(fields, there, config, current)
    check_team(wanted, team)
    if wanted.parent_id != above:
        if stays:
            raise TermsRefused("parent", "it is a part of a budget that you do not see")
        _below_what_they_see(wanted, there, team)
    at = effective_from(starts, wanted.timezone, now)
    return budgets.change(session, tenant, current.id, wanted, now, at)


def changed_terms(
    said: Mapping[str, Any], there: Names, config: ApiSettings, current: Budget
) -> Terms:
    """What a budget would say with some fields changed. Raises TermsRefused."""
    for field, value in said.items():
        if value is None and field not in NULLABLE:
            reason = "null is no value for it: leave it out to keep it as it is"
            raise TermsRefused(field, reason)
    return terms_said(_plain(said), there, _usual(config), changes=current.terms)


def is_of(terms: Terms, team: str | None) -> bool:
    """Whether somebody sees a budget who acts for one team; None: for all."""
    return team is None or terms.filter.get("team") == (team,)


def seen_of(team: str | None, there: Names) -> Names:
    """What of all there is they see."""
    return there.of(lambda budget: is_of(budget.terms, team))


def check_team(wanted: Terms, team: str | None) -> None:
    """Keeps them to their team. Raises TermsRefused."""
    if not is_of(wanted, team):
        raise TermsRefused("filter", f"you act for team {team!r} only: filter by it alone")


def _below_what_they_see(wanted: Terms, there: Names, team: str | None) -> None:
    above = wanted.parent_id
    if team is not None and above is not None and above not in there.live:
        raise TermsRefused("parent", f"no budget {above} is in force")


def _usual(config: ApiSettings) -> Usual:
    return Usual(
        currency=config.currency,
        timezone=config.timezone.key,
        fiscal=config.fiscal_year,
        checks=config.checks,
        seal=config.seal,
    )


def _plain(said: Mapping[str, Any]) -> dict[str, Any]:
    """Without what its own period does not say."""
    own = said.get("own_period")
    if own is None:
        return dict(said)
    return dict(said) | {"own_period": {each: own[each] for each in own if own[each] is not None}}
