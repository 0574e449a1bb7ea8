"""The form of a channel: what stands in it, and what it says in the fields of the API."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from api.pages.forms import Fields, one
from spend.channels.channels import LEVELS, Channel
from spend.channels.quiet_hours import MOST_TIMES, QuietHours, QuietTime
from spend.checked_fields import TermsRefused
from spend.fiscal import WEEKDAYS

KINDS: Final = {
    "slack-webhook": "Slack, by an incoming webhook",
    "slack-bot": "Slack, by an app with its token",
    "webhook": "Webhook, signed",
    "email": "E-mail",
    "apprise": "Another service, by Apprise",
}
_WITH_TO: Final = frozenset({"slack-bot", "email"})
_EMPTY_TIMES: Final = 2
"""To fill in."""


@dataclass(frozen=True, slots=True)
class TypedTime:
    """A line of quiet hours."""

    begins: str = ""
    ends: str = ""
    weekdays: Sequence[str] = WEEKDAYS


@dataclass(frozen=True, slots=True)
class TypedChannel:
    """What stands in the form; secrets never do."""

    name: str = ""
    kind: str = "slack-webhook"
    to: str = ""
    """One a line."""
    teams: str = ""
    """Likewise."""
    default: bool = False
    levels: str = LEVELS[0]
    digest: bool = False
    zone: str = ""
    """Of quiet hours; nothing: the server's."""
    over_waits: bool = False
    times: Sequence[TypedTime] = field(default=())

    @property
    def lines(self) -> Sequence[TypedTime]:
        """Quiet times, with some to fill in."""
        return [*self.times, *[TypedTime()] * _EMPTY_TIMES][:MOST_TIMES]


def shown(channel: Channel) -> TypedChannel:
    """The form of a channel that there is."""
    quiet = channel.quiet
    return TypedChannel(
        name=channel.name,
        kind=channel.kind,
        to="\n".join(channel.to),
        teams="\n".join(channel.teams),
        default=channel.default,
        levels=channel.levels,
        digest=channel.digest,
        zone=quiet.zone.key if quiet else "",
        over_waits=bool(quiet and quiet.over_waits),
        times=_times_of(quiet) if quiet else (),
    )


def _times_of(quiet: QuietHours) -> list[TypedTime]:
    def typed(each: QuietTime) -> TypedTime:
        return TypedTime(f"{each.begins:%H:%M}", f"{each.ends:%H:%M}", each.weekdays)

    return [typed(each) for each in quiet.times]


def typed(fields: Fields, kind: str) -> TypedChannel:
    """What somebody sent. Lines of quiet hours without any time are left out."""
    lines = [
        TypedTime(
            one(fields, f"from-{number}"),
            one(fields, f"to-{number}"),
            fields.get(f"days-{number}", []),
        )
        for number in range(MOST_TIMES)
    ]
    return TypedChannel(
        name=one(fields, "name"),
        kind=kind,
        to=one(fields, "to"),
        teams=one(fields, "teams"),
        default="default" in fields,
        levels=one(fields, "levels"),
        digest="digest" in fields,
        zone=one(fields, "zone"),
        over_waits="over_waits" in fields,
        times=[each for each in lines if each.begins or each.ends],
    )


def said(channel: TypedChannel, fields: Fields) -> dict[str, Any]:
    """The same in the fields of the API; of secrets what was typed, nothing where nothing was.

    What the form does not ask of a kind is left out, whatever was sent.
    """
    told: dict[str, Any] = {
        "name": channel.name,
        "kind": channel.kind,
        "to": _lines(channel.to) if channel.kind in _WITH_TO else [],
        "teams": _lines(channel.teams),
        "default": channel.default,
        "levels": channel.levels,
        "digest": channel.digest,
        "quiet": _quiet(channel) if channel.times else None,
    }
    asked = {"email": (), "webhook": ("secret", "signing_key")}.get(channel.kind, ("secret",))
    return told | {name: one(fields, name) for name in asked if one(fields, name)}


def problem_of(refused: TermsRefused) -> Mapping[str, str]:
    """What is wrong, by the field of the form."""
    name, _, rest = refused.field.partition(".")
    if name == "quiet":
        part, _, place = rest.partition(".")
        number, _, what = place.partition(".")
        where = f"Line {int(number) + 1}, {what}: " if number.isdecimal() else ""
        return {"zone" if part == "zone" else "times": sentence(f"{where}{refused}")}
    where = f"Line {int(rest) + 1}: " if rest.isdecimal() else ""
    return {name: sentence(f"{where}{refused}")}


def sentence(said: str) -> str:
    """What is wrong, as a sentence beside a field.

    >>> sentence("the host is not found: is it spelt right?")
    'The host is not found: is it spelt right?'
    """
    return said[:1].upper() + said[1:] + ("" if said.endswith((".", "?", "!")) else ".")


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _quiet(channel: TypedChannel) -> dict[str, Any]:
    return {
        "times": [
            {"from": each.begins, "to": each.ends, "weekdays": list(each.weekdays)}
            for each in channel.times
        ],
        "zone": channel.zone or None,
        "over_waits": channel.over_waits,
    }
