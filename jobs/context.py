"""What a job is given, and what it answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from spend.currencies.exchange import DAILY, Telling
from spend.fiscal import CALENDAR_YEAR, Calendar, FiscalYear
from store.access.secrets import Seal
from store.postgres.sessions import Database
from store.steps import Steps, untold


@dataclass(frozen=True, slots=True)
class JobSettings:
    """The settings that jobs look at."""

    currency: str = "USD"
    timezone: str = "UTC"
    rate_policy: str = DAILY
    """At which day's rate other currencies are told (``spend.currencies.exchange.POLICIES``)."""
    fiscal_year: FiscalYear = CALENDAR_YEAR
    """How the books' years are cut."""
    slack_webhook_url: str | None = None
    allow_private_destinations: bool = False
    api_url: str | None = None
    """Where people find the API, for links in messages."""
    slack_api_url: str = "https://slack.com/api"
    smtp_url: str | None = field(default=None, repr=False)
    """The mail server: smtp://user:password@host:587, or smtps://."""
    mail_from: str | None = None
    message_gap: float = 0.0
    """Seconds between messages to one place, after the first few."""
    settle_window: timedelta = timedelta(seconds=45)
    """How long the clock waits for a call's other sightings before it counts it."""
    retention_days: int | None = None
    """How long calls are kept in the tables; None: for ever."""
    spooled: timedelta = timedelta(0)
    """How long what was acknowledged may wait on a collector's disk."""
    archive: str | None = None
    """Where calls go before their day is dropped (``store/archive/archive_places.py``)."""
    key_pepper: bytes = field(default=b"", repr=False)
    """What the secrets of channels are sealed with (``store/access/secrets.py``)."""
    export_endpoint: str | None = None
    """Where metrics of spend go by OTLP, without ``/v1/metrics``; None: nowhere."""
    export_headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """What is sent with them: secrets."""

    @property
    def seal(self) -> Seal:
        """Opens what channels are reached with."""
        return Seal(self.key_pepper)

    @property
    def zone(self) -> ZoneInfo:
        """Whose days, weeks and months people are told of."""
        return ZoneInfo(self.timezone)

    @property
    def calendar(self) -> Calendar:
        """Whose periods are closed, and statements are of."""
        return Calendar(self.zone, self.fiscal_year)

    @property
    def telling(self) -> Telling:
        """How money of many currencies is told."""
        return Telling(self.currency, self.rate_policy)


@dataclass(frozen=True, slots=True)
class JobContext:
    """One run of one job. A job opens its own transactions and commits at their end."""

    database: Database
    now: datetime
    """UTC. The only time that a job goes by."""
    settings: JobSettings = field(default_factory=JobSettings)
    clock: Callable[[Session], datetime] | None = None
    """Tells the time (UTC) at which lines are posted, in a transaction that has locked the ledger:
    a run can be long, and others post meanwhile. None: ``now``."""
    by_hand: bool = False
    """Somebody waits for it: settle everything heard so far instead of waiting for late twins."""
    progress: Callable[[str], None] = lambda _line: None
    """Called now and then by long work, with a line for people."""

    going_on: Callable[[], bool] = lambda: True
    """Asked now and then by long work: False, and it ends where it is, to go on another time."""
    steps: Steps = untold
    """Told what a run does, where we are traced."""

    def posted_at(self, session: Session) -> datetime:
        """When lines are posted (UTC) that a transaction posts now, after lock_ledger."""
        return self.now if self.clock is None else self.clock(session)


@dataclass(frozen=True, slots=True)
class Done:
    """What a run did."""

    note: str
    """For people: '2 batches, 1,024 calls'."""
    complete_until: datetime | None = None
    """Everything heard before this is dealt with; None from jobs that deal with nothing heard."""
    failed: bool = False
    """It could not do what it is for, and ``note`` says why: it counts as failed."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """What it did, as numbers, for whoever traces us: ``{"batches": 2, "calls": 1024}``."""
