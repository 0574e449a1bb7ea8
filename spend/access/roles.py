"""Who may change what: a role is a set of permissions, and for some roles one team's rows alone.

Reading needs no permission: it is bounded by the team of whoever asks. Every change names the
permission that it takes (``api/auth.py``); what a change is of, its route says.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from spend.checked_fields import TermsRefused, listed
from spend.owners import clean_name


class Permission(StrEnum):
    """What somebody may do besides reading."""

    MONEY = "money"
    """Prices, rates, discounts, commitments, pools, bills, months, who pays, re-pricings."""
    BUDGETS = "budgets"
    """Budgets, alert rules, alerts and silences; of one's own team, where one has a team."""
    VIEWS = "views"
    """Views of spend that everybody finds."""
    SETTINGS = "settings"
    """Keys, people, channels: who comes in, and where things go."""
    AUDIT = "audit"
    """To read who changed what."""
    CONTENT = "content"
    """To read what was said in a call, where it is kept."""


ROLES: Final = {
    "admin": frozenset(Permission),
    "finance": frozenset(
        {Permission.MONEY, Permission.BUDGETS, Permission.VIEWS, Permission.AUDIT}
    ),
    "lead": frozenset({Permission.BUDGETS}),
    "viewer": frozenset[Permission](),
}
"""The permissions of each role."""

OF_ONE_TEAM: Final = frozenset({"lead"})
"""Roles that are nothing without a team."""
OF_NO_TEAM: Final = frozenset({"admin", "finance"})
"""Roles that see everything."""

OF_KEYS: Final = {"admin": "admin", "read": "viewer"}
"""The role of whoever shows a key, by its kind. A key that sends has none: it reads nothing."""


@dataclass(frozen=True, slots=True)
class Role:
    """A role as somebody has it."""

    name: str
    """One of ROLES."""
    team: str | None = None
    """The only team whose rows they see and change; None: all."""

    def __str__(self) -> str:
        """In words: "lead of search"."""
        return f"{self.name} of {self.team}" if self.team else self.name

    @property
    def may(self) -> frozenset[Permission]:
        """What they may do besides reading."""
        return ROLES[self.name]


def role_terms(*, role: str, team: str | None) -> Role:
    """A role that makes sense; TermsRefused otherwise."""
    if role not in ROLES:
        raise TermsRefused("role", listed(tuple(ROLES)))
    of = clean_name(team)
    if team and not of:
        raise TermsRefused("team", "a name that can be read")
    if of and role in OF_NO_TEAM:
        raise TermsRefused("team", f"{role} is of no team: it sees everything")
    if not of and role in OF_ONE_TEAM:
        raise TermsRefused("team", f"{role} is of one team: say which")
    return Role(role, of)


def who_may(permission: Permission) -> str:
    """Which roles have a permission, in words: "the role admin or finance"."""
    names = [name for name, may in ROLES.items() if permission in may]
    return f"the role {' or '.join(names)}"
