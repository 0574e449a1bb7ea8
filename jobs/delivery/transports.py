"""Which transport a kind of channel has."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from jobs.delivery import apprise_channel, mail, slack_bot, slack_webhook, webhooks
from jobs.delivery.parcels import Parcel, Place, Sending
from jobs.delivery.verdicts import Verdict


@dataclass(frozen=True, slots=True)
class Transport:
    """How messages get to a kind of channel."""

    send: Callable[[Place, Parcel, Sending], Verdict]
    """One attempt. May raise DestinationRefused: nothing was sent."""
    shown: Callable[[Place, Parcel, Sending], frozenset[str] | None] | None = None
    """Asks which of a parcel's messages arrived before; None: nobody there can be asked. May raise
    AskLater."""


TRANSPORTS: Final = {
    "slack-webhook": Transport(slack_webhook.send),
    "slack-bot": Transport(slack_bot.send, slack_bot.shown),
    "webhook": Transport(webhooks.send),
    "email": Transport(mail.send),
    "apprise": Transport(apprise_channel.send),
}
"""By ``spend.channels.channels.KINDS``."""
