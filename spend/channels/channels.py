"""Channels: the places that notices go to, and what makes sense of one.

What a channel is reached with (a URL, a token) is a secret and no part of it: see ChannelSecret.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from spend.channels.apprise_urls import check_apprise_url
from spend.channels.destinations import Destination, DestinationRefused, check_address, destination
from spend.channels.notices import DIGESTS, SAMPLE
from spend.channels.quiet_hours import QuietHours, as_said, quiet_hours
from spend.checked_fields import LONGEST_VALUE, UNSTORABLE, TermsRefused, listed, one_line

KINDS: Final = ("slack-webhook", "slack-bot", "webhook", "email", "apprise")
LEVELS: Final = ("all", "over")
SECRETS: Final = ("secret", "signing_key")
"""What is said of a channel and is no part of its terms."""

SLACK_HOSTS: Final = ("hooks.slack.com", "hooks.slack-gov.com")
MOST_TEAMS: Final = 200
MOST_RECIPIENTS: Final = 20
LONGEST_ADDRESS: Final = 254
SHORTEST_KEY: Final = 16
LONGEST_KEY: Final = 200

_BOT_TOKEN: Final = re.compile(r"xoxb-[A-Za-z0-9-]{10,200}")
_SLACK_CHANNEL: Final = re.compile(r"[CDG][A-Z0-9]{7,20}")
# Plainer than RFC 5321 allows: nothing quoted, no comment, and so nothing that ends a header.
_MAILBOX: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_MAIL_HOST: Final = re.compile(
    r"([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]*"
)

AddressesOf = Callable[[str, int], Sequence[str]]
"""The numeric addresses of a host and port; OSError when it has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelTerms:
    """What somebody says of a channel. Made by ``channel_terms``."""

    name: str
    kind: str
    """One of KINDS."""
    to: tuple[str, ...] = ()
    """Of an e-mail its recipients; of a Slack bot the id of the one channel it writes to."""
    teams: tuple[str, ...] = ()
    """Whose alerts come here."""
    default: bool = False
    """Gets what no team's channel takes."""
    levels: str = LEVELS[0]
    """all, or over: what is over alone."""
    digest: bool = False
    """Wants the weekly digest and the message of a month's close."""
    quiet: QuietHours | None = None
    """When it is left alone."""

    def takes(self, kind: str, level: str) -> bool:
        """Whether a notice of a kind and level (``spend.channels.notices``) is for it."""
        if kind == SAMPLE:
            return True
        if kind in DIGESTS:
            return self.digest
        return self.levels == LEVELS[0] or level == "over"

    def quiet_until(self, kind: str, level: str, now: datetime) -> datetime | None:
        """Until when (UTC) a notice waits for the end of quiet hours; None: it does not."""
        if self.quiet is None or kind == SAMPLE or (level == "over" and not self.quiet.over_waits):
            return None
        return self.quiet.until(now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel(ChannelTerms):
    """A channel that there is."""

    id: int
    last4: str | None
    """Of its secret, to tell channels apart; None: its kind has none."""


@dataclass(frozen=True, slots=True)
class Checks:
    """How what a channel is reached with is looked at when it is saved."""

    addresses_of: AddressesOf
    allow_private: bool = False
    """Lets it lead to this machine and its network, over http."""
    has_apprise: bool = False
    """Whether the extra is installed."""


@dataclass(frozen=True, slots=True)
class ChannelSecret:
    """What a channel is reached with. Its repr shows nothing of it."""

    text: str = field(repr=False)
    """A URL; of a Slack bot its token."""
    signing_key: str | None = field(default=None, repr=False)
    """What a webhook's messages are signed with."""


def channel_terms(
    *,
    name: str,
    kind: str,
    to: Sequence[str] = (),
    teams: Sequence[str] = (),
    default: bool = False,
    levels: str = LEVELS[0],
    digest: bool = False,
    quiet: Mapping[str, Any] | None = None,
    zone: str = "UTC",
) -> ChannelTerms:
    """Terms that make sense; TermsRefused otherwise. ``zone``: of quiet hours that name none."""
    if kind not in KINDS:
        raise TermsRefused("kind", listed(KINDS))
    if levels not in LEVELS:
        raise TermsRefused("levels", listed(LEVELS))
    return ChannelTerms(
        name=one_line(name),
        kind=kind,
        to=_to(kind, to),
        teams=_teams(teams),
        default=default,
        levels=levels,
        digest=digest,
        quiet=None if quiet is None else _quiet(quiet, zone),
    )


def channel_as_said(channel: ChannelTerms) -> dict[str, Any]:
    """What ``channel_terms`` makes such terms of."""
    return {
        "name": channel.name,
        "kind": channel.kind,
        "to": list(channel.to),
        "teams": list(channel.teams),
        "default": channel.default,
        "levels": channel.levels,
        "digest": channel.digest,
        "quiet": None if channel.quiet is None else as_said(channel.quiet),
    }


def channel_secret(
    kind: str,
    text: str | None,
    signing_key: str | None,
    checks: Checks,
) -> ChannelSecret | None:
    """What a channel of a kind is reached with; TermsRefused if it cannot be that.

    A host is looked up: one that has no address, or an address of the inside, is refused.
    """
    _check_signing_key(kind, signing_key)
    if kind == "email":
        if text is not None:
            raise TermsRefused("secret", "an e-mail has none: the settings say which server")
        return None
    if not text:
        raise TermsRefused("secret", "the bot's token" if kind == "slack-bot" else "a URL")
    if kind == "apprise" and not checks.has_apprise:
        raise TermsRefused("kind", "it takes an extra: pip install 'spanledger[apprise]'")
    try:
        if kind == "slack-bot":
            _check_token(text)
        elif kind == "apprise":
            check_apprise_url(text, allow_private=checks.allow_private)
        else:
            _check_url(kind, text, checks)
    except DestinationRefused as refused:
        raise TermsRefused("secret", str(refused)) from None
    return ChannelSecret(text, signing_key)


def _check_signing_key(kind: str, key: str | None) -> None:
    if key is None:
        return
    if kind != "webhook":
        raise TermsRefused("signing_key", "only messages to a webhook are signed")
    if not SHORTEST_KEY <= len(key) <= LONGEST_KEY or not re.fullmatch("[!-~]+", key):
        reason = f"{SHORTEST_KEY} to {LONGEST_KEY} characters of ASCII, no space"
        raise TermsRefused("signing_key", reason)


def _check_token(token: str) -> None:
    if not _BOT_TOKEN.fullmatch(token):
        raise TermsRefused("secret", "a bot's token begins with xoxb-")


def _check_url(kind: str, url: str, checks: Checks) -> None:
    to = destination(url, allow_private=checks.allow_private)
    if kind == "slack-webhook" and to.host not in SLACK_HOSTS and not checks.allow_private:
        hosts = " or ".join(SLACK_HOSTS)
        raise DestinationRefused(f"Slack's webhooks are at {hosts}; kind webhook takes others")
    _check_resolved(to, checks)


def check_host(url: str, checks: Checks) -> None:
    """Refuses a URL whose host has no address, or one of the inside: DestinationRefused."""
    _check_resolved(destination(url, allow_private=checks.allow_private), checks)


def _check_resolved(to: Destination, checks: Checks) -> None:
    try:
        addresses = checks.addresses_of(to.host, to.port)
    except OSError:
        raise DestinationRefused(f"the host {to.host} is not found: is it spelt right?") from None
    for address in addresses:
        check_address(address, allow_private=checks.allow_private)


def _to(kind: str, to: Sequence[str]) -> tuple[str, ...]:
    if kind == "slack-bot":
        if len(to) != 1 or not _SLACK_CHANNEL.fullmatch(to[0]):
            raise TermsRefused("to", "the id of one channel of Slack, such as C024BE91L")
    elif kind == "email":
        if not 0 < len(to) <= MOST_RECIPIENTS:
            raise TermsRefused("to", f"1 to {MOST_RECIPIENTS} addresses")
        for place, each in enumerate(to):
            mailbox, _, host = each.rpartition("@")
            good = _MAILBOX.fullmatch(mailbox) and _MAIL_HOST.fullmatch(host)
            # In a header an encoded word (RFC 2047) would be decoded.
            if not good or len(each) > LONGEST_ADDRESS or "=?" in each:
                raise TermsRefused(f"to.{place}", "this is no address such as ann@example.com")
        if len({each.casefold() for each in to}) < len(to):
            raise TermsRefused("to", "an address is there twice")
    elif to:
        raise TermsRefused("to", f"a channel of kind {kind} has none: its URL says where")
    return tuple(to)


def _teams(teams: Sequence[str]) -> tuple[str, ...]:
    if len(teams) > MOST_TEAMS:
        raise TermsRefused("teams", f"at most {MOST_TEAMS}")
    for place, each in enumerate(teams):
        if not 0 < len(each) <= LONGEST_VALUE or UNSTORABLE.search(each):
            reason = f"1 to {LONGEST_VALUE} characters, no NUL, no half ones"
            raise TermsRefused(f"teams.{place}", reason)
    return tuple(dict.fromkeys(teams))


def _quiet(said: Mapping[str, Any], zone: str) -> QuietHours:
    return quiet_hours(
        said["times"], said.get("zone") or zone, over_waits=said.get("over_waits", False)
    )
