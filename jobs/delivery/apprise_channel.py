"""Sends through Apprise, to what has no transport of ours, such as Teams, Discord or Telegram.

An extra (``pip install 'spanledger[apprise]'``): nothing else imports it, and this only where
something goes through it. It resolves names and connects by itself, so a URL is looked at again
before, and an address cannot be held to as for our own requests
(``spend/channels/apprise_urls.py``).
"""

import logging
from importlib import import_module
from typing import Any, Final

from jobs.delivery.mail_text import text_of
from jobs.delivery.parcels import Parcel, Place, Sending
from jobs.delivery.slack import titled
from jobs.delivery.verdicts import Verdict
from spend.channels.apprise_urls import check_apprise_url

MISSING: Final = "apprise is not installed: pip install 'spanledger[apprise]'"

_KINDS: Final = {"over": "failure", "warning": "warning", "ok": "success"}


def send(place: Place, parcel: Parcel, sending: Sending) -> Verdict:
    """One attempt. Raises DestinationRefused."""
    try:
        apprise: Any = import_module("apprise")
    except ImportError:
        return Verdict("never", MISSING)
    check_apprise_url(place.secret, allow_private=sending.settings.allow_private_destinations)
    # It logs URLs and what was answered: what we know of it is whether it was sent.
    logging.getLogger("apprise").disabled = True
    way = apprise.Apprise.instantiate(place.secret, suppress_exceptions=True)
    if way is None:
        return Verdict("never", "Apprise knows no such URL")
    way.redirects = False
    sent = way.notify(
        title=titled(parcel.notice),
        body=text_of(parcel.notice, repeated=parcel.unsure),
        notify_type=_KINDS.get(parcel.notice.level, "info"),
        body_format="text",
    )
    # It says no more than that, and has no word for what passes.
    return Verdict("sent") if sent else Verdict("later", "Apprise could not send it", unsure=True)
