"""The names that stand in budgets: their parents' and channels'; and what people say as terms."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from spend.budgets.budget_fields import (
    changed_fields,
    check_types,
    fields_of_terms,
    terms_of_fields,
)
from spend.budgets.budgets import Budget, Terms
from spend.channels.channels import Checks, check_host
from spend.channels.destinations import DestinationRefused
from spend.checked_fields import TermsRefused, quoted
from spend.fiscal import FiscalYear
from store.access.secrets import Seal, SealedElsewhere, last4
from store.budgets.budgets import live
from store.channel_names import channel_names, channels_named

ELLIPSIS = "…"
"""Before what is shown of a secret."""


@dataclass(frozen=True, slots=True)
class Usual:
    """What budgets have that do not say it, and how their secrets are kept."""

    currency: str
    timezone: str
    fiscal: FiscalYear
    checks: Checks
    """How a webhook is looked at when it is saved."""
    seal: Seal


@dataclass(frozen=True, slots=True)
class Names:
    """The budgets and channels that there are."""

    live: Mapping[int, Sequence[Budget]]
    """By id: the version in force, and the one to come, if there is."""
    channels: Mapping[int, str]
    budgets: Mapping[str, int]
    """Those that are about to be set, too."""
    _parts: dict[int, list[Budget]] = field(default_factory=dict, init=False, repr=False)
    """By parent."""

    def __post_init__(self) -> None:
        for versions in self.live.values():
            if (above := versions[0].terms.parent_id) is not None:
                self._parts.setdefault(above, []).append(versions[0])

    def parent(self, terms: Terms) -> str | None:
        """What its parent is called."""
        above = self.live.get(terms.parent_id) if terms.parent_id is not None else None
        return None if above is None else above[0].terms.name

    def of(self, seen: Callable[[Budget], bool]) -> "Names":
        """The same without the budgets that somebody may not see."""
        held = {each: versions for each, versions in self.live.items() if seen(versions[0])}
        unseen = self.live.keys() - held.keys()
        by_name = {name: each for name, each in self.budgets.items() if each not in unseen}
        return replace(self, live=held, budgets=by_name)

    def children(self, budget_id: int) -> list[Budget]:
        """The budgets in force that are parts of it."""
        return self._parts.get(budget_id, [])

    def to_come(self, budget_id: int) -> Budget | None:
        """The version that is to follow the one in force."""
        versions = self.live.get(budget_id, ())
        return versions[1] if len(versions) > 1 else None

    def fields(self, terms: Terms) -> dict[str, Any]:
        """The fields that say these terms, names and all; of the secret what is shown of it."""
        return fields_of_terms(terms) | {
            "parent": self.parent(terms),
            # One that was removed is nowhere to send to: a file that named it could not be taken.
            "channels": [
                self.channels[each] for each in terms.channel_ids if each in self.channels
            ],
            "webhook_url": shown_secret(terms.webhook_url),
        }


def names(session: Session, tenant: int, now: datetime) -> Names:
    """All there are at ``now``."""
    held = live(session, tenant, now)
    by_name = {each[0].terms.name: each[0].id for each in held.values()}
    return Names(held, channel_names(session, tenant), by_name)


def terms_said(
    said: Mapping[str, Any],
    there: Names,
    usual: Usual,
    *,
    changes: Terms | None = None,
    kept: str | None = None,
) -> Terms:
    """The terms that somebody said, their secret sealed. Raises TermsRefused.

    ``changes`` are those that they change: what is left out stays. ``kept`` is the secret that the
    budget has, for which what is shown of it may stand.
    """
    check_types(said)
    fields: Mapping[str, Any] = {"currency": usual.currency, "timezone": usual.timezone} | dict(
        said
    )
    parent_id: int | None = None
    channel_ids: tuple[int, ...] = ()
    url = said.get("webhook_url")
    if changes is not None:
        fields = changed_fields(changes, said)
        parent_id, channel_ids, kept = changes.parent_id, changes.channel_ids, changes.webhook_url
        url = said.get("webhook_url", kept)
    if "parent" in said:
        parent_id = _parent(said["parent"], there)
    if "channels" in said:
        channel_ids = channels_named(said["channels"], there.channels)
    as_kept = kept is not None and url in {kept, shown_secret(kept)}
    if not as_kept and url is not None and url.startswith(ELLIPSIS):
        reason = "the end of a secret that is not kept here: write the URL, or leave it out"
        raise TermsRefused("webhook_url", reason)
    found = terms_of_fields(
        {**fields, "webhook_url": None if as_kept else url},
        parent_id=parent_id,
        channel_ids=channel_ids,
        fiscal=usual.fiscal,
        allow_private=usual.checks.allow_private,
    )
    return replace(found, webhook_url=kept if as_kept else _sealed(url, kept, usual))


def shown_secret(kept: str | None) -> str | None:
    """What is shown of a secret, sealed or not: its last 4 characters."""
    return None if kept is None else f"{ELLIPSIS}{last4(kept)}"


def _parent(said: str | int | None, there: Names) -> int | None:
    if said is None or isinstance(said, int):
        return said
    name = said.strip()
    found = there.budgets.get(name)
    # A number of thousands of digits cannot even be read.
    if found is None and re.fullmatch("[0-9]{1,19}", name) and int(name) in there.live:
        return int(name)
    if found is None:
        raise TermsRefused("parent", f"no budget {quoted(name)} is in force")
    return found


def _sealed(url: str | None, kept: str | None, usual: Usual) -> str | None:
    """A secret as it is kept; the one that is kept, if it is the same."""
    if url is None:
        return None
    try:
        if kept is not None and usual.seal.opened(kept) == url:
            return kept
    except SealedElsewhere:
        pass
    try:
        check_host(url, usual.checks)
    except DestinationRefused as refused:
        raise TermsRefused("webhook_url", str(refused)) from None
    return usual.seal.sealed(url)
