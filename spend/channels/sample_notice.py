"""A notice that tells nothing but that it arrived."""

from spend.channels.notices import SAMPLE, Notice


def sample(channel: str, by: str) -> Notice:
    """What is sent to try out a channel. ``by``: who asked for it."""
    title = "This is a sample from spanledger"
    return Notice(
        kind=SAMPLE,
        level="info",
        title=title,
        summary=f"{title} to {channel}, sent by {by}. Alerts will arrive here.",
        facts=(("Channel", channel), ("Sent by", by)),
        paragraphs=("Nothing has happened: somebody tried out whether alerts arrive here.",),
        small="sample",
        data={"channel": channel, "by": by},
    )
