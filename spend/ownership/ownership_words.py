"""Ownership rules and splits in words."""

from spend.ownership.ownership import Match, Rule
from spend.ownership.splits import SHARES, Split


def matched(match: Match) -> str:
    """Which calls: team=a or b, feature=c."""
    return ", ".join(f"{name}={' or '.join(values)}" for name, values in match.items())


def paid_by(each: Rule | Split) -> str:
    """Who pays for them."""
    if isinstance(each, Rule):
        return ", ".join(f"{name}={value}" for name, value in each.gives.items())
    if each.by == SHARES:
        shares = ", ".join(f"{team} {share.normalize():f}" for team, share in each.shares.items())
        return f"shares: {shares}"
    return f"{', '.join(each.teams) or 'all other teams'} by {each.by}"
