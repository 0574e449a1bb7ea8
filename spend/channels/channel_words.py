"""A channel in words: where it leads, and what goes there."""

from datetime import time

from spend.channels.channels import Channel
from spend.channels.quiet_hours import QuietHours, QuietTime
from spend.fiscal import WEEKDAYS


def where(channel: Channel) -> str:
    """Whom it reaches; of a secret its last characters."""
    return ", ".join(channel.to) or (f"…{channel.last4}" if channel.last4 else "")


def gets(channel: Channel) -> str:
    """What goes there, and when not."""
    said = [f"team {each}" for each in channel.teams]
    said += ["what no team's channel takes"] if channel.default else []
    said += ["digests"] if channel.digest else []
    said += ["only what is over"] if channel.levels == "over" else []
    said += [f"not {_hours(channel.quiet)}"] if channel.quiet else []
    return "; ".join(said) or "what names it"


def _hours(quiet: QuietHours) -> str:
    waits = ", what is over neither" if quiet.over_waits else ""
    return f"{' and '.join(map(_time, quiet.times))} ({quiet.zone.key}{waits})"


def _time(quiet: QuietTime) -> str:
    days = "" if quiet.weekdays == WEEKDAYS else f" {', '.join(quiet.weekdays)}"
    if quiet.begins == quiet.ends == time():
        return f"all of{days}"
    return f"{quiet.begins:%H:%M}-{quiet.ends:%H:%M}{days}"
