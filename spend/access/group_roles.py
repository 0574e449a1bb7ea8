"""Which roles the groups of an identity provider stand for, as the setting ``OIDC_ROLES`` says."""

from collections.abc import Collection, Iterable
from typing import Final

from spend.access.roles import ROLES, Role, role_terms
from spend.checked_fields import TermsRefused

EVERYONE: Final = "everyone"
"""In the place of a group: whoever the provider lets in."""
MOST: Final = 200

GroupRoles = tuple[tuple[str, Role], ...]
"""A group's name as the provider writes it, and the role of whoever is in it."""


def group_roles(text: str) -> GroupRoles:
    """Roles by group, from ``platform-admins=admin, search-leads=lead:search``.

    Raises TermsRefused, whose field is the part that makes no sense.

    >>> group_roles("ops=admin, everyone=viewer")
    (('ops', Role(name='admin', team=None)), ('everyone', Role(name='viewer', team=None)))
    """
    found: list[tuple[str, Role]] = []
    for part in text.split(","):
        if not part.strip():
            continue
        # A group may have an equals sign in its name (an LDAP path), a role has none.
        group, equals, said = part.strip().rpartition("=")
        name, _, team = said.strip().partition(":")
        if not equals or not group.strip():
            raise TermsRefused(part.strip(), "write group=role, or group=lead:team")
        try:
            role = role_terms(role=name.strip(), team=team.strip() or None)
        except TermsRefused as refused:
            raise TermsRefused(part.strip(), str(refused)) from None
        found.append((group.strip(), role))
    if len(found) > MOST:
        raise TermsRefused("OIDC_ROLES", f"at most {MOST} groups")
    return tuple(found)


def roles_of(groups: Collection[str], rules: GroupRoles) -> frozenset[Role]:
    """The roles of whoever is in these groups; groups that nobody speaks of give none."""
    return frozenset(role for group, role in rules if group == EVERYONE or group in groups)


def strongest(roles: Iterable[Role]) -> Role | None:
    """The role that may most; of two alike the one that sees every team, then by name of team."""
    order = list(ROLES)
    return min(
        roles,
        key=lambda role: (order.index(role.name), role.team is not None, role.team or ""),
        default=None,
    )
