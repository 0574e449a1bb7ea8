"""Sends through Apprise, to what has no transport of ours, such as Teams, Discord or Telegram.

An extra (``pip install 'spanledger[apprise]'``): nothing else imports it, and this only where
something goes through it. It resolves names and connects by itself, so the addresses of a host
that its URL names are looked at before, and cannot be held to as for our own requests.
"""

from importlib import import_module
from typing import Any, Final

from jobs.destinations import addresses_of
from jobs.mail_text import text_of
from jobs.parcels import Parcel, Place, Sending
from jobs.slack import titled
from jobs.verdicts import Verdict
from spend.destinations import check_address

MISSING: Final = "apprise is not installed: pip install 'spanledger[apprise]'"

_KINDS: Final = {"over": "failure", "warning": "warning", "ok": "success"}
_HTTPS: Final = 443


def send(place: Place, parcel: Parcel, sending: Sending) -> Verdict:
    """One attempt. Raises DestinationRefused."""
    try:
        apprise: Any = import_module("apprise")
    except ImportError:
        return Verdict("never", MISSING)
    way = apprise.Apprise.instantiate(place.secret, suppress_exceptions=True)
    if way is None:
        return Verdict("never", "Apprise knows no such URL")
    if not sending.settings.allow_private_destinations:
        _check(way)
    way.redirects = False
    sent = way.notify(
        title=titled(parcel.notice),
        body=text_of(parcel.notice, repeated=parcel.unsure),
        notify_type=_KINDS.get(parcel.notice.level, "info"),
        body_format="text",
    )
    # It says no more than that, and has no word for what passes.
    return Verdict("sent") if sent else Verdict("later", "Apprise could not send it", unsure=True)


def _check(way: Any) -> None:
    """Refuses a host of the inside, where the URL names one: of many it is a token."""
    if not any("{host}" in template for template in way.templates) or not way.host:
        return
    try:
        addresses = addresses_of(way.host, way.port or _HTTPS)
    except OSError:
        # Nobody is there, or what stands in its place is no host.
        return
    for address in addresses:
        check_address(address, allow_private=False)
