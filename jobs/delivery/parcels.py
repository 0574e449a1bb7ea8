"""What a sender hands to a transport: one message, where it goes, and how long that may take."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

from jobs.context import JobSettings
from spend.channels.notices import Notice


@dataclass(frozen=True, slots=True)
class Place:
    """Where messages go."""

    keys: tuple[str, ...]
    """What the outbox calls it (``store/channels/message_places.py``): as often as it is set."""
    name: str
    """For people: 'channel finance'."""
    kind: str
    """Of spend/channels/channels.py."""
    secret: str = field(repr=False)
    """A URL; of a Slack bot its token; of e-mail ''."""
    to: tuple[str, ...] = ()
    """Of e-mail its recipients, of a Slack bot the id of its channel."""
    signing_key: str | None = field(default=None, repr=False)
    """Of a webhook."""

    @property
    def id(self) -> str:
        """The same for all that go to one place, and nothing of the secret."""
        told = "\0".join((self.kind, self.secret, *self.to))
        return sha256(told.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Parcel:
    """One message as people see it: a notice, or one that lists many."""

    id: str
    """The same each time it is tried; letters, digits, ``_`` and ``-``."""
    ids: tuple[str, ...]
    """Of the messages in it: its own, or those of all that it lists."""
    notice: Notice
    written_at: datetime
    """When it was put on its way (UTC): the same each time."""
    unsure: bool = False
    """It was tried before, and nobody knows whether it arrived."""
    left: tuple[str, ...] = ()
    """Of a mail: who is still to get it; none: all."""


@dataclass(frozen=True, slots=True)
class Sending:
    """One attempt."""

    settings: JobSettings
    now: datetime
    """UTC."""
    until: float
    """By time.monotonic: all requests of it are over then."""
    picture: Callable[[], bytes | None] = lambda: None
    """Draws the PNG that belongs to the notice; None where there is none."""
