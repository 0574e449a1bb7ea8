"""A channel as it is said to the API, and as the API shows it: without what it is reached with."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictStr

from api.shapes import instant
from spend.channels.channels import KINDS, LEVELS, Channel, channel_as_said
from spend.fiscal import WEEKDAYS
from store.channels.channel_deliveries import Delivery


class QuietTimeSaid(BaseModel):
    """A time of some weekdays."""

    model_config = ConfigDict(extra="forbid", serialize_by_alias=True)

    from_: StrictStr = Field(alias="from", description="By the clock.", examples=["22:00"])
    to: StrictStr = Field(
        description="Of the next day where it is not later; the same: a whole day.",
        examples=["07:00"],
    )
    weekdays: list[StrictStr] = Field(
        list(WEEKDAYS), description="Those that it begins on.", examples=[["saturday", "sunday"]]
    )


class QuietSaid(BaseModel):
    """When a channel is left alone: its messages wait for the end."""

    model_config = ConfigDict(extra="forbid", serialize_by_alias=True)

    times: list[QuietTimeSaid]
    zone: StrictStr | None = Field(
        None, description="IANA name of the zone that they are in. Default: the setting."
    )
    over_waits: StrictBool = Field(
        False, description="Whether what is over waits too; otherwise it is sent at once."
    )


class ChannelChange(BaseModel):
    """What is to be changed; what is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")

    name: StrictStr | None = Field(None, description="What people call it; no two the same.")
    secret: StrictStr | None = Field(
        None,
        description="A webhook's or Apprise's URL, a Slack bot's token. Kept sealed: its last 4"
        " characters are all that is ever shown.",
    )
    signing_key: StrictStr | None = Field(
        None, description="Of a webhook: what its messages are signed with. Kept like `secret`."
    )
    to: list[StrictStr] | None = Field(
        None, description="Of `email` the recipients; of `slack-bot` the id of its channel."
    )
    teams: list[StrictStr] | None = Field(None, description="Whose alerts come here.")
    default: StrictBool | None = Field(
        None, description="Whether it gets what no team's channel takes."
    )
    levels: StrictStr | None = Field(None, description=f"`{'` or `'.join(LEVELS)}`.")
    digest: StrictBool | None = Field(
        None, description="Whether it wants the weekly digest and the message of a month's close."
    )
    quiet: QuietSaid | None = Field(None, description="When it is left alone; null: never.")


class NewChannel(ChannelChange):
    """A channel to be made."""

    name: StrictStr = Field(description="What people call it; no two the same.")
    kind: StrictStr = Field(description="One of " + ", ".join(KINDS) + ".")
    to: list[StrictStr] = Field([], description=str(ChannelChange.model_fields["to"].description))
    teams: list[StrictStr] = Field([], description="Whose alerts come here.")
    default: StrictBool = Field(False, description="Whether it gets what no team's channel takes.")
    levels: StrictStr = Field(LEVELS[0], description=f"`{'` or `'.join(LEVELS)}`.")
    digest: StrictBool = Field(
        False, description=str(ChannelChange.model_fields["digest"].description)
    )


class LastDeliveryAnswer(BaseModel):
    """The message to it that was written last."""

    message: int = Field(description="Its id.")
    title: str
    status: str = Field(
        description="`pending`, `sent`, `dead`: it will not be tried again, or `dropped`: it was"
        " deliberately not sent."
    )
    attempts: int
    last_error: str | None = Field(description="What the channel answered, or why it waits.")
    written_at: str
    next_at: str | None = Field(description="When it is tried next; null unless `pending`.")
    sent_at: str | None


class ChannelAnswer(BaseModel):
    """A channel."""

    id: int
    name: str
    kind: str
    secret: str | None = Field(
        description="The last 4 characters; null: its kind has none.", examples=["…x7Yz"]
    )
    to: list[str]
    teams: list[str]
    default: bool
    levels: str
    digest: bool
    quiet: QuietSaid | None
    last_delivery: LastDeliveryAnswer | None = Field(
        description="null: nothing was written to it yet."
    )


class MadeChannelAnswer(ChannelAnswer):
    """A channel that was made."""

    signing_key: str | None = Field(
        description="Of a webhook for which none was said: the one that was made. It is shown"
        " here, and never again."
    )


class ChannelsAnswer(BaseModel):
    """All channels, oldest first."""

    channels: list[ChannelAnswer]


class SampleAnswer(BaseModel):
    """A sample that is on its way."""

    message: int = Field(description="Its id, as in `last_delivery`.")


def channel_fields(channel: Channel, delivery: Delivery | None) -> dict[str, Any]:
    """The fields of ChannelAnswer."""
    said = channel_as_said(channel)
    return {
        **said,
        "id": channel.id,
        "secret": None if channel.last4 is None else f"…{channel.last4}",
        "quiet": None if said["quiet"] is None else QuietSaid.model_validate(said["quiet"]),
        "last_delivery": None if delivery is None else _delivery(delivery),
    }


def _delivery(delivery: Delivery) -> LastDeliveryAnswer:
    return LastDeliveryAnswer(
        message=delivery.id,
        title=delivery.title,
        status=delivery.status,
        attempts=delivery.attempts,
        last_error=delivery.last_error,
        written_at=str(instant(delivery.written_at)),
        next_at=instant(delivery.next_at) if delivery.status == "pending" else None,
        sent_at=instant(delivery.sent_at),
    )
